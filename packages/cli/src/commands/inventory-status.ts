import { InventoryStandingSchema } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { ControlClient } from '../control/control-client.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { standingText } from '../views/inventory-view.ts';
import { present } from '../watch.ts';

export const inventoryStatus: CommandDefinition = {
  name: 'inventory status',
  summary: 'which kinds of resources are kept, since when, and how the last crawl went',
  kind: 'read',
  examples: [
    { line: 'understudy inventory status', what: 'a line a kind, with what keeps a crawl from being complete' },
  ],
  define: (command, context) => {
    command.action((options: ReadOptions) => {
      const client = new ControlClient(context, options);
      const read = () => client.read(InventoryStandingSchema, '/v1/inventory');
      return present(context.clock, outputOf(options), read, standingText);
    });
  },
};
