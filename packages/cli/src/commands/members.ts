import type { MembersView } from '@understudy/shared';
import { chosenMembers } from '../client/chosen-members.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { clientOf } from '../options/client-options.ts';
import { noticeFrom } from '../options/notice.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { membersFacts, membersText } from '../views/members-view.ts';
import type { Screen } from '../views/screen.ts';
import { present } from '../watch.ts';

export const members: CommandDefinition = {
  name: 'members',
  summary: 'every member: verdict and since when, instance, how many observers hear it, why',
  kind: 'read',
  examples: [
    { line: 'understudy members', what: 'all, and instances that are not enrolled for their tags' },
    { line: 'understudy members db', what: 'those of one group' },
    { line: 'understudy members db/one --json', what: 'one, for a script' },
  ],
  define: (command, { clock, environment }) => {
    command
      .argument('[member|group]', 'only this one (group/name) or this group; the beginning will do')
      .action((filter: string | undefined, options: ReadOptions) => {
        const client = clientOf(options, environment);
        const chosen = async () => chosenMembers(await client.membersView(), filter);
        const text = (view: MembersView, screen: Screen) =>
          membersText(view.members, view.notEnrolled, { nowWallMs: clock.wallMs(), screen });
        return present(clock, outputOf(options), chosen, text, { facts: membersFacts, notice: noticeFrom(client) });
      });
  },
};
