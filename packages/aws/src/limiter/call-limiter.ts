import {
  type BucketLimit,
  type CallUrgency,
  type Clock,
  type Log,
  type Problem,
  problemOf,
  shareOfLimit,
  THROTTLE_CODES,
  type Timer,
} from '@understudy/shared';
import { mapEc2Error } from '../transport/map-error.ts';
import { assertMayStart, notSent } from '../transport/not-sent.ts';
import type { Ec2CallOptions, Ec2Transport } from '../transport/transport.ts';
import { ActionBucket } from './action-bucket.ts';
import { type CallRates, resourcesOf } from './call-rates.ts';
import { FairQueue } from './fair-queue.ts';
import { Lane } from './lane.ts';

export interface CallLimiterOptions {
  readonly clock: Clock;
  /** Name of the service whose rates they are, for people. */
  readonly service: string;
  readonly ratesOf: (action: string) => CallRates;
  readonly log?: Log;
  /**
   * Our share of the service's own limits, 0..1. A larger share is faster in a mass recovery; a
   * smaller one leaves more for others in the account. Default 0.6.
   */
  readonly share?: number;
  /** Rates that AWS has raised, by action. They stand in place of the documented ones. */
  readonly raised?: Readonly<Record<string, BucketLimit>>;
  /**
   * Calls that may wait at once. One more fails with CLOUD_THROTTLED, unsent. Chores may take half
   * of it, usual calls seven eighths. Default 4 096.
   */
  readonly maxWaiting?: number;
  /** Requests on the wire at once. Default 48 (the SDK's HTTP agent has 50 sockets). */
  readonly maxInFlight?: number;
}

/** How things stand with one action. */
export interface ActionState {
  readonly service: string;
  /** An action, or the name of a bucket that several draw from. */
  readonly action: string;
  /** Calls that could be sent at once. */
  readonly tokens: number;
  readonly waiting: number;
  /** How long the first of the waiting calls has waited. Chores do not count. 0: none waits. */
  readonly longestWaitMs: number;
  /** Answers of EC2 since the start. */
  readonly throttled: number;
  /** What is used of our share, 0..1. */
  readonly pace: number;
}

interface Waiting {
  readonly urgency: CallUrgency;
  readonly caller: string;
  readonly resources: number;
  readonly sinceMs: number;
  readonly options: Ec2CallOptions | undefined;
  readonly send: () => void;
  readonly refuse: (error: unknown) => void;
}

interface ActionQueue {
  readonly action: string;
  /** Empty: all calls of the action stand in one queue. */
  readonly lane: string;
  readonly rates: CallRates;
  /** Its own. */
  readonly bucket: ActionBucket;
  /** Those that other actions draw from, too. */
  readonly shared: readonly ActionBucket[];
  readonly oneByOne: Lane | null;
  readonly waiting: FairQueue<Waiting>;
}

/** The longest wait at any of its buckets and its lane, ms. 0: the call may leave now. */
const msUntil = ({ bucket, shared, oneByOne }: ActionQueue, resources: number, nowMs: number): number =>
  Math.max(
    bucket.msUntil(resources, nowMs),
    ...shared.map((one) => one.msUntil(1, nowMs)),
    oneByOne?.msUntil(nowMs) ?? 0,
  );

/** A queue, and which of its calls may leave. */
interface Turn {
  readonly queue: ActionQueue;
  readonly head: Waiting;
  /** As whom the queue stands beside others: a chore whose turn it is holds up nobody. */
  readonly for: Waiting;
}

/**
 * Which call of a queue may leave now; null: none. Where the turn is that of a chore which needs
 * more tokens than there are, the most urgent call goes meanwhile.
 */
function turnIn(queue: ActionQueue, nowMs: number): Turn | null {
  const [head, urgent] = [queue.waiting.head(), queue.waiting.mostUrgent()];
  if (head === null || urgent === null) return null;
  for (const one of [head, urgent])
    if (msUntil(queue, one.resources, nowMs) <= 0) return { queue, head: one, for: urgent };
  return null;
}

const RANK: Readonly<Record<CallUrgency, number>> = { safety: 0, usual: 1, chore: 2 };
const ROOM: Readonly<Record<CallUrgency, number>> = { safety: 1, usual: 7 / 8, chore: 1 / 2 };

/** Our share of a limit where the configuration names none. */
const SHARE = 0.6;

/** A call that is no chore and waits for longer than this is told as a problem. */
const STARVING_MS = 60_000;

/**
 * Client-side token buckets in front of one service, per action, shared by every caller of this
 * process, which has one account and one Region. EC2 counts throttled calls too, so the cheapest
 * refusal is our own. Calls are ordered by {@link FairQueue}. Nothing is retried.
 *
 * **S** Waiting changes nothing about whether a call may be sent: `signal`, `notAfterMs` and
 * `mayStart` are asked when its turn comes, before it takes a token, and again right before it
 * leaves.
 */
