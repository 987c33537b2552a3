import { DrainsViewSchema } from '@understudy/shared';
import { carryOut, printResult } from '../control/carry-out.ts';
import { ControlClient } from '../control/control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';

async function run(context: ProgramContext, coordinator: string, options: MutationOptions): Promise<void> {
  const client = new ControlClient(context, options);
  const { drains } = await client.read(DrainsViewSchema, '/v1/drains');
  const there = drains.find((one) => one.coordinatorId === coordinator);
  const now = there ? `now: ${coordinator} is drained by ${there.who}: ${there.why}` : '';
  const body = { revision: there?.revision ?? null };
  const sent = { method: 'POST', path: `/v1/coordinators/${encodeURIComponent(coordinator)}/undrain`, body } as const;
  printResult(await carryOut(client, { sent, now }, options), options);
}

export const undrain: CommandDefinition = {
  name: 'undrain',
  summary: 'let a drained coordinator take part again',
  kind: 'mutation',
  examples: [{ line: 'understudy undrain c2 --yes --reason done', what: 'it leads and accuses as ever' }],
  define: (command, context) => {
    command
      .argument('<coordinator>', 'its id')
      .action((coordinator: string, options: MutationOptions) => run(context, coordinator, options));
  },
};
