import { explainMember } from '../client/chosen-members.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { clientOf } from '../options/client-options.ts';
import { noticeFrom } from '../options/notice.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { explainFacts, explainText } from '../views/explain-view.ts';
import { present } from '../watch.ts';

export const explain: CommandDefinition = {
  name: 'explain',
  summary: 'why a member is judged as it is: evidence with its age, every gate, what would flip it, the last changes',
  kind: 'read',
  examples: [
    { line: 'understudy explain db/one', what: 'why it is (not) replaced, and what would change that' },
    { line: 'understudy explain db/one --watch', what: 'until interrupted' },
  ],
  define: (command, { clock, environment }) => {
    command.argument('<member>', 'group/name; the beginning will do').action((text: string, options: ReadOptions) => {
      const client = clientOf(options, environment);
      return present(clock, outputOf(options), () => explainMember(client, text), explainText, {
        ...{ facts: explainFacts, notice: noticeFrom(client) },
      });
    });
  },
};
