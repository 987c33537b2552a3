import type { HistoryRecord } from '@understudy/shared';
import { memberMeant } from '../client/chosen-members.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { clientOf } from '../options/client-options.ts';
import { noticeFrom } from '../options/notice.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { parseDuration } from '../options/parsers.ts';
import { historyFacts, historyText } from '../views/history-view.ts';
import type { Screen } from '../views/screen.ts';
import { present } from '../watch.ts';

interface HistoryOptions extends ReadOptions {
  readonly since?: number;
}

/** As many as a coordinator gives at once. */
const LIMIT = 1_000;

export const history: CommandDefinition = {
  name: 'history',
  summary: 'recoveries that ended, the newest first: outcome, how long, how the old instance was fenced, what was lost',
  kind: 'read',
  examples: [
    { line: 'understudy history', what: 'all that are kept' },
    { line: 'understudy history db/one --since 7d', what: 'of one member, in the last week' },
  ],
  define: (command, { clock, environment }) => {
    command
      .argument('[member]', 'only its (group/name); the beginning will do')
      .option('--since <duration>', 'only what happened in this time, such as 30m, 2h, 7d', parseDuration)
      .action(async (asked: string | undefined, options: HistoryOptions) => {
        const client = clientOf(options, environment);
        const read = async (): Promise<readonly HistoryRecord[]> => {
          const member = asked === undefined ? null : await memberMeant(client, asked);
          const from = options.since === undefined ? 0 : clock.wallMs() - options.since;
          return (await client.history(member, LIMIT)).filter((one) => one.endedAtWallMs >= from);
        };
        const text = (all: readonly HistoryRecord[], screen: Screen) => historyText(all, clock.wallMs(), screen);
        await present(clock, outputOf(options), read, text, { facts: historyFacts, notice: noticeFrom(client) });
      });
  },
};
