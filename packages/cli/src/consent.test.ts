import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { consentTo } from './consent.ts';
import type { MutationOptions } from './options/mutation-options.ts';

let told: string;
beforeEach(() => {
  told = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((told += String(text)), true));
});
afterEach(() => vi.restoreAllMocks());

const PROPOSAL = { text: 'pause group db' };
/** Answers one question after the other, and keeps them. */
function person(...answers: readonly string[]) {
  const asked: string[] = [];
  return { asked, ask: async (question: string) => answers[asked.push(question) - 1] ?? expect.fail(question) };
}

test('what will be done is shown, and yes goes on', async () => {
  const ann = person('kernel upgrade', 'y');
  expect(await consentTo(PROPOSAL, {}, ann)).toBe('kernel upgrade');
  expect(told).toContain('pause group db');
  expect(ann.asked).toEqual(['Reason: ', 'Go on? [y/N] ']);
});

test.each<[string, MutationOptions, readonly string[], string | undefined, number]>([
  ['an empty answer is no', { reason: 'x' }, [''], undefined, 1],
  ['n is no', { reason: 'x' }, ['n'], undefined, 1],
  ['yes is not the name', { reason: 'x' }, ['yes'], 'db/one', 1],
  ['no reason', {}, [''], undefined, 64],
  ['--yes without a reason', { yes: true }, [], undefined, 64],
  ['--yes with an empty reason', { yes: true, reason: '  ' }, [], undefined, 64],
])('%s', async (_, options, answers, typed, exitCode) => {
  const proposal = typed === undefined ? PROPOSAL : { ...PROPOSAL, typed };
  await expect(consentTo(proposal, options, person(...answers))).rejects.toMatchObject({ exitCode });
});

test('the name goes on where it is asked for; --yes asks nobody, the older --why is a reason', async () => {
  const ann = person('db/one');
  expect(await consentTo({ ...PROPOSAL, typed: 'db/one' }, { reason: 'x' }, ann)).toBe('x');
  expect(ann.asked).toEqual(['Type db/one to go on: ']);
  expect(await consentTo(PROPOSAL, { yes: true, why: 'y' }, { ask: null })).toBe('y');
});

test('without a terminal nobody is asked, and the options to add are named', async () => {
  await expect(consentTo(PROPOSAL, { reason: 'x' }, { ask: null })).rejects.toMatchObject({ exitCode: 64 });
  expect(told).toContain('add --yes --reason TEXT');
});
