import { LADDER_RUNGS, parseMemberId, PlansViewSchema, PlanViewSchema } from '@understudy/shared';
import { Option } from 'commander';
import { ControlClient } from '../control/control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { plansText, planText } from '../views/plan-view.ts';
import { present } from '../watch.ts';

interface PlanOptions extends ReadOptions {
  readonly all?: boolean;
  readonly calls?: boolean;
  readonly strategy?: string;
}

export const plan: CommandDefinition = {
  name: 'plan',
  summary: 'what a recovery of a member would do if it began now: steps, calls, time, losses, permissions',
  kind: 'read',
  examples: [
    { line: 'understudy plan db/one', what: 'with the token that runs exactly this plan' },
    { line: 'understudy plan db/one --calls', what: 'with the parameters of each call, as they would be sent' },
    { line: 'understudy plan db/one --strategy reattach', what: 'this way, whatever the ladder would take' },
    { line: 'understudy plan --all', what: 'every member in one line: where to, how long, what is missing' },
  ],
  define: (command, context) => {
    command
      .argument('[member]', 'group/name')
      .option('--all', 'every member by name')
      .option('--calls', 'with the parameters of each call')
      .addOption(new Option('--strategy <way>', 'this way, whatever the ladder would take').choices(LADDER_RUNGS))
      .action((text: string | undefined, options: PlanOptions) => {
        const client = new ControlClient(context, options);
        const output = outputOf(options);
        if ((text === undefined) === (options.all !== true)) command.error('error: name a member, or --all');
        if (text === undefined && options.strategy !== undefined)
          command.error('error: --strategy is for the plan of one member');
        if (text === undefined)
          return present(context.clock, output, () => client.read(PlansViewSchema, '/v1/plans'), plansText);
        const { member } = parseMemberId(text);
        const query = options.strategy === undefined ? '' : `?strategy=${options.strategy}`;
        const read = () => client.read(PlanViewSchema, `/v1/members/${member}/plan${query}`);
        return present(context.clock, output, read, (view) => planText(view, options.calls === true));
      });
  },
};
