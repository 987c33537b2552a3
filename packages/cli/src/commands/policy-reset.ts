import { PolicyViewSchema } from '@understudy/shared';
import { carryOut, printResult } from '../control/carry-out.ts';
import { ControlClient, type Sent } from '../control/control-client.ts';
import { policyText } from '../control/policy-files.ts';
import type { CommandDefinition } from '../command-definition.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';

async function run(context: ProgramContext, group: string, options: MutationOptions): Promise<void> {
  const client = new ControlClient(context, options);
  const path = `/v1/groups/${encodeURIComponent(group)}/policy`;
  const view = await client.read(PolicyViewSchema, path);
  const sent: Sent = {
    ...{ method: 'POST', path: `${path}/reset`, body: {}, headers: { 'if-match': `"${view.revision}"` } },
  };
  printResult(await carryOut(client, { sent, now: policyText(view), typed: group }, options), options);
}

export const policyReset: CommandDefinition = {
  name: 'policy reset',
  summary: 'give a group the default policy again',
  kind: 'mutation',
  examples: [{ line: 'understudy policy reset db', what: 'shows what is lost, and wants the name of the group typed' }],
  define: (command, context) => {
    command
      .argument('<group>', 'its name')
      .action((group: string, options: MutationOptions) => run(context, group, options));
  },
};
