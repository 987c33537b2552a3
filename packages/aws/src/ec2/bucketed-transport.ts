import {
  type BucketLimit,
  type Clock,
  emptyBucket,
  fullBucket,
  msUntilToken,
  shareOfLimit,
  takeTokens,
  type Timer,
  type TokenBucket,
} from '@understudy/shared';
import { ec2ActionFacts } from './actions.ts';
import { mapEc2Error } from '../transport/map-error.ts';
import { assertMayStart, notSent } from '../transport/not-sent.ts';
import type { Ec2CallOptions, Ec2Transport } from '../transport/transport.ts';

export interface BucketedTransportOptions {
  readonly clock: Clock;
  /**
   * Our share of EC2's own limits, 0..1. A larger share is faster in a mass recovery; a smaller one
   * leaves more for others in the account. Default 0.6.
   */
  readonly share?: number;
  /** Calls that may wait at once. One more fails with CLOUD_THROTTLED, unsent. Default 4 096. */
  readonly maxWaiting?: number;
  /** Requests on the wire at once. Default 48 (the SDK's HTTP agent has 50 sockets). */
  readonly maxInFlight?: number;
}

interface Waiting {
  readonly send: () => void;
}

interface ActionQueue {
  readonly action: string;
  readonly priority: number;
  readonly limit: BucketLimit;
  bucket: TokenBucket;
  /** First in, first out. It is a set, because an aborted call leaves from the middle. */
  readonly waiting: Set<Waiting>;
}

/**
 * Client-side token buckets in front of EC2, one per action, shared by every caller of this
 * process. EC2 counts throttled calls too, so the cheapest refusal is our own. When connections are
 * scarce, RunInstances, StopInstances and TerminateInstances go first, then other mutating calls,
 * then reads. A throttle answer empties the bucket. Nothing is retried.
 */
export class BucketedTransport {
  readonly #inner: Ec2Transport;
  readonly #clock: Clock;
  readonly #share: number;
  readonly #maxWaiting: number;
  readonly #maxInFlight: number;
  /** Queues in order of priority, one per action we use: bounded by the actions table. */
  #queues: ActionQueue[] = [];
  #waitingCount = 0;
  #inFlightCount = 0;
  #timer: Timer | null = null;

  constructor(inner: Ec2Transport, options: BucketedTransportOptions) {
    this.#inner = inner;
    this.#clock = options.clock;
    this.#share = options.share ?? 0.6;
    this.#maxWaiting = options.maxWaiting ?? 4_096;
    this.#maxInFlight = options.maxInFlight ?? 48;
  }

  get waitingCount(): number {
    return this.#waitingCount;
  }

  /** The transport. It waits for a token, then sends once. */
  readonly send: Ec2Transport = async (action, input, options) => {
    const queue = this.#queueOf(action);
    await this.#turn(queue, action, options);
    try {
      assertMayStart(action, options);
      return await this.#inner(action, input, options);
    } catch (error) {
      if (isThrottle(error, action)) queue.bucket = emptyBucket(this.#clock.monotonicMs());
      throw error;
    } finally {
      this.#inFlightCount -= 1;
      this.#dispatch();
    }
  };

  /**
   * Resolves when a token and a connection are ours. Rejects, unsent, on abort or when too many
   * wait.
   */
  #turn(queue: ActionQueue, action: string, options: Ec2CallOptions | undefined): Promise<void> {
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(notSent(action, 'aborted before it was sent', signal.reason));
    if (this.#waitingCount >= this.#maxWaiting) {
      return Promise.reject(notSent(action, `${this.#waitingCount} calls wait already`));
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (!queue.waiting.delete(waiting)) return;
        this.#waitingCount -= 1;
        reject(notSent(action, 'aborted while it waited for a token', signal?.reason));
      };
      const waiting: Waiting = {
        send: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      queue.waiting.add(waiting);
      this.#waitingCount += 1;
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#dispatch();
    });
  }

  /** Sends all calls that may go now, and sets the timer for the next token. */
  #dispatch(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const nowMs = this.#clock.monotonicMs();
    let nextInMs = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues) {
      this.#drain(queue);
      if (this.#inFlightCount >= this.#maxInFlight) return;
      if (queue.waiting.size > 0) nextInMs = Math.min(nextInMs, msUntilToken(queue.bucket, queue.limit, nowMs));
    }
    if (nextInMs < Number.POSITIVE_INFINITY) this.#timer = this.#clock.setTimer(nextInMs, () => this.#dispatch());
  }

  #drain(queue: ActionQueue): void {
    for (const waiting of queue.waiting) {
      if (this.#inFlightCount >= this.#maxInFlight) return;
      const bucket = takeTokens(queue.bucket, queue.limit, this.#clock.monotonicMs());
      if (!bucket) return;
      queue.bucket = bucket;
      queue.waiting.delete(waiting);
      this.#waitingCount -= 1;
      this.#inFlightCount += 1;
      waiting.send();
    }
  }

  #queueOf(action: string): ActionQueue {
    const known = this.#queues.find((queue) => queue.action === action);
    if (known) return known;
    const { burst, refillPerSecond, priority } = ec2ActionFacts(action);
    const limit = shareOfLimit({ burst, refillPerSecond }, this.#share);
    const bucket = fullBucket(limit, this.#clock.monotonicMs());
    const made: ActionQueue = { action, priority, limit, bucket, waiting: new Set() };
    this.#queues = [...this.#queues, made].sort((a, b) => a.priority - b.priority);
    return made;
  }
}

const isThrottle = (error: unknown, action: string): boolean =>
  mapEc2Error(error, { action, mutating: true }).code === 'CLOUD_THROTTLED';
