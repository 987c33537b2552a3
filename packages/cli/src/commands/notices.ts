import type { NoticesView } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { clientOf } from '../options/client-options.ts';
import { noticeFrom } from '../options/notice.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { noticesFacts, noticesText } from '../views/notices-view.ts';
import type { Screen } from '../views/screen.ts';
import { present } from '../watch.ts';

export const notices: CommandDefinition = {
  name: 'notices',
  summary: 'what webhooks are still to be told, and what they did not take',
  kind: 'read',
  examples: [{ line: 'understudy notices', what: 'what was given up first, with the reason; then what waits' }],
  define: (command, { clock, environment }) => {
    command.action((options: ReadOptions) => {
      const client = clientOf(options, environment);
      const text = (all: NoticesView, screen: Screen) => noticesText(all, clock.wallMs(), screen);
      return present(clock, outputOf(options), () => client.notices(), text, {
        ...{ facts: noticesFacts, notice: noticeFrom(client) },
      });
    });
  },
};
