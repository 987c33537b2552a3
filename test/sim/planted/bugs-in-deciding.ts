import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' };
const SHORT = 0.01;

/** Rules S10 and S11, the guard: who is dead, and who may be replaced. */
export const DECIDING_BUGS: readonly PlantedBug[] = [
  {
    name: 'no-stall-guard',
    rule: 'S11',
    story: 'an observer that was paused takes its own absence for the silence of others',
    file: 'observer/src/core/failure-detector.ts',
    find: 'if (gapMs <= STALL_TICKS * settings.tickMs) return { stalledMs: 0, deafMs: 0 };',
    replace: 'if (gapMs >= 0) return { stalledMs: 0, deafMs: 0 };',
    caughtBy: ['I5', 'I9'],
    run: {
      seed: 1,
      days: SHORT,
      members: 2,
      faults: [[{ id: 'pause', kind: 'coordinator-pause', when: { atMs: 30_000 }, forMs: 20_000, coordinator: 'c2' }]],
    },
  },
  {
    name: 'overtaken-for-ever',
    rule: 'S19',
    story:
      'a second agent, started by hand for six seconds, makes the heartbeats of the real one stale, and nobody tells it',
    file: 'observer/src/core/ingest.ts',
    find: "if (fresh === 'stale') return this.#hearStale(slot, entry, bytes, heardAtMs, nowMs);",
    replace: "if (fresh === 'stale') return this.#drop(fresh);",
    caughtBy: ['I9'],
    run: {
      seed: 1,
      days: SHORT,
      members: 2,
      faults: [[{ id: 'second', kind: 'second-agent', when: { atMs: 45_000 }, forMs: 6_000, member: 'm1' }]],
    },
  },
  {
    name: 'no-warm-up',
    rule: 'S11',
    story: 'an observer has opinions from its first second on',
    file: 'observer/src/core/failure-detector.ts',
    find: "if (nowMs < warmAtMs) return { reason: 'WarmingUp', untilMs: monotonicMs(warmAtMs) };",
    replace: 'if (nowMs < this.#startedAtMs) return null;',
    caughtBy: ['I5'],
    run: {
      seed: 1,
      days: SHORT,
      members: 4,
      faults: [
        [
          { id: 'restart', kind: 'coordinator-crash', when: { atMs: 30_000 }, forMs: 5_000, coordinator: 'c2' },
          { id: 'deaf', kind: 'machine-cut-off', when: { atMs: 38_000 }, forMs: 30_000, member: 'm1' },
        ],
      ],
    },
  },
  {
    name: 'only-accusers-vote',
    rule: 'S10',
    story: 'an observer that hears the member counts as one without an opinion',
    file: 'coordinator/src/judge/quorum.ts',
    find: "const VOTES: readonly string[] = ['alive', 'suspect', 'dead'];",
    replace: "const VOTES: readonly string[] = ['suspect', 'dead'];",
    caughtBy: ['I9'],
    run: {
      seed: 1,
      days: SHORT,
      members: 6,
      faults: [
        [
          {
            id: 'cut-1',
            kind: 'net-member-cut',
            when: { atMs: 30_000 },
            forMs: 60_000,
            member: 'm1',
            coordinator: 'c2',
          },
          {
            id: 'cut-2',
            kind: 'net-member-cut',
            when: { atMs: 30_000 },
            forMs: 60_000,
            member: 'm1',
            coordinator: 'c3',
          },
        ],
      ],
    },
  },
  {
    name: 'operator-stop-is-a-failure',
    rule: 'I9',
    story: 'a machine somebody stopped on purpose is replaced',
    file: 'coordinator/src/judge/cloud-evidence.ts',
    find: 'if (policy.detect.recoverOperatorStops)',
    replace: 'if (policy.detect.recoverOperatorStops || code.length > 0)',
    caughtBy: ['I9'],
    run: {
      seed: 1,
      days: SHORT,
      members: 4,
      faults: [[{ id: 'stop', kind: 'operator-stop', when: { atMs: 30_000 }, forMs: 900_000, member: 'm1' }]],
    },
  },
  {
    name: 'no-budget',
    rule: 'I8',
    story: 'recoveries begin as fast as members die',
    file: 'coordinator/src/judge/guard-rates.ts',
    find: 'level >= 1 - 1e-9',
    replace: 'level >= -1e9',
    caughtBy: ['I8'],
    run: {
      seed: 1,
      days: SHORT,
      members: 30,
      faults: [
        [1, 5, 9, 14].map(
          (number, index): Fault => ({
            id: `crash-${number}`,
            kind: 'guest-crash',
            when: { atMs: 40_000 + index * 7_000 },
            forMs: 0,
            member: `m${number}`,
          }),
        ),
      ],
    },
  },
  {
    name: 'refusal-kept-to-itself',
    rule: 'I10',
    story: 'etcd that takes no writes is no problem, because it answers reads',
    file: 'coordinator/src/store/write-proof.ts',
    find: 'return problems.length === 0 && unproven !== null',
    replace: 'return problems.length > 0 ? [] : unproven !== null',
    caughtBy: ['I10'],
    run: {
      seed: 1,
      days: SHORT,
      members: 2,
      faults: [[{ id: 'full', kind: 'etcd-refuses-writes', when: { atMs: 30_000 }, forMs: 120_000 }, crash]],
    },
  },
  {
    name: 'pause-read-past-its-key',
    rule: 'S21',
    story: 'a record is taken for what it says, whatever key it lies under: a pause that is shown and does not hold',
    file: 'shared/src/records/record.ts',
    find: 'const fault = placement && placementFault(key, parsed.data, placement);',
    replace: 'const fault = placement && (placementFault(key, parsed.data, placement)?.slice(0, 0) || null);',
    caughtBy: ['I9'],
    run: {
      seed: 1,
      days: SHORT,
      members: 2,
      faults: [
        [
          { id: 'pause', kind: 'operator-pause', when: { atMs: 30_000 }, forMs: 300_000, scope: 'group', says: 'kind' },
          crash,
        ],
      ],
    },
  },
  {
    name: 'predecessor-may-serve',
    rule: 'S9',
    story: 'an instance that was replaced is not told so when it comes back',
    file: 'coordinator/src/observing/activation-answers.ts',
    find: "if (intent || !activation) return { activation: 'standby', ...so };\n    return { activation: 'fenced', ...so };",
    replace: "return { activation: 'active', ...so };",
    caughtBy: ['I2'],
    run: {
      seed: 1,
      days: SHORT,
      members: 2,
      faults: [[crash]],
    },
  },
  {
    name: 'intent-on-an-old-view',
    rule: 'S5',
    story: 'the intent does not compare the opinions it was decided on',
    file: 'coordinator/src/leader/intent-writer.ts',
    find: '...[...observers].map((observer) => ({',
    replace: '...[...observers].slice(0, 0).map((observer) => ({',
    caughtBy: ['I9'],
    run: {
      seed: 1,
      days: SHORT,
      members: 4,
      faults: [
        [
          { id: 'freeze', kind: 'machine-pause', when: { atMs: 45_000 }, forMs: 13_000, member: 'm1' },
          {
            id: 'hold',
            kind: 'pause-before-call',
            when: { stage: 'intent', nth: 1, afterMs: 100 },
            forMs: 6_500,
            coordinator: 'leader',
            call: 'kv.txn',
            nth: 1,
          },
        ],
      ],
    },
  },
];
