import {
  type BucketLimit,
  fullBucket,
  type MemberId,
  type MonotonicMs,
  takeTokens,
  type TokenBucket,
} from '@understudy/shared';

/** Calls for events: a burst of some, then one a second, however many messages come. */
const CALLS: BucketLimit = { burst: 10, refillPerSecond: 1 };
const IDS_PER_CALL = 100;
/** Messages that wait for a look. While there are more, no others are received. */
export const MESSAGES_MAX = 500;

export interface WantedLook {
  readonly instanceId: string;
  /** The member that it is activated for. */
  readonly member: MemberId;
  readonly az: string;
  readonly wantsStatus: boolean;
}

/** Instances of one zone that are looked at together, as one call. */
export interface LookRound {
  readonly az: string;
  readonly looks: readonly WantedLook[];
}

interface Waiting {
  readonly receiptHandle: string;
  readonly receivedAtMs: MonotonicMs;
  readonly left: Set<string>;
}

/**
 * Looks that events asked for, and the messages that wait for them. One instance is wanted once,
 * however many messages name it; the calls have a budget of their own, so that a flood takes
 * nothing from recoveries. A message is done with when each of its instances was looked at, by a
 * look that began after the message was received.
 */
export class WantedLooks {
  readonly #wanted = new Map<string, WantedLook>();
  readonly #waiting = new Map<string, Waiting>();
  #bucket: TokenBucket | null = null;

  clear(): void {
    this.#wanted.clear();
    this.#waiting.clear();
  }

  /** Messages that wait for a look. */
  get size(): number {
    return this.#waiting.size;
  }

  get isFull(): boolean {
    return this.#waiting.size >= MESSAGES_MAX;
  }

  /** `also`: what else the message waits for; told of as if it were instances. */
  add(
    message: { messageId: string; receiptHandle: string },
    looks: readonly WantedLook[],
    nowMs: MonotonicMs,
    also: readonly string[] = [],
  ): void {
    const left = new Set([...looks.map((one) => one.instanceId), ...also]);
    this.#waiting.set(message.messageId, { receiptHandle: message.receiptHandle, receivedAtMs: nowMs, left });
    for (const look of looks) {
      const wantsStatus = look.wantsStatus || this.#wanted.get(look.instanceId)?.wantsStatus === true;
      this.#wanted.set(look.instanceId, { ...look, wantsStatus });
    }
  }

  /** The calls that may be made now, those that were asked for first at first. */
  take(nowMs: MonotonicMs): readonly LookRound[] {
    const rounds: LookRound[] = [];
    for (const [az, inZone] of Map.groupBy(this.#wanted.values(), (one) => one.az)) {
      const looks = inZone.slice(0, IDS_PER_CALL);
      // A look for status checks is a second call.
      const calls = looks.some((one) => one.wantsStatus) ? 2 : 1;
      const taken = takeTokens(this.#bucket ?? fullBucket(CALLS, nowMs), CALLS, nowMs, calls);
      if (taken === null) break;
      this.#bucket = taken;
      for (const { instanceId } of looks) this.#wanted.delete(instanceId);
      rounds.push({ az, looks });
    }
    return rounds;
  }

  /** A look was taken. Returns the handles of messages that have all they asked for. */
  looked(instanceIds: readonly string[], beganAtMs: MonotonicMs): readonly string[] {
    const done: string[] = [];
    for (const [messageId, { receiptHandle, receivedAtMs, left }] of this.#waiting) {
      if (receivedAtMs > beganAtMs) continue;
      for (const id of instanceIds) left.delete(id);
      if (left.size > 0) continue;
      this.#waiting.delete(messageId);
      done.push(receiptHandle);
    }
    return done;
  }

  /** A look failed: the messages that asked for it are left to come again. */
  failed(instanceIds: readonly string[]): void {
    for (const [messageId, { left }] of this.#waiting)
      if (instanceIds.some((id) => left.has(id))) this.#waiting.delete(messageId);
  }
}
