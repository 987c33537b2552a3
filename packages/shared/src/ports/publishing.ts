import type { CloudCallOptions } from './cloud.ts';

/** One message for a topic. */
export interface TopicMessage {
  /**
   * The same for every attempt. A FIFO topic drops what it had within five minutes; on a standard
   * one the subscribers have to, so it goes along as the attribute `id`.
   */
  readonly id: string;
  /** Up to 256 KiB in UTF-8, attributes included. */
  readonly body: string;
  /** For mail. Line breaks, control characters and what is beyond ASCII do not survive. */
  readonly subject: string;
  /** Messages with the same one stay in order, where the topic keeps an order (FIFO). */
  readonly orderedBy: string;
  /** For filters of subscriptions; none of them empty. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What a topic says of itself. */
export interface TopicFacts {
  readonly arn: string;
  readonly isFifo: boolean;
  /** The customer's or AWS's key it is encrypted with. Null: it is not encrypted. */
  readonly kmsKey: string | null;
  readonly confirmedSubscriptions: number;
}

/**
 * What we need of one topic of SNS (`topicOver`); one contract suite tests it in process and over
 * HTTP. Every call is sent once. What is not the service's own answer is CLOUD_UNAVAILABLE, or
 * CLOUD_OUTCOME_UNKNOWN of a change (S18).
 */
export interface Topic {
  /**
   * @returns the service's id of the message
   * @throws CLOUD_NOT_FOUND (no such topic), CLOUD_DENIED (the right, or the topic's key),
   * CLOUD_REJECTED (not this message), CLOUD_THROTTLED; CLOUD_OUTCOME_UNKNOWN: it may be out
   */
  publish(message: TopicMessage, options?: CloudCallOptions): Promise<string>;
  /**
   * Publishes nothing: asks for what cannot be carried out, a subject that is too long.
   * @throws CLOUD_DENIED, CLOUD_NOT_FOUND, or whatever else kept it from being refused for that
   */
  tryPublish(options?: CloudCallOptions): Promise<void>;
  /** @throws CLOUD_NOT_FOUND, CLOUD_DENIED */
  facts(options?: CloudCallOptions): Promise<TopicFacts>;
}

/** One event for a bus. */
export interface BusEntry {
  /** `source` of the event; never `aws.…`. */
  readonly source: string;
  /** `detail-type`, up to 128 characters. */
  readonly detailType: string;
  /** A JSON object. EventBridge drops no duplicates: an id belongs in it. */
  readonly detail: string;
  readonly atWallMs: number;
}

/**
 * What we need of one bus of EventBridge (`eventBusOver`); one contract suite tests it in process
 * and over HTTP. Every call is sent once.
 */
export interface EventBus {
  /**
   * An event put on a bus that does not exist is answered with success and dropped: {@link
   * mustExist} is the only way to know.
   * @returns the service's id of the event
   * @throws CLOUD_DENIED, CLOUD_REJECTED (not this event), CLOUD_THROTTLED, CLOUD_UNAVAILABLE (the
   * entry failed at theirs); CLOUD_OUTCOME_UNKNOWN: it may be out
   */
  put(entry: BusEntry, options?: CloudCallOptions): Promise<string>;
  /** Puts nothing: asks for what cannot be carried out, an event without a detail. */
  tryPut(options?: CloudCallOptions): Promise<void>;
  /** @throws CLOUD_NOT_FOUND, CLOUD_DENIED */
  mustExist(options?: CloudCallOptions): Promise<void>;
}
