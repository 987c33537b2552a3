import { explainMember } from '../client/chosen-members.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { clientOf } from '../options/client-options.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { explainText } from '../views/explain-view.ts';
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
    command.argument('<member>', 'group/name').action((text: string, options: ReadOptions) => {
      const client = clientOf(options, environment);
      return present(clock, outputOf(options), () => explainMember(client, text), explainText);
    });
  },
};
