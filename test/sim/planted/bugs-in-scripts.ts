import type { PlantedBug } from './planted-bug.ts';

/** Rule S35: once for an id, and not after its time. */
export const SCRIPT_BUGS: readonly PlantedBug[] = [
  {
    name: 'guard-by-process',
    rule: 'S35',
    story: 'the once-guard on the instance is named after the process of the script, not the hook',
    file: 'coordinator/src/hooks/once-script.ts',
    find: "`ID='${id.replaceAll(/[^a-z0-9.-]/g, '_')}'`",
    replace: "`ID='${id.replaceAll(/[^a-z0-9.-]/g, '_')}'$$`",
    caughtBy: ['I16'],
    run: {
      ...{ seed: 1, days: 0.003, members: 2, identities: true, commands: true },
      faults: [
        [
          { id: 'cut-m1', kind: 'machine-cut-off', when: { atMs: 45_000 }, forMs: 30_000, member: 'm1' },
          { id: 'cut-m2', kind: 'machine-cut-off', when: { atMs: 400_000 }, forMs: 30_000, member: 'm2' },
        ],
      ],
    },
  },
];
