import type { StatusView } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { HEALTH_EXIT, healthOf } from '../health.ts';
import { clientOf } from '../options/client-options.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { statusText } from '../views/status-view.ts';
import { present } from '../watch.ts';

export const status: CommandDefinition = {
  name: 'status',
  summary: 'what is wrong first; then what is going on, who leads, how many members are in which state',
  kind: 'read',
  exits: ['underWay', 'needsPerson', 'leaderless'],
  examples: [
    { line: 'understudy status', what: 'what somebody has to do, if anything' },
    { line: 'understudy status --json --url c1:8080,c2:8080', what: 'for a script; the exit code says the worst' },
    { line: 'understudy status --watch', what: 'until interrupted' },
  ],
  define: (command, { clock, environment }) => {
    command.action(async (options: ReadOptions) => {
      const client = clientOf(options, environment);
      let last: StatusView | null = null;
      const read = async () => (last = await client.status());
      await present(clock, outputOf(options), read, (view) => statusText(view, clock.wallMs()));
      if (last !== null) process.exitCode = HEALTH_EXIT[healthOf(last)];
    });
  },
};
