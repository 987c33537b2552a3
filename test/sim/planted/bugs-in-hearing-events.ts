import type { PlantedBug } from './planted-bug.ts';

const STATED =
  "{ instanceId, state: 'stopped', stateReasonCode: 'Server.InternalError', tags: {}, launchedAtWallMs: 0 }";

/** Rule S33: an event is a hint. */
export const EVENT_BUGS: readonly PlantedBug[] = [
  {
    name: 'event-taken-for-proof',
    rule: 'S33',
    story: 'what an event says of an instance is kept as if EC2 had answered it, and saves the call',
    file: 'coordinator/src/leader/jobs/cloud-events.ts',
    find: 'const answered = await evidence.hinted(az, looks, signal);',
    replace: 'const answered = ids.filter((id) => evidence.believe(id));',
    also: {
      file: 'coordinator/src/leader/ec2-evidence.ts',
      find: '  /** AZs whose last question failed. */',
      replace: `  believe(instanceId) {
    const cloud = { readAtMs: this.#clock.monotonicMs(), instance: ${STATED} };
    this.#known.set(instanceId, { ...this.of(instanceId), cloud });
    return true;
  }
  /** AZs whose last question failed. */`,
    },
    caughtBy: ['I9'],
    run: {
      ...{ seed: 1, days: 0.01, members: 2, events: 'on' },
      faults: [[{ id: 'stop', kind: 'operator-stop', when: { atMs: 45_000 }, forMs: 900_000, member: 'm1' }]],
    },
  },
];
