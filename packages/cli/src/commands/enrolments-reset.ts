import { EnrolmentsViewSchema, parseMemberId } from '@understudy/shared';
import { carryOut, printResult } from '../control/carry-out.ts';
import { ControlClient, type Sent } from '../control/control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';

async function run(context: ProgramContext, text: string, options: MutationOptions): Promise<void> {
  const { member } = parseMemberId(text);
  const client = new ControlClient(context, options);
  const { enrolments } = await client.read(EnrolmentsViewSchema, '/v1/enrolments');
  const found = enrolments.find((one) => one.member === member);
  const sent: Sent = {
    ...{ method: 'POST', path: `/v1/enrolments/${member}/reset`, body: { revision: found?.revision ?? 1 } },
  };
  const now = found
    ? `now: ${found.instanceId} at ${found.address} has the key of ${member} (agent ${found.publicKey})`
    : `now: no instance of ${member} has enrolled, as far as is shown`;
  printResult(await carryOut(client, { sent, now }, options), options);
}

export const enrolmentsReset: CommandDefinition = {
  name: 'enrolments reset',
  summary: 'let another agent on the instance of a member ask for its key',
  kind: 'mutation',
  examples: [
    {
      line: "understudy enrolments reset db/one --reason 'its disk was made anew'",
      what: 'the next agent with a good document is given the key; what was given goes on working',
    },
  ],
  define: (command, context) => {
    command
      .argument('<member>', 'group/name')
      .action((member: string, options: MutationOptions) => run(context, member, options));
  },
};