export class CallLimiter {
  readonly #options: CallLimiterOptions;
  readonly #clock: Clock;
  readonly #maxWaiting: number;
  readonly #maxInFlight: number;
  /** One per action we use, and lane in use: bounded by the actions table and by what waits. */
  #queues: readonly ActionQueue[] = [];
  /** By the name of an action, or of what several draw from. */
  readonly #buckets = new Map<string, ActionBucket>();
  #waitingCount = 0;
  #inFlightCount = 0;
  #timer: Timer | null = null;

  constructor(options: CallLimiterOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#maxWaiting = options.maxWaiting ?? 4_096;
    this.#maxInFlight = options.maxInFlight ?? 48;
  }

  get waitingCount(): number {
    return this.#waitingCount;
  }

  /** Calls that are no chores wait for their turn. */
  get isContended(): boolean {
    return this.#queues.some(({ waiting }) => {
      for (const one of waiting) if (one.urgency !== 'chore') return true;
      return false;
    });
  }

  /** Our share of the calls of this action that the service allows. */
  limitOf(action: string): BucketLimit {
    const { raised, share = SHARE } = this.#options;
    return shareOfLimit(raised?.[action] ?? this.#options.ratesOf(action).requests, share);
  }

  /** How things stand with each action that was used, or what several draw from. */
  states(): readonly ActionState[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#buckets].map(([action, bucket]) => {
      const all = this.#queues.filter((queue) => queue.bucket === bucket).flatMap(({ waiting }) => [...waiting]);
      const urgent = all.filter((one) => one.urgency !== 'chore');
      const longestWaitMs = urgent.reduce((longest, one) => Math.max(longest, nowMs - one.sinceMs), 0);
      const { throttledCount: throttled } = bucket;
      return {
        ...{ service: this.#options.service, action, tokens: bucket.tokens(nowMs), waiting: all.length },
        ...{ longestWaitMs, throttled, pace: bucket.pace(nowMs) },
      };
    });
  }

  /** Calls that are no chores have waited for their turn for a minute. */
  problem(): Problem | null {
    const starving = this.states().filter((one) => one.longestWaitMs > STARVING_MS);
    const [first] = starving.toSorted((a, b) => b.longestWaitMs - a.longestWaitMs);
    if (!first) return null;
    const slowed =
      first.pace < 1
        ? `; ${first.service} has throttled it, so we use ${Math.round(first.pace * 100)} % of our share`
        : '';
    const waits = `${first.waiting} calls wait, one of them for ${Math.round(first.longestWaitMs / 1_000)} s`;
    return problemOf('CLOUD_RATE_STARVED', `${first.action}: ${waits}${slowed}`);
  }

  /** A transport that waits for its turn, then sends once. */
  limited(inner: Ec2Transport): Ec2Transport {
    return async (action, input, options) => {
      const queue = this.#queueOf(action, input);
      await this.#turn(queue, (queue.rates.priceOf ?? resourcesOf)(input), options);
      let code: string | null = null;
      try {
        this.#assertInTime(action, options);
        assertMayStart(action, options);
        return await inner(action, input, options);
      } catch (error) {
        code = codeOf(error, action);
        if (RATE_CODES.has(code)) this.#throttled(queue);
        throw error;
      } finally {
        queue.oneByOne?.answered(code, this.#clock.monotonicMs());
        this.#inFlightCount -= 1;
        this.#dispatch();
      }
    };
  }

  #assertInTime(action: string, options: Ec2CallOptions | undefined): void {
    const { notAfterMs = Number.POSITIVE_INFINITY } = options ?? {};
    if (this.#clock.monotonicMs() > notAfterMs) throw notSent(action, 'its time was over before its turn came');
  }

  #throttled({ action, bucket, shared }: ActionQueue): void {
    const nowMs = this.#clock.monotonicMs();
    const before = bucket.pace(nowMs);
    for (const one of [bucket, ...shared]) one.throttle(nowMs);
    const pace = bucket.pace(nowMs);
    const { log, service } = this.#options;
    if (!log || pace >= before) return;
    log.warn('ec2.throttled', { service, action, pace, throttled: bucket.throttledCount });
  }

  /** Resolves when tokens and a connection are ours. Rejects, unsent, on abort or without room. */
  #turn(queue: ActionQueue, resources: number, options: Ec2CallOptions | undefined): Promise<void> {
    const { action } = queue;
    const { signal, urgency = queue.rates.urgency, caller = '' } = options ?? {};
    if (signal?.aborted) return Promise.reject(notSent(action, 'aborted before it was sent', signal.reason));
    if (this.#waitingCount >= this.#maxWaiting * ROOM[urgency])
      return Promise.reject(notSent(action, `${this.#waitingCount} calls wait already`));
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (this.#leave(queue, waiting)) reject(notSent(action, 'aborted while it waited for a token', signal?.reason));
      };
      const end = (settle: () => void) => {
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const waiting: Waiting = {
        ...{ urgency, caller, resources, options, sinceMs: this.#clock.monotonicMs() },
        send: () => end(resolve),
        refuse: (error) => end(() => reject(error)),
      };
      queue.waiting.add(waiting);
      this.#waitingCount += 1;
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#dispatch();
    });
  }

  #leave(queue: ActionQueue, waiting: Waiting): boolean {
    if (!queue.waiting.delete(waiting)) return false;
    this.#waitingCount -= 1;
    return true;
  }

  /** Sends all calls that may go now, and sets the timer for the next token. */
  #dispatch(): void {
    this.#timer?.cancel();
    this.#timer = null;
    while (this.#inFlightCount < this.#maxInFlight) {
      const next = this.#next(this.#clock.monotonicMs());
      if (!next) break;
      this.#turnOf(next.queue, next.head);
    }
    if (this.#waitingCount === 0 || this.#inFlightCount >= this.#maxInFlight) return;
    const nextInMs = this.#msUntilNext(this.#clock.monotonicMs());
    if (nextInMs < Number.POSITIVE_INFINITY) this.#timer = this.#clock.setTimer(nextInMs, () => this.#dispatch());
  }

  /**
   * Who goes next: of the queues that have their tokens, the one in which the most urgent call
   * waits. Its own order says which of its calls that is: so a chore that has its turn goes as soon
   * as the calls behind it would, and they never wait until the queues beside are empty.
   */
  #next(nowMs: number): Turn | null {
    let best: Turn | null = null;
    let bestRank = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues) {
      const turn = turnIn(queue, nowMs);
      if (turn === null) continue;
      const rank = RANK[turn.for.urgency] * 2 + (queue.rates.mutating ? 0 : 1);
      // Queues that draw from one bucket: who has waited longest, so that none takes it all.
      if (rank > bestRank || (rank === bestRank && best && turn.for.sinceMs >= best.for.sinceMs)) continue;
      best = turn;
      bestRank = rank;
    }
    return best;
  }

  /** Sends it; or, where it may not be sent any more, refuses it without a token. */
  #turnOf(queue: ActionQueue, head: Waiting): void {
    const late = this.#whyNot(queue.action, head.options);
    if (late !== null) {
      this.#leave(queue, head);
      head.refuse(late);
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    queue.bucket.take(head.resources, nowMs);
    for (const one of queue.shared) one.take(1, nowMs);
    queue.oneByOne?.leave();
    queue.waiting.take(head);
    this.#waitingCount -= 1;
    this.#inFlightCount += 1;
    head.send();
  }

  #whyNot(action: string, options: Ec2CallOptions | undefined): unknown {
    try {
      this.#assertInTime(action, options);
      assertMayStart(action, options);
      return null;
    } catch (error) {
      return error;
    }
  }

  #msUntilNext(nowMs: number): number {
    const waits = this.#queues.flatMap((queue) =>
      [queue.waiting.head(), queue.waiting.mostUrgent()].map((one) =>
        one ? msUntil(queue, one.resources, nowMs) : Number.POSITIVE_INFINITY,
      ),
    );
    return Math.min(...waits);
  }

  #queueOf(action: string, input: Readonly<Record<string, unknown>>): ActionQueue {
    const rates = this.#options.ratesOf(action);
    const lane = rates.oneAtATime?.laneOf(input) ?? '';
    const known = this.#queues.find((queue) => queue.action === action && queue.lane === lane);
    if (known) return known;
    const made: ActionQueue = {
      ...{ action, lane, rates, bucket: this.#bucketOf(action, rates), waiting: new FairQueue() },
      shared: (rates.shared ?? []).map(({ name, limit }) => this.#bucketOf(name, { requests: limit, resources: null })),
      oneByOne: rates.oneAtATime ? new Lane(rates.oneAtATime) : null,
    };
    this.#queues = [...this.#queues.filter((queue) => !this.#mayForget(queue)), made];
    return made;
  }

  /** Lanes come and go with what they are of. */
  #mayForget({ oneByOne, waiting }: ActionQueue): boolean {
    return waiting.size === 0 && oneByOne !== null && oneByOne.isIdle(this.#clock.monotonicMs());
  }

  #bucketOf(name: string, rates: Pick<CallRates, 'requests' | 'resources'>): ActionBucket {
    const known = this.#buckets.get(name);
    if (known) return known;
    const { raised, share = SHARE } = this.#options;
    const requests = raised?.[name] ?? rates.requests;
    const made = new ActionBucket({ ...rates, requests }, share, this.#clock.monotonicMs());
    this.#buckets.set(name, made);
    return made;
  }
}

const RATE_CODES: ReadonlySet<string> = new Set(THROTTLE_CODES);

/** The service's own code. Empty: it gave none. */
const codeOf = (error: unknown, action: string): string =>
  mapEc2Error(error, { action, mutating: true }).upstreamCode ?? '';
