import type { NamedMutant } from '../run-named.ts';

const MOVED_DISKS = 'test/scenarios/recovery/moved-disks.test.ts';
const CHOICE = 'packages/recovery/src/core/paths/choose-paths.test.ts';
const OPTIONS = 'packages/recovery/src/core/paths/path-options.ts';

/** Rules about how disks get to a replacement. */
export const PATHS_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'copy-before-the-fence',
    rule: 'S4',
    story: 'disks are copied early to save time, while the old instance still writes',
    edits: [
      { file: 'packages/recovery/src/volumes/copy.ts', find: "needs: () => ['fence']", replace: 'needs: () => []' },
      {
        file: 'packages/recovery/src/steps/copy.ts',
        find: 'return refused ?? (await obstacle(run)) ?? copy(memory, frozen.request);',
        replace: 'return refused ?? copy(memory, frozen.request);',
      },
    ],
    tests: [MOVED_DISKS],
    only: 'before the fence',
  },
  {
    name: 'two-truths-of-one-multi-attach-volume',
    rule: 'S29',
    story: 'a pinned copy is made of a volume that others go on writing to',
    edits: [
      {
        file: OPTIONS,
        find: 'copy: (disk, scene) => (disk.isShared ? SHARED : null) ?? reachObstacle(disk)',
        replace: 'copy: (disk, scene) => reachObstacle(disk)',
      },
    ],
    tests: [MOVED_DISKS],
    only: 'is never copied',
  },
  {
    name: 'snapshot-of-a-multi-attach-volume',
    rule: 'S29',
    story: 'a shared volume is captured like any other, and the copy is served beside it',
    edits: [
      {
        file: OPTIONS,
        find: 'snapshot: ({ isShared, unreachable }) => (isShared ? SHARED : unreachable),',
        replace: 'snapshot: ({ unreachable }) => unreachable,',
      },
    ],
    tests: [CHOICE],
  },
  {
    name: 'loss-beyond-what-is-accepted',
    rule: 'S29',
    story: 'the latest snapshot will do, however old it is',
    edits: [
      {
        file: OPTIONS,
        find: 'if (ageMs <= policy.maxDataLossMs) return null;',
        replace: 'if (ageMs >= 0) return null;',
      },
    ],
    tests: [CHOICE],
  },
  {
    name: 'served-copy-is-a-leftover',
    rule: 'S22',
    story: 'the copy that the replacement serves from is on the books of what is to be removed',
    edits: [
      {
        file: 'packages/recovery/src/volumes/copy.ts',
        find: "state.journal.get(ACTIVATE)?.state === 'done'",
        replace: "state.journal.get(ACTIVATE)?.state === 'failed'",
      },
    ],
    tests: [MOVED_DISKS],
    only: 'under way',
  },
];
