import { InventoryVersionSchema } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { ControlClient } from '../control/control-client.ts';
import { AT_TEXT, kindPath, parseMoment, pathOf } from '../inventory/questions.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { versionText } from '../views/inventory-view.ts';
import { present } from '../watch.ts';

interface ShowOptions extends ReadOptions {
  readonly at?: number;
}

export const inventoryShow: CommandDefinition = {
  name: 'inventory show',
  summary: 'one resource with all its fields, as it is or as it was at a time',
  kind: 'read',
  examples: [
    {
      line: 'understudy inventory show instance i-0123456789abcdef0 --at 2h',
      what: 'what it looked like two hours ago',
    },
  ],
  define: (command, context) => {
    command
      .argument('<kind>', 'instance, volume, snapshot, interface, address, security-group, subnet, image, …')
      .argument('<id>', 'as AWS names it; of a target group its ARN, of a record ZONE/NAME/TYPE')
      .option(
        '--at <time>',
        AT_TEXT,
        parseMoment(() => context.clock.wallMs()),
      )
      .action((kind: string, id: string, { at, ...options }: ShowOptions) => {
        const client = new ControlClient(context, options);
        const path = pathOf(kindPath(kind, '/version'), { id, at });
        return present(context.clock, outputOf(options), () => client.read(InventoryVersionSchema, path), versionText);
      });
  },
};
