import { InventoryRecoverySchema, parseMemberId } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { ControlClient } from '../control/control-client.ts';
import { pathOf } from '../inventory/questions.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { recoveryText } from '../views/inventory-view.ts';
import { present } from '../watch.ts';

export const inventoryRecovery: CommandDefinition = {
  name: 'inventory recovery',
  summary: 'what was there before a recovery, what is there now, and what was lost',
  kind: 'read',
  examples: [
    { line: 'understudy inventory recovery db/one', what: 'of the last recovery of the member' },
    { line: 'understudy inventory recovery db/one r-0123456789abcdef0-1', what: 'of the one that is named' },
  ],
  define: (command, context) => {
    command
      .argument('<member>', 'group/name')
      .argument('[recovery]', 'its id, as `understudy history --json` has it')
      .action((text: string, opId: string | undefined, options: ReadOptions) => {
        const client = new ControlClient(context, options);
        const path = pathOf(`/v1/members/${parseMemberId(text).member}/inventory`, { opId });
        return present(
          context.clock,
          outputOf(options),
          () => client.read(InventoryRecoverySchema, path),
          recoveryText,
        );
      });
  },
};
