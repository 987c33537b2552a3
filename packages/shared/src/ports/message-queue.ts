import type { CloudCallOptions } from './cloud.ts';

/** One delivery of a message. The same message may be delivered again, and in any order. */
export interface QueueMessage {
  readonly messageId: string;
  /** Names this very delivery. That of an earlier one deletes nothing, and is no error. */
  readonly receiptHandle: string;
  /** Null: it is not what was sent, by its checksum. */
  readonly body: string | null;
  /** How often it was delivered, about; null: the service does not say. */
  readonly receiveCount: number | null;
  /** When the service got it, by its clock; null: it does not say. */
  readonly sentAtWallMs: number | null;
}

/** The service's own figures of a queue, all of them approximate. */
export interface QueueAttributes {
  readonly arn: string;
  /** Messages that can be received now. */
  readonly waiting: number;
  /** Messages that were received and are not deleted yet. */
  readonly inFlight: number;
  /** How long a delivery is hidden where the receiver does not say it. */
  readonly visibilityTimeoutMs: number;
  /** Where messages go that were received so often. Null: nowhere. */
  readonly deadLetter: { readonly arn: string; readonly afterReceives: number } | null;
}

export interface ReceiveOptions {
  /** 1 to 10. */
  readonly messagesMax: number;
  /** How long the service waits for a message, 0 to 20 000. */
  readonly waitMs: number;
  /** How long what is delivered stays hidden from others, up to 12 hours. */
  readonly hiddenForMs: number;
}

/**
 * What we need of one queue of SQS. There is one implementation (`messageQueueOver`) over a
 * transport; one contract suite tests it in process and over HTTP. Every call is sent once. What is
 * not the service's own answer is CLOUD_UNAVAILABLE, or CLOUD_OUTCOME_UNKNOWN of a change (S18).
 */
export interface MessageQueue {
  /**
   * Messages that are there, or come while it waits; maybe none although there are some. A reply
   * that is lost leaves its messages hidden until their time is over.
   * @throws CLOUD_NOT_FOUND (no such queue), CLOUD_DENIED, CLOUD_THROTTLED (too many in flight)
   */
  receive(wanted: ReceiveOptions, options?: CloudCallOptions): Promise<readonly QueueMessage[]>;
  /** Idempotent. A copy may come back all the same. @throws CLOUD_REJECTED (no receipt handle) */
  delete(receiptHandle: string, options?: CloudCallOptions): Promise<void>;
  /**
   * Hides a delivery for so long from now; 0 gives it back.
   * @throws CLOUD_REJECTED (it is not hidden any more, or would be for over 12 hours in all)
   */
  hide(receiptHandle: string, hiddenForMs: number, options?: CloudCallOptions): Promise<void>;
  /** @throws CLOUD_NOT_FOUND, CLOUD_DENIED */
  attributes(options?: CloudCallOptions): Promise<QueueAttributes>;
}
