import type { RecoveriesView } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { clientOf } from '../options/client-options.ts';
import { noticeFrom } from '../options/notice.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import type { Screen } from '../views/screen.ts';
import { recoveriesFacts, recoveriesText } from '../views/recoveries-view.ts';
import { present } from '../watch.ts';

export const recoveries: CommandDefinition = {
  name: 'recoveries',
  summary: 'open recoveries step by step on a timeline: which attempt, what keeps failing; then those that ended',
  kind: 'read',
  examples: [
    { line: 'understudy recoveries', what: 'what is being replaced now, and how far it is' },
    { line: 'understudy recoveries --watch', what: 'until interrupted; the recoveries go on' },
  ],
  define: (command, { clock, environment }) => {
    command.action((options: ReadOptions) => {
      const client = clientOf(options, environment);
      const text = (all: RecoveriesView, screen: Screen) => recoveriesText(all, clock.wallMs(), screen);
      return present(clock, outputOf(options), () => client.recoveries(), text, {
        ...{ facts: recoveriesFacts, notice: noticeFrom(client) },
      });
    });
  },
};
