import type { NamedMutant } from '../run-named.ts';

const COMMANDS = 'packages/coordinator/src/commands';
const SCENARIOS = 'test/scenarios/coordinator';

/** Rules about what people may change, and when it counts. */
export const COMMANDS_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'cm-override-any',
    rule: 'S25',
    story: 'an override passes gates that say that too little is known',
    edits: [
      {
        file: 'packages/coordinator/src/judge/overrides.ts',
        find: '  if (!OVERRIDE_RULES[result.gate].may) return result;\n',
        replace: '',
      },
    ],
    tests: ['packages/coordinator/src/judge/overrides.test.ts'],
  },
  {
    name: 'cm-recover-alive',
    rule: 'S25',
    story: 'a recovery is asked for although the member is heard',
    edits: [
      {
        file: `${COMMANDS}/recoveries.ts`,
        find: "(waits || (kind === 'recover' && standing?.act))",
        replace: "(waits || kind === 'recover')",
      },
    ],
    tests: [`${SCENARIOS}/recover-by-command.test.ts`],
  },
  {
    name: 'cm-resume-unseen',
    rule: 'S25',
    story: 'resume ends whatever pause there is now, and not the one that was shown',
    edits: [
      {
        file: `${COMMANDS}/pauses.ts`,
        find: '  if (command.revision !== null && command.revision !== revision) return staleRevision(scope, revision, there);\n',
        replace: '',
      },
    ],
    tests: [`${SCENARIOS}/commands.test.ts`],
  },
  {
    name: 'cm-override-for-ever',
    rule: 'S25',
    story: 'an override that was not carried out hits a failure of another day',
    edits: [
      {
        file: `${COMMANDS}/recoveries.ts`,
        find: 'untilWallMs === undefined || untilWallMs > nowWallMs;',
        replace: 'untilWallMs === undefined || nowWallMs > 0;',
      },
    ],
    tests: [`${SCENARIOS}/recover-by-command.test.ts`],
  },
  {
    name: 'cm-any-plan',
    rule: 'S25',
    story: 'a recovery that was asked for by one plan begins by another',
    edits: [
      {
        file: 'packages/coordinator/src/leader/intent-writer.ts',
        find: 'return record.planToken !== this.#options.planner.tokenOf(chosen, plan);',
        replace: 'return record.planToken === undefined && this.#options.planner.tokenOf(chosen, plan) === null;',
      },
    ],
    tests: [`${SCENARIOS}/recover-by-command.test.ts`],
  },
  {
    name: 'cm-drained-accuses',
    rule: 'S25',
    story: 'a coordinator that is about to be taken away is one of those that call a member dead',
    edits: [
      {
        file: 'packages/coordinator/src/leader/assessor.ts',
        find: 'az: drained.has(coordinatorId) ? null : az,',
        replace: 'az: drained.has(`${coordinatorId}?`) ? null : az,',
      },
    ],
    tests: [`${SCENARIOS}/hand-over-by-command.test.ts`],
  },
  {
    name: 'cm-acknowledged-counts',
    rule: 'S25',
    story: 'a recovery that was acknowledged still keeps the next one waiting',
    edits: [
      {
        file: 'packages/coordinator/src/judge/guard-rates.ts',
        find: ' && !one.acknowledged ?',
        replace: ' ?',
      },
    ],
    tests: [`${SCENARIOS}/recover-by-command.test.ts`],
  },
  {
    name: 'cm-answered-anew',
    rule: 'S25',
    story: 'what was carried out under an idempotency key is forgotten, and is done again',
    edits: [
      {
        file: 'packages/coordinator/src/leader/command-desk.ts',
        find: '...(answer ? [answer] : [])',
        replace: '...(answer ? [] : [])',
      },
    ],
    tests: [`${SCENARIOS}/commands.test.ts`],
  },
];
