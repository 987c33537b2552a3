import type { NamedMutant } from '../run-named.ts';

/** Rules about holds, leftovers, and one recovery per instance. */
export const RECOVERY_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'hold-early',
    rule: 'S5',
    story: 'a hold goes with the first write, long before what it held is through',
    edits: [
      {
        file: 'packages/recovery/src/journal.ts',
        find: `return state === 'started' && this.holdRule !== 'release' ? null : this.#hold;`,
        replace: 'return this.#hold;',
      },
    ],
    tests: ['test/scenarios/recovery/hold-stays.test.ts'],
  },
  {
    name: 'collector-unread',
    rule: 'S22',
    story: 'what could not be read counts as gone',
    edits: [
      {
        file: 'packages/recovery/src/collector/collect-sight.ts',
        find: "log.warn('collector.describe_failed', { error: errorText(error) });\n    return null;",
        replace: 'return new Map();',
      },
    ],
    tests: ['test/scenarios/recovery/unread-leftovers.test.ts'],
  },
  {
    name: 'sr-1',
    rule: 'S5',
    story: 'an instance whose recovery has ended is recovered again',
    edits: [
      {
        file: 'packages/coordinator/src/leader/decider.ts',
        find: '    if (earlier) {\n',
        replace: '    if (false && earlier) {\n',
      },
    ],
    tests: ['test/scenarios/coordinator/second-recovery.test.ts'],
  },
  {
    name: 'sr-2',
    rule: 'S5',
    story: 'an intent does not compare whether that recovery has ended',
    edits: [
      {
        file: 'packages/coordinator/src/leader/intent-basis.ts',
        find: '    at(keys.historyEntry(member, opId), history.get(member)?.get(opId)),\n',
        replace: '',
      },
    ],
    tests: ['test/scenarios/coordinator/second-recovery.test.ts'],
  },
  {
    name: 'sr-both',
    rule: 'S5',
    story: 'nothing stops a second recovery of one instance',
    edits: [
      {
        file: 'packages/coordinator/src/leader/decider.ts',
        find: '    if (earlier) {\n',
        replace: '    if (false && earlier) {\n',
      },
      {
        file: 'packages/coordinator/src/leader/intent-basis.ts',
        find: '    at(keys.historyEntry(member, opId), history.get(member)?.get(opId)),\n',
        replace: '',
      },
    ],
    tests: ['test/scenarios/coordinator/second-recovery.test.ts'],
  },
];
