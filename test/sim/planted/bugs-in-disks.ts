import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' };

/** Rule S4, where it is about what moves the very disks of a member. */
export const DISK_BUGS: readonly PlantedBug[] = [
  {
    name: 'disks-taken-before-the-fence',
    rule: 'S4',
    story: 'the disks are taken off while the stop is still under way, to be sooner',
    file: 'recovery/src/volumes/reattach.ts',
    find: "needs: () => ['fence'],",
    replace: 'needs: () => [],',
    also: {
      name: 'disks-taken-without-a-look',
      file: 'recovery/src/steps/detach.ts',
      find: "if (instance?.state === 'pending' || instance?.state === 'running')\n    return {",
      replace:
        "if (instance?.state !== 'stopped') return { kind: 'act', text: 'taking it off', calls: [{ name: 'detach', run: (cloud, options) => cloud.detachVolume(place, options) }] };\n  if (instance?.state === 'pending' || instance?.state === 'running')\n    return {",
    },
    caughtBy: ['I12'],
    run: { seed: 1, days: 0.01, members: 2, faults: [[crash]], strategy: 'reattach' },
  },
];
