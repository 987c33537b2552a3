import type { NamedMutant } from '../run-named.ts';

/** Rules about whether this instance may serve. */
export const AGENT_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'ag-half',
    rule: 'S9',
    story: 'a workload whose activation half failed counts as withdrawn',
    edits: [
      {
        file: 'packages/agent/src/activation-applier.ts',
        find: "    this.#workload = 'unknown';\n    const { outputs, log } = this.#parts;\n",
        replace: '    const { outputs, log } = this.#parts;\n',
      },
    ],
    tests: ['packages/agent/src/half-told.test.ts'],
  },
  {
    name: 'ag-break',
    rule: 'S9',
    story: 'the hook runs although the target could not be started',
    edits: [
      {
        file: 'packages/agent/src/activation-applier.ts',
        find: 'if (serving && (failures.length > 0 || !isLatest())) break;',
        replace: 'if (serving && !isLatest()) break;',
      },
    ],
    tests: ['packages/agent/src/half-told.test.ts'],
  },
  {
    name: 'ag-break2',
    rule: 'S9',
    story: 'the hook activates although the instance was fenced meanwhile',
    edits: [
      {
        file: 'packages/agent/src/activation-applier.ts',
        find: 'if (serving && (failures.length > 0 || !isLatest())) break;',
        replace: 'if (serving && failures.length > 0) break;',
      },
    ],
    tests: ['packages/agent/src/half-told.test.ts'],
  },
  {
    name: 'ag-order',
    rule: 'S9',
    story: 'a withdrawal stops at the first of its two ways that fails',
    edits: [
      {
        file: 'packages/agent/src/activation-applier.ts',
        find: 'if (serving && (failures.length > 0 || !isLatest())) break;',
        replace: 'if (failures.length > 0 || !isLatest()) break;',
      },
    ],
    tests: ['packages/agent/src/half-told.test.ts'],
  },
  {
    name: 'ag-unknown-decide+weigh',
    rule: 'S9',
    story: 'an unknown answer is taken for an active one',
    edits: [
      {
        file: 'packages/agent/src/core/answers.ts',
        find: `if (answer.activation === 'unknown' || answer.rank`,
        replace: 'if (answer.rank',
      },
      {
        file: 'packages/agent/src/agent.ts',
        find: "if (!answer || answer.activation === 'unknown') return this.#step({ kind: 'unknown' });\n    this.#step({ kind: answer.activation, answer });",
        replace:
          "if (!answer) return this.#step({ kind: 'unknown' });\n    this.#step({ kind: answer.activation === 'unknown' ? 'active' : answer.activation, answer });",
      },
    ],
    tests: ['packages/agent/src/half-told.test.ts'],
  },
  {
    name: 'ag-unknown-table',
    rule: 'S9',
    story: 'without a decided answer the first coordinator’s counts as active',
    edits: [
      {
        file: 'packages/agent/src/agent.ts',
        find: `if (!answer || answer.activation === 'unknown') return this.#step({ kind: 'unknown' });`,
        replace: `if (!answer) return this.#step(links[0] ? { kind: 'active', answer: links[0].answer } : { kind: 'unknown' });`,
      },
    ],
    tests: ['packages/agent/src/half-told.test.ts'],
  },
];
