import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const namesake: Fault = {
  id: 'namesake',
  kind: 'coordinator-namesake',
  when: { atMs: 30_000 },
  forMs: 300_000,
  coordinator: 'c3',
};
const cut = (id: string, coordinator: string): Fault => ({
  id,
  kind: 'net-member-cut',
  when: { atMs: 90_000 },
  forMs: 120_000,
  member: 'm1',
  coordinator,
});
const run = { seed: 1, days: 0.01, members: 4, faults: [[namesake, cut('deaf-namesake', 'c3'), cut('deaf', 'c2')]] };

/** Rule S23: two processes with one id. */
export const IDENTITY_BUGS: readonly PlantedBug[] = [
  {
    name: 'namesake-stands-on-the-others-presence',
    rule: 'S23',
    story: 'that somebody has the id is enough, whoever it is: the deaf one says dead over the alive of the other',
    file: 'coordinator/src/observing/presence.ts',
    find: 'if (this.#standing !== null) this.#setStanding(null);\n        this.#namesake',
    replace:
      'this.#setStanding({ leaseId, compare: { key: this.#key, modRevision: other.modRevision } });\n        this.#namesake',
    caughtBy: ['I11', 'I9'],
    run,
  },
  {
    name: 'opinions-of-who-is-not-present',
    rule: 'S23',
    story: 'opinions compare themselves, and not whether the id is still ours',
    file: 'coordinator/src/observing/opinion-publisher.ts',
    find: 'compare: [standing.compare, ...rows.map(',
    replace: 'compare: [...rows.map(',
    caughtBy: ['I11'],
    run,
  },
];
