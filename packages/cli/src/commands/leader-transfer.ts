import { StatusViewSchema } from '@understudy/shared';
import { carryOut, printResult } from '../control/carry-out.ts';
import { ControlClient } from '../control/control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import type { MutationOptions } from '../options/mutation-options.ts';
import type { ProgramContext } from '../program-context.ts';

interface TransferOptions extends MutationOptions {
  readonly to?: string;
}

async function run(context: ProgramContext, options: TransferOptions): Promise<void> {
  const client = new ControlClient(context, options);
  const { leader, recoveries } = await client.read(StatusViewSchema, '/v1/status');
  const who = leader === null ? 'nobody leads' : `${leader.coordinatorId} leads, term ${leader.term}`;
  const now = `now: ${who}; ${recoveries.length} recoveries are open, and go on`;
  const sent = { method: 'POST', path: '/v1/leader/transfer', body: { to: options.to ?? null } } as const;
  printResult(await carryOut(client, { sent, now }, options), options);
}

export const leaderTransfer: CommandDefinition = {
  name: 'leader transfer',
  summary: 'have the leader hand over in order; open recoveries go on under the next one',
  kind: 'mutation',
  examples: [
    { line: 'understudy leader transfer --to c2', what: 'the others leave it the lead, for a moment' },
    { line: "understudy leader transfer --yes --reason 'restart of c1'", what: 'to whoever is elected' },
  ],
  define: (command, context) => {
    command
      .option('--to <coordinator>', 'who should lead next (default: whoever is elected)')
      .action((options: TransferOptions) => run(context, options));
  },
};
