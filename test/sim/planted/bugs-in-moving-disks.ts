import type { Fault, FaultOf } from '../faults/fault.ts';
import type { PlantedBug } from './planted-bug.ts';

const crash: Fault = { id: 'crash', kind: 'guest-crash', when: { atMs: 45_000 }, forMs: 0, member: 'm1' };
const plain: PlantedBug['run'] = { seed: 1, days: 0.01, members: 2, faults: [[crash]], reattach: true };

const moving = { seed: 1, days: 0.01, members: 2 } as const;
/** It boots into nothing, and is ended. */
const spoiled: FaultOf<'spoiled-replacement'> = {
  ...{ id: 'spoil', kind: 'spoiled-replacement', when: { atMs: 40_000 }, forMs: 1_400_000 },
  count: 1,
};
/** Asked for, and given up: a disk gets to its instance a minute later. */
const slowAttach: Fault = {
  ...{ id: 'slow', kind: 'api-late-landing', when: { stage: 'revoke', nth: 1, afterMs: 0 }, forMs: 1_400_000 },
  ...{ action: 'AttachVolume', times: 2, byMs: 60_000 },
};

/** The disk after the root takes a minute to come off. */
const slowDetach: Fault = {
  ...{ id: 'stuck', kind: 'stuck-detach', when: { stage: 'capture', nth: 2, afterMs: 0 }, forMs: 60_000 },
  times: 1,
};

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
  {
    name: 'copy-while-it-may-write',
    rule: 'S29',
    story: 'the disks are copied at once, while the old instance is only being stopped',
    file: 'recovery/src/volumes/copy.ts',
    find: "needs: () => ['fence'] },",
    replace: 'needs: () => [] },',
    also: {
      file: 'recovery/src/steps/copy.ts',
      find: 'return refused ?? (await obstacle(run)) ?? copy(memory, frozen.request);',
      replace: 'return refused ?? copy(memory, frozen.request);',
    },
    caughtBy: ['I12'],
    run: { ...moving, way: 'copies', faults: [[crash]] },
  },
  {
    name: 'copy-of-a-volume-that-others-write-to',
    rule: 'S29',
    story: 'a pinned path is taken, also for a disk that several instances write to',
    file: 'recovery/src/core/paths/path-options.ts',
    find: "copy: (disk, scene) => (disk.isShared ? SHARED : null) ?? reachObstacle(disk) ?? zoneObstacle(disk, scene, 'copy'),",
    replace: "copy: (disk, scene) => reachObstacle(disk) ?? zoneObstacle(disk, scene, 'copy'),",
    caughtBy: ['I12'],
    run: { ...moving, way: 'copies', shared: true, faults: [[crash]] },
  },
  {
    name: 'end-of-an-attempt-that-has-the-disks',
    rule: 'S27',
    story: 'EC2 lets go of the disks when a failed attempt is terminated: they need not be seen to come off',
    file: 'recovery/src/steps/given-back.ts',
    find: 'if (lent.length === 0 ||',
    replace: 'if (lent.length >= 0 ||',
    caughtBy: ['I12'],
    run: { ...plain, faults: [[crash, spoiled]] },
  },
  {
    name: 'start-before-all-disks-are-seen',
    rule: 'S27',
    story: 'the machine is started as soon as it has its root: the others follow',
    file: 'recovery/src/steps/assemble.ts',
    find: 'if (!isWhole || calls.length > 0)',
    replace: "if (calls.length > 0 || waits.some((one) => !one.includes('detaching')))",
    also: {
      file: 'recovery/src/strategies/reattach.ts',
      find: "needs: (n) => ['fence', ...idsOf(later), stepId('seed', n)] },",
      replace: "needs: (n) => ['fence', ...idsOf(later).slice(0, 1), stepId('seed', n)] },",
    },
    caughtBy: ['I12'],
    run: { ...plain, faults: [[crash, slowDetach]] },
  },
  {
    name: 'given-up-with-a-disk-missing',
    rule: 'S27',
    story: 'the next way begins once the disks were asked to come back',
    file: 'recovery/src/steps/giveback.ts',
    find: 'if (away.length === 0 && calls.length === 0) return end(run, memory, request, []);',
    replace: 'if (memory.askedAtMs.size > 0) return end(run, memory, request, []);',
    caughtBy: ['I12'],
    run: { ...plain, faults: [[crash, { ...spoiled, count: 20 }, slowAttach]] },
  },
];
