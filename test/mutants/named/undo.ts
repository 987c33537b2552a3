import type { NamedMutant } from '../run-named.ts';

const SCENE = 'test/scenarios/recovery/undo.test.ts';
const DECISION = 'packages/recovery/src/core/undo/undo-decision.test.ts';
const DECIDES = 'packages/recovery/src/core/undo/undo-decision.ts';

/** S30: what puts a recovery back. */
export const UNDO_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'undo-without-fence',
    rule: 'S30',
    story: 'the retired instance is started while the other one still serves',
    edits: [
      {
        file: 'packages/recovery/src/strategies/undo.ts',
        find: "{ step: BRINGBACK, needs: () => ['fence'] },",
        replace: '{ step: BRINGBACK, needs: () => [] },',
      },
      {
        file: 'packages/recovery/src/steps/bringback.ts',
        find: "if (how !== 'stopped' && how !== 'terminated')",
        replace: "if (how === 'lease')",
      },
    ],
    tests: [SCENE],
  },
  {
    name: 'undo-while-the-disks-have-moved',
    rule: 'S30',
    story: 'a machine without its disks is to serve again',
    edits: [
      { file: DECIDES, find: 'if (undo.movedVolumeIds.length > 0)', replace: 'if (undo.movedVolumeIds.length > 99)' },
    ],
    tests: [DECISION],
  },
  {
    name: 'undo-under-a-used-name',
    rule: 'S30',
    story: 'the next recovery of the instance has the name and the tokens of an earlier one',
    edits: [
      {
        file: 'packages/recovery/src/steps/activate.ts',
        find: 'isUndo(plan) ? plan.undo.ordinal : 0',
        replace: 'isUndo(plan) ? 0 : 0',
      },
    ],
    tests: [SCENE],
    only: 'has the retired instance serve again',
  },
  {
    name: 'undo-beside-a-late-stop',
    rule: 'S30',
    story: 'a Stop of an undo that was called off stops the instance that serves again',
    edits: [{ file: DECIDES, find: '...calledOff.map((one) => one.endedAtWallMs),', replace: '' }],
    tests: [DECISION],
  },
  {
    name: 'undo-late-start-forgotten',
    rule: 'S30',
    story: 'a start that lands after its undo was called off runs the retired instance for good',
    edits: [
      {
        file: 'packages/recovery/src/core/undo/late-start.ts',
        find: "if (state === 'running' || state === 'pending')",
        replace: "if (state === 'stopping' && nowWallMs < 0)",
      },
    ],
    tests: ['packages/recovery/src/core/undo/late-start.test.ts'],
  },
  {
    name: 'undo-late-start-of-who-is-in-charge',
    rule: 'S30',
    story: 'an instance that is in charge by now is stopped for having been started late',
    edits: [
      {
        file: 'packages/recovery/src/core/undo/late-start.ts',
        find: "if (isInCharge) return 'settle';",
        replace: "if (isInCharge && state === null) return 'settle';",
      },
    ],
    tests: ['packages/recovery/src/core/undo/late-start.test.ts', 'test/scenarios/recovery/undo-late-start.test.ts'],
  },
];
