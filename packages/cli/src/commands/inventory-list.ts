import { InventoryPageSchema } from '@understudy/shared';
import type { CommandDefinition } from '../command-definition.ts';
import { ControlClient } from '../control/control-client.ts';
import { followPages } from '../inventory/follow-pages.ts';
import {
  AT_TEXT,
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
import { pageText } from '../views/inventory-view.ts';
import { present } from '../watch.ts';

interface ListOptions extends ReadOptions {
  readonly id?: string;
  readonly at?: number;
  readonly from?: number;
  readonly end?: number;
  readonly changed?: boolean;
  readonly versions?: boolean;
  readonly where?: readonly string[];
  readonly limit: number;
  readonly cursor?: string;
}

export const inventoryList: CommandDefinition = {
  name: 'inventory list',
  summary: 'resources of a kind as they are, as they were at a time, or every version of a range',
  kind: 'read',
  examples: [
    { line: 'understudy inventory list instance --where State.Name=stopped', what: 'those that are stopped now' },
    {
      line: "understudy inventory list volume --at 2026-11-29T14:02:00 --where 'Tags[understudy:group]=db'",
      what: 'the disks of a group as they were at a time (UTC)',
    },
    { line: 'understudy inventory list security-group --from 7d --changed', what: 'what changed in the last week' },
    { line: 'understudy inventory list instance --id i-0123456789abcdef0 --versions', what: 'every version of one' },
  ],
  define: (command, context) => {
    const moment = parseMoment(() => context.clock.wallMs());
    command
      .argument('<kind>', 'instance, volume, snapshot, interface, address, security-group, subnet, image, …')
      .option('--id <id>', 'only this resource')
      .option('--at <time>', AT_TEXT, moment)
      .option('--from <time>', FROM_TEXT, moment)
      .option('--end <time>', TO_TEXT, moment)
      .option('--changed', 'between --from and --end, only what began or was gone')
      .option('--versions', 'every version there is between --from and --end')
      .option('--where <condition>', WHERE_TEXT, collect)
      .option('--limit <number>', 'so many, at most 500', parseLimit, 100)
      .option('--cursor <text>', 'the page after the one that named it')
      .action(
        (kind: string, { id, at, from, end, changed, versions, where, limit, cursor, ...options }: ListOptions) => {
          const client = new ControlClient(context, options);
          const since = versions === true ? (from ?? 0) : from;
          const of = changed === true ? 'changed' : undefined;
          const page = async (from: { cursor: string | undefined; limit: number }) => {
            const path = pathOf(kindPath(kind), { id, at, since, until: end, of, where, ...from });
            const { versions: items, next } = await client.read(InventoryPageSchema, path);
            return { items, next };
          };
          const read = async () => {
            const { items, next } = await followPages(page, { limit, cursor });
            return { versions: [...items], next };
          };
          return present(context.clock, outputOf(options), read, pageText);
        },
      );
  },
};
