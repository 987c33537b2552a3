import { HeldViewSchema, parseMemberId } from '@understudy/shared';
import { carryOut, printResult } from '../control/carry-out.ts';
import { ControlClient, type Sent } from '../control/control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';

async function run(context: ProgramContext, text: string, options: MutationOptions): Promise<void> {
  const { member } = parseMemberId(text);
  const client = new ControlClient(context, options);
  const held = await client.read(HeldViewSchema, `/v1/members/${member}/hold`);
  const sent: Sent = {
    ...{ method: 'POST', path: `/v1/members/${member}/hold/release`, body: { revision: held.revision } },
  };
  const now = `now: ${member} is held: ${held.reason}: ${held.text}`;
  printResult(await carryOut(client, { sent, now }, options), options);
}

export const holdRelease: CommandDefinition = {
  name: 'hold release',
  summary: 'try a held recovery again at once, by taking off exactly the hold that is shown',
  kind: 'mutation',
  examples: [
    { line: "understudy hold release db/one --reason 'there is room again'", what: 'it is held again if there is not' },
  ],
  define: (command, context) => {
    command
      .argument('<member>', 'group/name')
      .action((member: string, options: MutationOptions) => run(context, member, options));
  },
};
