import type { NamedMutant } from '../run-named.ts';

/** Rules about what a replacement gets from its predecessor. */
export const CARRIED_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'co-swap-snapshots',
    rule: 'S6',
    story: 'data volumes get each other’s snapshots',
    edits: [
      {
        file: 'packages/recovery/src/steps/launch.ts',
        find: 'disks.flatMap(({ volume, source }) =>',
        replace:
          'disks.map((one, i, all) => ({ ...one, source: all[(i % (all.length - 1)) + 1 === all.length ? 1 : i === 0 ? 0 : (i % (all.length - 1)) + 1].source })).flatMap(({ volume, source }) =>',
      },
    ],
    tests: ['test/scenarios/recovery/carried-over.test.ts'],
  },
  {
    name: 'co-image-adopted',
    rule: 'S6',
    story: 'an image of another snapshot is adopted for its name',
    edits: [
      {
        file: 'packages/recovery/src/steps/image.ts',
        find: 'if (image.rootSnapshotId !== null && image.rootSnapshotId !== rootSnapshotId) {',
        replace: 'if (false) {',
      },
    ],
    tests: ['test/scenarios/recovery/carried-over.test.ts'],
  },
  {
    name: 'co-reply-lacks',
    rule: 'S6',
    story: 'a reply of CreateSnapshots that lacks a volume is taken',
    edits: [
      {
        file: 'packages/recovery/src/steps/capture.ts',
        find: 'const missing = missingVolumes(captured(run), set);',
        replace: 'const missing: string[] = [];',
      },
    ],
    tests: ['test/scenarios/recovery/carried-over.test.ts'],
  },
  {
    name: 'co-root-of-image',
    rule: 'S6',
    story: 'the image is made from a data volume’s snapshot',
    edits: [
      {
        file: 'packages/recovery/src/steps/image.ts',
        find: 'run.plan.volumes.find((volume) => volume.isRoot)',
        replace: 'run.plan.volumes.find((volume) => !volume.isRoot)',
      },
    ],
    tests: ['test/scenarios/recovery/carried-over.test.ts'],
  },
  {
    name: 'co-protect-none',
    rule: 'S6',
    story: 'no protection is restored',
    edits: [
      {
        file: 'packages/recovery/src/core/fidelity/protection.ts',
        find: `stop || termination ? [{ kind: 'protect', instanceId, stop, termination }] : []`,
        replace: '[]',
      },
    ],
    tests: ['test/scenarios/recovery/carried-over.test.ts'],
  },
  {
    name: 'co-protect-termination',
    rule: 'S6',
    story: 'termination protection is not restored',
    edits: [
      {
        file: 'packages/recovery/src/core/fidelity/protection.ts',
        find: `[{ kind: 'protect', instanceId, stop, termination }]`,
        replace: `[{ kind: 'protect', instanceId, stop, termination: false }]`,
      },
    ],
    tests: ['test/scenarios/recovery/carried-over.test.ts'],
  },
  {
    name: 'co-protect-stop',
    rule: 'S6',
    story: 'stop protection is not restored',
    edits: [
      {
        file: 'packages/recovery/src/core/fidelity/protection.ts',
        find: `[{ kind: 'protect', instanceId, stop, termination }]`,
        replace: `[{ kind: 'protect', instanceId, stop: false, termination }]`,
      },
    ],
    tests: ['test/scenarios/recovery/carried-over.test.ts'],
  },
  {
    name: 'co-unprotect-old',
    rule: 'S6',
    story: 'the retired instance keeps its termination protection for ever',
    edits: [
      {
        file: 'packages/recovery/src/steps/done.ts',
        find: 'if (run.plan.protection.termination && fencedBy(run)',
        replace: 'if (false && fencedBy(run)',
      },
    ],
    tests: ['test/scenarios/recovery/carried-over.test.ts'],
  },
  {
    name: 'co-sdc',
    rule: 'S6',
    story: 'the source/destination check is not restored',
    edits: [
      {
        file: 'packages/recovery/src/steps/permit.ts',
        find: 'if (made.sourceDestCheck === wanted) return done;',
        replace: 'return done;',
      },
    ],
    tests: ['test/scenarios/recovery/carried-over.test.ts'],
  },
  {
    name: 'co-sdc2',
    rule: 'S6',
    story: 'the source/destination check is always on',
    edits: [
      {
        file: 'packages/recovery/src/steps/permit.ts',
        find: 'const wanted = launchPlanOf(run.plan).sourceDestCheck;',
        replace: 'const wanted = true;',
      },
    ],
    tests: ['test/scenarios/recovery/carried-over.test.ts'],
  },
];
