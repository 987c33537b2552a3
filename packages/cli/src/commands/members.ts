import { chosenMembers } from '../client/chosen-members.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { clientOf } from '../options/client-options.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { membersText } from '../views/members-view.ts';
import { present } from '../watch.ts';

export const members: CommandDefinition = {
  name: 'members',
  summary: 'every member: verdict, instance, why',
  kind: 'read',
  examples: [
    { line: 'understudy members', what: 'all, and instances that are not enrolled for their tags' },
    { line: 'understudy members db', what: 'those of one group' },
    { line: 'understudy members db/one --json', what: 'one, for a script' },
  ],
  define: (command, { clock, environment }) => {
    command
      .argument('[member]', 'only this one (group/name) or this group')
      .action((filter: string | undefined, options: ReadOptions) => {
        const client = clientOf(options, environment);
        const chosen = async () => chosenMembers(await client.membersView(), filter);
        return present(clock, outputOf(options), chosen, (view) => membersText(view.members, view.notEnrolled));
      });
  },
};
