import { durationText, parseMemberId, type PlanView, PlanViewSchema } from '@understudy/shared';
import { ControlClient } from '../control/control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { present } from '../watch.ts';

function planText(view: PlanView): string {
  const { member, verdict, reason, gates, token, lines, losses, problems, expectedMs } = view;
  const holding = gates.filter((one) => !one.passes);
  const overrides = holding.filter((one) => one.overridable).map((one) => ` --override ${one.gate}`);
  return [
    `${member} is ${verdict}: ${reason}`,
    ...lines.map(({ sign, text }) => `${sign} ${text}`),
    ...losses.map(({ code, text }) => `! ${code}: ${text}`),
    ...problems.map(({ code, text }) => `no plan: ${code}: ${text}`),
    ...holding.map(({ gate, text, overridable, because }) => {
      const way = overridable ? `--override ${gate}` : `never overridden: ${because}`;
      return `held by ${gate}: ${text} (${way})`;
    }),
    'lost in any case: what stood in memory only, as with a power cut',
    `takes: ${expectedMs === null ? 'not known, none of this group has ended' : `about ${durationText(expectedMs)}`}`,
    ...(token === null ? [] : [`run it: understudy recover ${member} --plan ${token}${overrides.join('')}`]),
  ].join('\n');
}

export const plan: CommandDefinition = {
  name: 'plan',
  summary: 'what a recovery of a member would do if it began now: what goes, comes, moves and is lost',
  kind: 'read',
  examples: [{ line: 'understudy plan db/one', what: 'with the token that runs exactly this plan' }],
  define: (command, context) => {
    command.argument('<member>', 'group/name').action((text: string, options: ReadOptions) => {
      const { member } = parseMemberId(text);
      const client = new ControlClient(context, options);
      const read = () => client.read(PlanViewSchema, `/v1/members/${member}/plan`);
      return present(context.clock, outputOf(options), read, planText);
    });
  },
};
