import type { EnrolmentsView } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { clientOf } from '../options/client-options.ts';
import { noticeFrom } from '../options/notice.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { enrolmentsFacts, enrolmentsText } from '../views/enrolments-view.ts';
import type { Screen } from '../views/screen.ts';
import { present } from '../watch.ts';

export const enrolmentsList: CommandDefinition = {
  name: 'enrolments list',
  summary: 'which instances were given their key by identity, and who was refused',
  kind: 'read',
  examples: [{ line: 'understudy enrolments list', what: 'by member; then who asked in vain within the last hour' }],
  define: (command, { clock, environment }) => {
    command.action((options: ReadOptions) => {
      const client = clientOf(options, environment);
      const text = (all: EnrolmentsView, screen: Screen) => enrolmentsText(all, clock.wallMs(), screen);
      return present(clock, outputOf(options), () => client.enrolments(), text, {
        ...{ facts: enrolmentsFacts, notice: noticeFrom(client) },
      });
    });
  },
};
