import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const LONG_MS = 1_500_000;
const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' };
/** Started again it is still heard by nobody: the way in place does not help, and it runs. */
const cutOff: Fault = { id: 'cut', kind: 'machine-cut-off', when: { atMs: 45_000 }, forMs: LONG_MS, member: 'm1' };
/** A call of that name lands after so long, and no later one is answered. */
const late = (action: string, byMs: number): Fault => ({
  ...{ id: `late-${action}`, kind: 'api-late-landing', when: { atMs: 40_000 }, forMs: LONG_MS },
  ...{ action, times: 1, byMs },
});
const never = (action: string): Fault => ({
  ...{ id: `never-${action}`, kind: 'api-lost-request', when: { atMs: 40_000 }, forMs: 600_000 },
  ...{ action, times: 1_000 },
});
/** There is no room for the one that gets its disks: the way after that one is taken. */
const noRoom: Fault = { id: 'full', kind: 'no-capacity', when: { atMs: 300_000 }, forMs: 260_000, zone: 0 };
/** Its leader ends once it has asked for the stop; a person stops the mended member later. */
const leaderEnds: Fault = {
  ...{ id: 'end', kind: 'coordinator-crash', when: { stage: 'fence', nth: 1, afterMs: 1_500 }, forMs: 60_000 },
  coordinator: 'leader',
};
const stopped: Fault = {
  ...{ id: 'stop', kind: 'operator-stop', when: { atMs: 420_000 }, forMs: 900_000 },
  member: 'm1',
};
const plain = { seed: 1, days: 0.01, members: 2, ladder: true } as const;

/** S28: where a member is to come back on the instance it has, and a later way may replace it. */
export const LADDER_BUGS: readonly PlantedBug[] = [
  {
    name: 'next-rung-without-a-fence-of-its-own',
    rule: 'S28',
    story: 'the way before has stopped the instance, so the next one takes it for fenced',
    file: 'recovery/src/steps/fence.ts',
    find: 'if (frozen.sends.mark === undefined && nothingSent(frozen))',
    replace:
      "if (run.record.ordinal !== undefined && run.record.ordinal > 0) return { kind: 'done', result: { how: 'stopped' } };\n      if (frozen.sends.mark === undefined && nothingSent(frozen))",
    caughtBy: ['I3', 'I12'],
    run: { ...plain, faults: [[cutOff]] },
  },
  {
    name: 'failure-that-goes-on-without-a-bound',
    rule: 'S28',
    story: 'a way that did not help is taken again, without cooldown and without a token of the budget',
    file: 'recovery/src/core/ladder/choose-rung.ts',
    find: "if (before !== null) return { rung, said: 'tried', why: before };",
    replace: "if (before === '') return { rung, said: 'tried', why: before };",
    caughtBy: ['I8'],
    run: { ...plain, faults: [[cutOff]] },
  },
  {
    name: 'late-start-of-an-earlier-rung-served',
    rule: 'S28',
    story: 'whom the activation names may serve, also while a later rung replaces it',
    file: 'coordinator/src/observing/activation-answers.ts',
    find: 'if (open && intent && !staysInPlace(intent.plan) && this.#oldHash(intent) === instanceHash)',
    replace: 'if (open && intent && intent.plan.ladder === undefined && this.#oldHash(intent) === instanceHash)',
    caughtBy: ['I2'],
    run: { ...plain, faults: [[crash, late('StartInstances', 540_000), never('StartInstances'), noRoom]] },
  },
  {
    name: 'late-stop-taken-for-an-operators',
    rule: 'S28',
    story: 'a member that was mended and is stopped afterwards was stopped by somebody who wanted it',
    file: 'coordinator/src/judge/own-stop.ts',
    find: "lateCalls.includes('stop') || (fencedBy === 'lease' && !isChangeOver({ outcome }));",
    replace: "lateCalls.length > 9 || (fencedBy === 'lease' && !isChangeOver({ outcome }));",
    caughtBy: ['I10'],
    run: { ...plain, faults: [[crash, late('StopInstances', 240_000)]] },
  },
  {
    name: 'seen-stop-that-counts-as-open',
    rule: 'S28',
    story: 'a stop that another leader has sent has no answer here, so it may land yet',
    file: 'recovery/src/core/open-stops.ts',
    find: 'return sent - answered > (landed ? 1 : 0);',
    replace: 'return sent - answered > (landed ? 0 : 0);',
    also: {
      file: 'coordinator/src/judge/own-stop.ts',
      find: "const goesOn = about[0]?.outcome === 'not-mended';",
      replace: "const goesOn = about[0]?.outcome !== 'abandoned';",
    },
    caughtBy: ['I9'],
    run: { ...plain, faults: [[crash, leaderEnds, stopped]] },
  },
];
