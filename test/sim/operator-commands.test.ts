import { expect, test } from 'vitest';
import type { Fault, FaultOf, Stage } from './faults/fault.ts';
import { failureOf } from './report.ts';
import { type RunResult, simulate } from './simulation.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 60_000 }, forMs: 0, member: 'm1' };
type Command = FaultOf<'operator-commands'>['command'];
const ask = (command: Command, when: Fault['when'], id: string = command): Fault => ({
  ...{ id, kind: 'operator-commands', when, forMs: 120_000, member: 'm1', command },
});
const at = (stage: Exclude<Stage, 'none'>, nth = 1): Fault['when'] => ({ stage, nth, afterMs: 200 });

async function run(faults: readonly Fault[]): Promise<RunResult> {
  const result = await simulate({ seed: 7, days: 0.01, members: 2, coordinators: 3, faults: [faults] });
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  expect(result.outcomes.map((one) => one.result)).toEqual(faults.map(() => 'happened'));
  return result;
}

test.each<[Command, Exclude<Stage, 'none'>]>([
  ['retry', 'fence'],
  ['retry', 'launch'],
  ['replan', 'capture'],
  ['replan', 'launch'],
  ['replan', 'verify'],
  ['accept-loss', 'capture'],
  ['recover', 'capture'],
])('%s at %s: it is replaced once all the same', async (command, stage) => {
  const { tally } = await run([crash, ask(command, at(stage))]);
  expect([tally.recoveriesBegun, tally.recoveriesFinished]).toEqual([1, 1]);
  expect([...tally.heldLast]).toEqual([]);
});

test.each<Exclude<Stage, 'none'>>(['fence', 'capture', 'image', 'permit', 'launch', 'verify'])(
  'abandoned at %s, it waits for a person, and is replaced once when that person asks',
  async (stage) => {
    const abandon = ask('abandon', at(stage));
    const { tally } = await run([crash, abandon, ask('recover', { atMs: 600_000 })]);
    expect(tally.holdsSeen.get('Abandoned') ?? 0).toBeGreaterThan(0);
    expect([tally.recoveriesBegun, tally.recoveriesFinished]).toEqual([2, 2]);
    expect([...tally.heldLast]).toEqual([]);
  },
);

test('abandoned three times, by leaders that crash meanwhile', async () => {
  const dies = (nth: number): Fault => ({
    ...{ id: `dies-${nth}`, kind: 'coordinator-crash', when: at('launch', nth), forMs: 20_000, coordinator: 'leader' },
  });
  const rounds = [1, 2, 3].flatMap((nth) => [
    dies(nth),
    ask('abandon', at('launch', nth), `abandon-${nth}`),
    ask('recover', { atMs: 300_000 * nth }, `recover-${nth}`),
  ]);
  const { tally } = await run([crash, ...rounds]);
  expect([tally.recoveriesBegun, tally.recoveriesFinished]).toEqual([4, 4]);
});

const CRASHED_AT_MS = 60_000;

test('paused by command before it dies, it is replaced once, and only after the pause has ended', async () => {
  const { tally } = await run([ask('pause', { atMs: 30_000 }), crash, ask('resume', { atMs: 400_000 })]);
  expect(tally.holdsSeen.get('Paused') ?? 0).toBeGreaterThan(0);
  expect([tally.recoveriesBegun, tally.recoveriesFinished]).toEqual([1, 1]);
});

test.each<[Command, Exclude<Stage, 'none'>]>([
  ['transfer', 'fence'],
  ['transfer', 'launch'],
  ['transfer', 'activate'],
  ['drain', 'capture'],
  ['drain', 'verify'],
])('%s at %s: the recovery goes on under the next leader, once', async (command, stage) => {
  const { tally } = await run([crash, ask(command, at(stage))]);
  expect([tally.recoveriesBegun, tally.recoveriesFinished]).toEqual([1, 1]);
  expect([...tally.heldLast]).toEqual([]);
});

test('an override of a member that is well is never taken', async () => {
  const late = { ...ask('override', { atMs: 20_000 }), forMs: CRASHED_AT_MS - 25_000 };
  const result = await simulate({ seed: 7, days: 0.005, members: 2, coordinators: 3, faults: [[late]] });
  expect(result.violations).toEqual([]);
  expect([result.tally.recoveriesBegun, result.outcomes.map((one) => one.result)]).toEqual([0, ['no-effect']]);
});
