import { LADDER_RUNGS } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { chooseRung, type LadderInput, type RungEvidence } from './choose-rung.ts';
import { goesOnWith, SAME_FAILURE_MS, triedFor } from './this-failure.ts';

const silent: RungEvidence = {
  ...{ state: 'running', system: 'ok', instance: 'ok', attachedEbs: 'ok', answers: false, knowsBootEpoch: true },
  ...{ hasInstanceStore: false, leavesZone: false },
};
const choice = (evidence: Partial<RungEvidence> = {}, over: Partial<LadderInput> = {}) =>
  chooseRung({
    ...{ rungs: LADDER_RUNGS, evidence: { ...silent, ...evidence }, tried: [], asked: null, obstacleOf: () => null },
    ...over,
  });
const saidOf = (rung: string, { said }: ReturnType<typeof choice>) => said.find((one) => one.rung === rung);

describe('where a ladder begins', () => {
  test.each<[string, Partial<RungEvidence>, string]>([
    ['nothing of it answers', {}, 'stop-start'],
    ['it is heard and its checks fail', { answers: true }, 'reboot'],
    ['EC2 finds its own system at fault', { instance: 'impaired' }, 'reboot'],
    ['its host fails', { answers: true, system: 'impaired', instance: 'impaired' }, 'stop-start'],
    ['its disks do not answer', { answers: true, attachedEbs: 'impaired' }, 'stop-start'],
    ['it is stopped', { state: 'stopped' }, 'stop-start'],
    ['it is terminated', { state: 'terminated' }, 'snapshot-and-replace'],
    ['EC2 does not show it', { state: null }, 'snapshot-and-replace'],
    ['its zone is lost', { answers: true, leavesZone: true }, 'snapshot-and-replace'],
    ['its boot epoch is not known', { answers: true, knowsBootEpoch: false }, 'stop-start'],
    ['a stop would empty its instance store', { hasInstanceStore: true }, 'reboot'],
    ['no status check is fresh', { system: null, instance: null, attachedEbs: null }, 'stop-start'],
  ])('%s', (_, evidence, rung) => {
    expect(choice(evidence).rung).toBe(rung);
  });

  test('every rung says what became of it, and the later ones that they are for later', () => {
    const { said } = choice();
    expect(said.map((one) => [one.rung, one.said])).toEqual([
      ['reboot', 'skipped'],
      ['stop-start', 'taken'],
      ['reattach', 'later'],
      ['snapshot-and-replace', 'later'],
    ]);
    for (const { why } of said) expect(why.length).toBeGreaterThan(10);
  });
});

describe('a rung that is not worth trying before the next', () => {
  const waste = (...rungs: readonly string[]): Partial<LadderInput> => ({
    notWorthIt: (rung, next) => (rungs.includes(rung) ? `${next} is sooner` : null),
  });

  test('is left out, with the reason', () => {
    const made = choice({}, waste('stop-start'));
    expect(made.rung).toBe('reattach');
    expect(saidOf('stop-start', made)).toMatchObject({ said: 'skipped', why: 'reattach is sooner' });
  });

  test('is compared with the next one that could be taken: it fits, can be planned, and was not tried', () => {
    const tried = [{ rung: 'reattach', outcome: 'not-mended' as const }];
    const made = choice({}, { ...waste('stop-start'), tried });
    expect(saidOf('stop-start', made)?.why).toBe('snapshot-and-replace is sooner');
  });

  test('is taken all the same where no other is left', () => {
    const obstacleOf = (rung: string) => (rung === 'stop-start' ? null : 'EC2 has no room');
    expect(choice({}, { ...waste('stop-start'), obstacleOf }).rung).toBe('stop-start');
  });

  test('is taken where a person asks for it', () =>
    expect(choice({}, { ...waste('stop-start'), asked: 'stop-start' }).rung).toBe('stop-start'));
});

describe('how a ladder goes on', () => {
  const tried = (...rungs: readonly string[]) => ({
    tried: rungs.map((rung) => ({ rung, outcome: 'not-mended' as const })),
  });

  test('no rung is taken twice for one failure, so it comes to an end', () => {
    const taken: string[] = [];
    for (;;) {
      const { rung } = choice({ answers: true }, tried(...taken));
      if (rung === null) break;
      taken.push(rung);
    }
    expect(taken).toEqual([...LADDER_RUNGS]);
  });

  test('one that mended it, and did not last, is not taken again', () => {
    const again = choice({ answers: true }, { tried: [{ rung: 'reboot', outcome: 'mended' }] });
    expect([again.rung, saidOf('reboot', again)]).toMatchObject(['stop-start', { said: 'tried' }]);
  });

  test('one that cannot be planned is skipped, with the reason of the plan', () => {
    const other = choice({}, { obstacleOf: (rung) => (rung === 'stop-start' ? 'SpotInstance: it is' : null) });
    expect([other.rung, saidOf('stop-start', other)?.why]).toEqual(['reattach', 'SpotInstance: it is']);
  });

  test('only what the policy allows is taken', () => {
    expect(choice({}, { rungs: ['reboot'] }).rung).toBe(null);
    expect(choice({}, { rungs: ['snapshot-and-replace'] }).rung).toBe('snapshot-and-replace');
  });

  test('what a person asks for is taken, also where it was tried or does not fit; not where it cannot be planned', () => {
    const asked = { asked: 'reboot', ...tried('reboot') };
    expect(choice({ leavesZone: true }, asked).rung).toBe('reboot');
    expect(choice({}, { ...asked, rungs: ['snapshot-and-replace'] }).rung).toBe('reboot');
    expect(choice({}, { ...asked, obstacleOf: () => 'NotRunning: it is stopped' }).rung).toBe(null);
  });
});

describe('which recoveries belong to the failure that a member has now', () => {
  const ended = (ordinal: number, outcome: 'mended' | 'not-mended' | 'abandoned', endedAtWallMs: number) => ({
    ...{ oldInstanceId: 'i-1', ordinal, outcome, endedAtWallMs, reason: 'x', strategy: 'reboot' },
  });

  test('those in place of this instance that ended lately, or while it was failing', () => {
    const history = [ended(2, 'not-mended', 900), ended(1, 'mended', 100), ended(0, 'abandoned', 50)];
    expect(triedFor(history, 'i-1', 1_000).map((one) => one.ordinal)).toEqual([1, 2]);
    expect(triedFor(history, 'i-2', 1_000)).toEqual([]);
    expect(triedFor(history, 'i-1', 900 + SAME_FAILURE_MS)).toEqual([]);
    expect(triedFor(history, 'i-1', 100 + SAME_FAILURE_MS).map((one) => one.ordinal)).toEqual([2]);
  });

  test('it is gone on with only after one that did not mend it', () => {
    expect(goesOnWith([ended(0, 'not-mended', 900)], 'i-1', 1_000)).toBe(true);
    expect(goesOnWith([ended(0, 'not-mended', 900), ended(1, 'mended', 950)], 'i-1', 1_000)).toBe(false);
    expect(goesOnWith([], 'i-1', 1_000)).toBe(false);
  });
});
