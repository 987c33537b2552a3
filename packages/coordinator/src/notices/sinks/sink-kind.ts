import { durationMs, type EventBus, isName, NOTICE_KINDS, type Topic } from '@understudy/shared';
import * as z from 'zod';
import type { ConfiguredSink, Delivery, NoticeMessage, Sink } from '../sink.ts';
import type { Webhook } from '../webhook.ts';

/** A suspicion is over within seconds, one way or the other. */
const TOLD_KINDS = NOTICE_KINDS.filter((kind) => kind !== 'member.suspect');
const name = z.string().refine(isName, 'want 1-63 of a-z 0-9 . _ -, first a letter or digit');

/** The fields that every sink has. */
export const SINK_FIELDS = {
  /** Names it in metrics, records and commands, 1-63 of `a-z 0-9 . _ -`. One name, one sink. */
  name,
  /** The changes that are told. Default: all but `member.suspect`. */
  kinds: z.array(z.enum(NOTICE_KINDS)).min(1).default(TOLD_KINDS),
  /**
   * The groups whose changes are told. Default: all, and what is about no group (leader, problems).
   */
  groups: z.array(name).default([]),
  /**
   * Deadline of one delivery, ms. Default 5 000, 500 to 30 000. Longer waits for slow receivers,
   * shorter gets to the next notice sooner.
   */
  timeoutMs: durationMs(5_000, 500, 30_000),
};

/** Posts one signed body. Never rejects; bounded by the webhook's own time. */
export type PostNotice = (
  webhook: Webhook,
  message: Pick<NoticeMessage, 'id' | 'body'>,
  signal: AbortSignal,
) => Promise<Delivery>;

/** What sinks reach the world through. */
export interface SinkPorts {
  readonly post: PostNotice;
  readonly topic: (topicArn: string, callTimeoutMs: number) => Topic;
  readonly eventBus: (busArn: string, callTimeoutMs: number) => EventBus;
}

/** One kind of sink: what is configured of it, and how it is given a notice. */
export interface SinkKind<Settings extends Sink, Schema extends z.ZodType<Settings> = z.ZodType<Settings>> {
  readonly schema: Schema;
  readonly failing: ConfiguredSink['failing'];
  /** Built once. What it returns never rejects; it is bounded by the sink's own time. */
  readonly open: (
    sink: Settings,
    ports: SinkPorts,
  ) => (message: NoticeMessage, signal: AbortSignal) => Promise<Delivery>;
}
