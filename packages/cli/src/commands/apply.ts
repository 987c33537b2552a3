import {
  type PolicyChange,
  policyChanges,
  PoliciesViewSchema,
  type PolicyView,
  StatusViewSchema,
} from '@understudy/shared';
import { carryOut, printResult } from '../control/carry-out.ts';
import { CommandRefused, ControlClient } from '../control/control-client.ts';
import { withDefaultLadder } from '../control/default-ladder.ts';
import { changeText, readPolicyFile, threeWayText, type WrittenPolicy } from '../control/policy-files.ts';
import type { CommandDefinition } from '../command-definition.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';
import { complain } from '../terminal.ts';

interface ApplyOptions extends MutationOptions {
  readonly file: string;
  readonly dryRun?: boolean;
}

const ownOf = (views: readonly PolicyView[], group: string) => views.find((one) => one.group === group);

function diffText(written: readonly WrittenPolicy[], views: readonly PolicyView[]): string {
  return written
    .map(({ group, policy }) => {
      const changes: readonly PolicyChange[] = policyChanges(ownOf(views, group)?.own ?? {}, policy);
      return [`${group}:`, ...(changes.length === 0 ? ['  no change'] : changes.map((one) => `  ${changeText(one)}`))];
    })
    .flat()
    .join('\n');
}

/** Says what each side has changed, when somebody else was faster. */
function tellConflict(error: unknown, written: readonly WrittenPolicy[], views: readonly PolicyView[]): void {
  if (!(error instanceof CommandRefused) || error.problem.code !== 'REVISION_STALE') return;
  const { group, policy } = error.problem.facts ?? {};
  const mine = written.find((one) => one.group === group);
  if (!mine) return;
  const seen = ownOf(views, mine.group);
  const base = mine.revision === null || mine.revision === seen?.revision ? (seen?.own ?? {}) : null;
  const theirs = typeof policy === 'object' && policy !== null ? policy : {};
  complain(threeWayText({ group: mine.group, base, yours: mine.policy, theirs }));
}

async function run(context: ProgramContext, options: ApplyOptions): Promise<void> {
  const read = readPolicyFile(options.file);
  const client = new ControlClient(context, options);
  const { policies: views } = await client.read(PoliciesViewSchema, '/v1/policies');
  const { featureLevels } = await client.read(StatusViewSchema.pick({ featureLevels: true }), '/v1/status');
  const written = read.map((one) => {
    const there = ownOf(views, one.group);
    return withDefaultLadder(one, there && there.revision > 0 ? there.own : null, featureLevels.inForce);
  });
  const groups = written.map(({ group, policy, revision }) => ({
    ...{ group, policy, revision: revision ?? ownOf(views, group)?.revision ?? 0 },
  }));
  const sent = { method: 'POST', path: '/v1/policies', body: { groups } } as const;
  try {
    if (options.dryRun === true) {
      complain(diffText(written, views));
      printResult(await client.look(sent, options.reason), options);
      return;
    }
    printResult(await carryOut(client, { sent, now: diffText(written, views) }, options), options);
  } catch (error) {
    tellConflict(error, written, views);
    throw error;
  }
}

export const apply: CommandDefinition = {
  name: 'apply',
  summary: 'change the policies of groups from a file: all of them, or none; the difference is shown first',
  kind: 'mutation',
  examples: [
    { line: 'understudy apply -f groups.yaml', what: 'shows what changes (+ - ~), and asks' },
    { line: 'understudy apply -f groups.yaml --dry-run', what: 'only shows it, checked by the leader' },
  ],
  define: (command, context) => {
    command
      .requiredOption(
        '-f, --file <file>',
        'YAML, one group a document, as `get policy` prints it; - reads standard input',
      )
      .option('--dry-run', 'only show what would change')
      .action((options: ApplyOptions) => run(context, options));
  },
};
