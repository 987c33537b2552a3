import type { PlantedBug } from './planted-bug.ts';

/** One writer: the term is compared in the transaction that writes (docs/inventory.md). */
export const HISTORY_BUGS: readonly PlantedBug[] = [
  {
    name: 'deposed-leader-writes-history',
    rule: 'docs/inventory.md, one writer',
    story: 'a leader that was paused before it wrote its crawl writes it after its successor has written',
    file: 'inventory/src/store/writer-guard.ts',
    find: 'if (written > term)',
    replace: 'if (written > term && written < 0)',
    caughtBy: ['I15'],
    run: {
      ...{ seed: 1, days: 0.003, members: 2, inventory: true },
      faults: [
        [
          {
            ...{ id: 'pause', kind: 'pause-before-call', when: { atMs: 100_000 }, forMs: 60_000 },
            ...{ coordinator: 'c1', call: 'inventory.finish', nth: 1 },
          },
        ],
      ],
    },
  },
];
