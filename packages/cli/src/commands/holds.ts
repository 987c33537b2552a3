import type { HoldRecord } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { clientOf } from '../options/client-options.ts';
import { noticeFrom } from '../options/notice.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { holdsFacts, holdsText } from '../views/holds-view.ts';
import type { Screen } from '../views/screen.ts';
import { present } from '../watch.ts';

export const holds: CommandDefinition = {
  name: 'holds',
  summary: 'members that are not recovered although they may need it: why, what it means, and every way out',
  kind: 'read',
  examples: [{ line: 'understudy holds', what: 'the oldest first, each with the commands that end it' }],
  define: (command, { clock, environment }) => {
    command.action((options: ReadOptions) => {
      const client = clientOf(options, environment);
      const text = (all: readonly HoldRecord[], screen: Screen) => holdsText(all, clock.wallMs(), screen);
      return present(clock, outputOf(options), () => client.holds(), text, {
        ...{ facts: holdsFacts, notice: noticeFrom(client) },
      });
    });
  },
};
