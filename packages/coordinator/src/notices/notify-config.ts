import { durationMs } from '@understudy/shared';
import * as z from 'zod';
import { SINK_SECTIONS } from './sinks/registry.ts';

/**
 * Section `notify` of the coordinator's configuration; `docs/notifications.md` is its page. Who is
 * told of changes of state has a list for each kind of sink, at most 8 of each. Default: nobody.
 */
export const NotifyConfigSchema = z.strictObject({
  ...SINK_SECTIONS,
  /** Begins the link in every notice: the address of the dashboard. Default: no link. */
  linkBase: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * A notice that nobody took for so long is put aside, ms. Default 86 400 000 (a day), 60 000 to
   * 604 800 000. Longer rides out longer outages of a receiver; news that old is history.
   */
  giveUpAfterMs: durationMs(86_400_000, 60_000, 604_800_000),
});
