import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const SHORT = 0.01;
const LONG_MS = 900_000;
const refused: Fault = {
  id: 'refused',
  kind: 'api-error',
  when: { atMs: 0 },
  forMs: LONG_MS,
  action: 'StopInstances',
  times: 1_000,
};
const cut = (member: string): Fault => ({
  id: `cut-${member}`,
  kind: 'machine-cut-off',
  when: { atMs: 45_000 },
  forMs: LONG_MS,
  member,
});
const hung: Fault = { id: 'hung', kind: 'hook-hang', when: { atMs: 30_000 }, forMs: LONG_MS, member: 'm1' };
const deaf = (coordinator: string): Fault => ({
  id: `deaf-${coordinator}`,
  kind: 'net-member-cut',
  when: { atMs: 45_000 },
  forMs: LONG_MS,
  member: 'm1',
  coordinator,
});

/** Rule S15: a fence that nobody sees. */
export const LEASE_BUGS: readonly PlantedBug[] = [
  {
    name: 'lease-waited-too-short',
    rule: 'S15',
    story: 'the leader waits for the lease, but not for the time its end may take',
    file: 'recovery/src/core/serve-lease/serve-lease.ts',
    find: '((answersHoldMs + stopWithinMs) * (1 + DRIFT_MAX))',
    replace: '((answersHoldMs + stopWithinMs * 0) * (1 + DRIFT_MAX))',
    caughtBy: ['I3', 'I2'],
    run: { seed: 3, days: SHORT, members: 4, serveLease: true, faults: [[refused, hung, cut('m1')]] },
  },
  {
    name: 'lease-of-who-never-promised',
    rule: 'S15',
    story: 'the policy counts on leases, so every member is taken to keep one',
    file: 'coordinator/src/leader/intent-writer.ts',
    find: "plan.policy.recover.serveLease !== null && lease.kind === 'counts' ? lease.overAfterMs : null,",
    replace: "plan.policy.recover.serveLease !== null ? (lease.kind === 'counts' ? lease.overAfterMs : 85_000) : null,",
    caughtBy: ['I3', 'I2'],
    run: { seed: 5, days: SHORT, members: 4, serveLease: true, faults: [[refused, cut('m4')]] },
  },
  {
    name: 'watchdog-petted-by-a-timer',
    rule: 'S15',
    story: 'the agent pets the watchdog for as long as it runs, whatever its workload does',
    file: 'agent/src/core/watchdog.ts',
    find: 'return withdrawByMs !== null && nowMs < withdrawByMs;',
    replace: 'return withdrawByMs !== null && nowMs < Number.POSITIVE_INFINITY;',
    caughtBy: ['I3', 'I2'],
    run: { seed: 3, days: SHORT, members: 4, serveLease: true, faults: [[refused, hung, cut('m1')]] },
  },
  {
    name: 'old-views-hold-for-ever',
    rule: 'S15',
    story: 'a coordinator that has lost etcd goes on saying active from what it knew',
    file: 'coordinator/src/observing/activation-answers.ts',
    find: 'const ageMs = this.#view.contactAgeMs();',
    replace: 'const ageMs = this.#view.contactAgeMs() === null ? null : 0;',
    caughtBy: ['I3', 'I2'],
    run: {
      seed: 7,
      days: SHORT,
      members: 4,
      serveLease: true,
      faults: [
        [
          refused,
          deaf('c1'),
          deaf('c2'),
          {
            id: 'alone',
            kind: 'etcd-cut',
            when: { atMs: 45_000 },
            forMs: LONG_MS,
            coordinator: 'c3',
            direction: 'both',
          },
        ],
      ],
    },
  },
];
