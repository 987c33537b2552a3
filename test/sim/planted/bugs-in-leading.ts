import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' };
const SHORT = 0.01;

/** Rules S1 to S3: who may write, and until when. */
export const LEADING_BUGS: readonly PlantedBug[] = [
  {
    name: 'drop-the-guard',
    rule: 'S2',
    story: 'the transaction compares everything but the term',
    file: 'shared/src/term/guarded-commit.ts',
    find: 'const compare = commit.guard ? [commit.guard, ...compares] : compares;',
    replace: 'const compare = compares;',
    caughtBy: ['I4'],
    run: { seed: 1, days: SHORT, members: 2, faults: [[crash]] },
  },
  {
    name: 'lease-from-the-reply',
    rule: 'S1',
    story: 'the deadline counts from when the keepalive was answered, not from when it was sent',
    file: 'coordinator/src/store/lease-keeper.ts',
    find: 'else this.#extend(sentAtMs, reply.ttlMs);',
    replace: 'else this.#extend(this.#deps.clock.monotonicMs(), reply.ttlMs);',
    caughtBy: ['I4'],
    run: {
      seed: 1,
      days: SHORT,
      members: 2,
      faults: [
        [
          { id: 'slow', kind: 'etcd-slow', when: { atMs: 20_000 }, forMs: 400_000, latencyMs: 600 },
          // Stopped with a keepalive under way, and cut off from etcd before the next one: its
          // answer is handled late.
          ...[0, 1, 2, 3, 4, 5].flatMap((index): Fault[] => [
            {
              id: `pause-${index}`,
              kind: 'coordinator-pause',
              when: { atMs: 30_000 + index * 50_300 },
              forMs: 7_000,
              coordinator: 'leader',
            },
            {
              id: `cut-${index}`,
              kind: 'etcd-cut',
              when: { atMs: 31_000 + index * 50_300 },
              forMs: 20_000,
              coordinator: 'leader',
              direction: 'requests',
            },
          ]),
        ],
      ],
    },
  },
  {
    name: 'lease-without-margin',
    rule: 'S1',
    story: 'the deadline is the lease itself and then some: drift and calls under way are forgotten',
    file: 'coordinator/src/store/lease-timing.ts',
    find: 'ttlMs * DRIFT_RATIO - marginMs;',
    replace: 'ttlMs + marginMs;',
    caughtBy: ['I4'],
    run: {
      seed: 1,
      days: SHORT,
      members: 2,
      faults: [
        [
          {
            id: 'cut',
            kind: 'etcd-cut',
            when: { atMs: 30_000 },
            forMs: 60_000,
            coordinator: 'leader',
            direction: 'both',
          },
        ],
      ],
    },
  },
];
