import type { CommandDefinition } from '../command-definition.ts';
import { clientOf } from '../options/client-options.ts';
import { noticeFrom } from '../options/notice.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { leftoversFacts, leftoversText } from '../views/leftovers-view.ts';
import { present } from '../watch.ts';

export const leftovers: CommandDefinition = {
  name: 'leftovers',
  summary: 'what ended recoveries still have to remove or to put in place, and what is in the way',
  kind: 'read',
  examples: [{ line: 'understudy leftovers', what: 'what is kept, until when, and what a person has to remove' }],
  define: (command, { clock, environment }) => {
    command.action((options: ReadOptions) => {
      const client = clientOf(options, environment);
      return present(clock, outputOf(options), () => client.leftovers(), leftoversText, {
        ...{ facts: leftoversFacts, notice: noticeFrom(client) },
      });
    });
  },
};
