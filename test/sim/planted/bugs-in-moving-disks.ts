import type { Fault } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' };
const plain: PlantedBug['run'] = { seed: 1, days: 0.01, members: 2, faults: [[crash]], reattach: true };

/** S4 and S27, where the disks of a member move. */
export const DISK_BUGS: readonly PlantedBug[] = [
  {
    name: 'attach-before-the-fence',
    rule: 'S27',
    story: 'the disks are taken off at once, while the old instance is only being stopped',
    file: 'recovery/src/volumes/reattach.ts',
    find: "needs: () => ['fence', ...first] },",
    replace: 'needs: () => [] },',
    also: {
      file: 'recovery/src/steps/detach.ts',
      find: 'return takeOff(run, memory, request, instance);',
      replace:
        "return { kind: 'act', text: '', calls: [{ name: 'detach', run: (cloud, options) => cloud.detachVolume(request, options) }] };",
    },
    caughtBy: ['I12'],
    run: plain,
  },
];
