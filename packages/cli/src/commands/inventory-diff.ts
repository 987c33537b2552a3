import { InventoryDifferencesSchema } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { ControlClient } from '../control/control-client.ts';
import { followPages } from '../inventory/follow-pages.ts';
import {
  collect,
  FROM_TEXT,
  kindPath,
  parseLimit,
  parseMoment,
  pathOf,
  TO_TEXT,
  WHERE_TEXT,
} from '../inventory/questions.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { differencesText } from '../views/inventory-view.ts';
import { present } from '../watch.ts';

interface DiffOptions extends ReadOptions {
  readonly from: number;
  readonly end?: number;
  readonly id?: string;
  readonly where?: readonly string[];
  readonly limit: number;
  readonly cursor?: string;
}

export const inventoryDiff: CommandDefinition = {
  name: 'inventory diff',
  summary: 'what is different about the resources of a kind between two times, field by field',
  kind: 'read',
  examples: [
    { line: 'understudy inventory diff instance --from 1d', what: 'between yesterday and now' },
    {
      line: 'understudy inventory diff interface --from 2026-11-29T14:00:00 --end 2026-11-29T14:10:00',
      what: 'between two times (UTC)',
    },
  ],
  define: (command, context) => {
    const moment = parseMoment(() => context.clock.wallMs());
    command
      .argument('<kind>', 'instance, volume, snapshot, interface, address, security-group, subnet, image, …')
      .requiredOption('--from <time>', FROM_TEXT, moment)
      .option('--end <time>', TO_TEXT, moment)
      .option('--id <id>', 'only this resource')
      .option('--where <condition>', WHERE_TEXT, collect)
      .option('--limit <number>', 'so many, at most 500', parseLimit, 100)
      .option('--cursor <text>', 'the page after the one that named it')
      .action((kind: string, { from, end, id, where, limit, cursor, ...options }: DiffOptions) => {
        const client = new ControlClient(context, options);
        const page = async (after: { cursor: string | undefined; limit: number }) => {
          const path = pathOf(kindPath(kind, '/differences'), { from, to: end, id, where, ...after });
          const { differences: items, next } = await client.read(InventoryDifferencesSchema, path);
          return { items, next };
        };
        const read = async () => {
          const { items, next } = await followPages(page, { limit, cursor });
          return { differences: [...items], next };
        };
        return present(context.clock, outputOf(options), read, differencesText);
      });
  },
};
