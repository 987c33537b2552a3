import { durationMs } from '@understudy/shared';
import * as z from 'zod';

/** Section `events` of the coordinator's configuration (`docs/events.md`). */
export const EventsConfigSchema = z.strictObject({
  /**
   * URL of the SQS queue to which EventBridge sends the events of EC2, the same for all
   * coordinators. Default none: nothing is read, and everything works by looking alone.
   */
  queueUrl: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * SQS endpoint. Default: `AWS_ENDPOINT_URL_SQS`, else what stands in EC2's place, else the host
   * that the queue's URL names.
   */
  endpoint: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * While events come, the states of members that are well are asked for this often, ms; status
   * checks, of which nothing is told, and members that are not well as ever. Default 30 000, 1 000
   * to 600 000. Longer saves calls; shorter finds sooner what no event told.
   */
  pollStatesEveryMs: durationMs(30_000, 1_000, 600_000),
});
export type EventsConfig = z.infer<typeof EventsConfigSchema>;
