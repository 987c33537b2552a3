import { type MemberView, OperationError, type StatusView } from '@understudy/shared';
import type { CoordinatorClient } from '@understudy/shared/node';
import type { CommandDefinition } from '../command-definition.ts';
import { HEALTH_EXIT, healthOf } from '../health.ts';
import { clientOf } from '../options/client-options.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import type { Screen } from '../views/screen.ts';
import { statusFacts, statusText } from '../views/status-view.ts';
import { present } from '../watch.ts';

interface StatusOptions extends ReadOptions {
  readonly all?: boolean;
}

interface Seen {
  readonly status: StatusView;
  readonly members: readonly MemberView[];
}

/** The status is worth showing without them. */
const membersIfKnown = (client: CoordinatorClient): Promise<readonly MemberView[]> =>
  client.members().catch((error: unknown) => {
    if (error instanceof OperationError) return [];
    throw error;
  });

export const status: CommandDefinition = {
  name: 'status',
  summary: 'one line with the verdict; then what is wrong, what is going on, the groups and the coordinators',
  kind: 'read',
  exits: ['underWay', 'needsPerson', 'leaderless'],
  examples: [
    { line: 'understudy status', what: 'what somebody has to do, if anything' },
    { line: 'understudy status --json --url c1:8080,c2:8080', what: 'for a script; the exit code says the worst' },
    { line: 'understudy status --watch', what: 'until interrupted' },
  ],
  define: (command, { clock, environment }) => {
    command.option('--all', 'every member by name').action(async (options: StatusOptions) => {
      const client = clientOf(options, environment);
      let last: StatusView | null = null;
      const read = async (): Promise<Seen> => {
        const status = (last = await client.status());
        return { status, members: options.json === true ? [] : await membersIfKnown(client) };
      };
      const text = ({ status: view, members }: Seen, screen: Screen): string =>
        statusText(view, clock.wallMs(), { members, screen, all: options.all === true });
      await present(clock, outputOf(options), read, text, {
        facts: (seen) => statusFacts(seen.status),
        json: (seen) => seen.status,
      });
      if (last !== null) process.exitCode = HEALTH_EXIT[healthOf(last)];
    });
  },
};
