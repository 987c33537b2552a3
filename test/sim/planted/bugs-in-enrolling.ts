import type { PlantedBug } from './planted-bug.ts';

const RUN: PlantedBug['run'] = { seed: 3, days: 0.003, members: 4, enrols: true, faults: [[]] };

/** Rule S34: a key is given to an instance, and not to whoever shows its document. */
export const ENROLLING_BUGS: readonly PlantedBug[] = [
  {
    name: 'document-is-good-from-anywhere',
    rule: 'S34',
    story: 'the other end of the connection is not compared: a document that leaked is a key',
    file: 'coordinator/src/identity/decide-key-enrolment.ts',
    find: 'if (address !== privateIp && !own.includes(address))',
    replace: "if (address === 'none' && !own.includes(address))",
    caughtBy: ['I17'],
    run: RUN,
  },
];
