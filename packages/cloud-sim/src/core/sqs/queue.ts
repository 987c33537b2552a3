import { Ec2Error, refuse } from '../ec2-error.ts';

/** SQS Developer Guide, quotas: about so many messages of a standard queue may be in flight. */
export const IN_FLIGHT_MAX = 120_000;
/** "0 seconds to 12 hours" from the first receive (ReceiveMessage, ChangeMessageVisibility). */
const HIDDEN_MAX_MS = 43_200_000;

export interface SimMessage {
  readonly id: string;
  readonly body: string;
  readonly md5: string;
  readonly sentAtMs: number;
  readonly sentAtWallMs: number;
  /** The moment from which on it can be received. */
  visibleAtMs: number;
  receiveCount: number;
  firstReceivedAtMs: number | null;
  /** The handle of the newest delivery. Null: it was never delivered. */
  receiptHandle: string | null;
  isInFlight: boolean;
}

/** How a queue behaves badly, as a standard queue may: shares of 0 to 1. */
export interface Unruly {
  /** The share of deliveries whose message can be received again at once, beside. */
  readonly redelivered: number;
  /** The share of deletions after which a copy comes back later all the same. */
  readonly afterDelete: number;
  /** The share of messages that the servers which a receive asks do not see. */
  readonly missed: number;
}

export const WELL_BEHAVED: Unruly = { redelivered: 0, afterDelete: 0, missed: 0 };

export interface QueueSettings {
  readonly name: string;
  readonly visibilityTimeoutMs: number;
  readonly retentionMs: number;
  readonly deadLetter: { readonly arn: string; readonly afterReceives: number } | null;
  /** Who may send to it, as a policy document. Null: the account's own callers only. */
  readonly policy: string | null;
}

/** What a queue needs of the Region around it. */
export interface QueueWorld {
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  /** 0 to 1. */
  readonly draw: () => number;
  /** The checksum of a body, as hex. */
  readonly md5: (body: string) => string;
  readonly later: (delayMs: number, run: () => void) => void;
  /** Divides durations. */
  readonly speed: number;
}

/** A delivery. */
export interface Received {
  readonly message: SimMessage;
  readonly receiptHandle: string;
  readonly receiveCount: number;
}

const HANDLE = /^rh:([^:]+):(\d+):/;

/** One standard queue. */
export class SimQueue {
  readonly settings: QueueSettings;
  readonly url: string;
  readonly arn: string;
  unruly: Unruly = WELL_BEHAVED;
  readonly #world: QueueWorld;
  readonly #messages = new Map<string, SimMessage>();
  readonly #listeners = new Set<() => void>();
  readonly #toDeadLetter: (arn: string, body: string) => void;
  #serial = 0;

  constructor(
    settings: QueueSettings,
    place: { readonly url: string; readonly arn: string },
    world: QueueWorld,
    toDeadLetter: (arn: string, body: string) => void,
  ) {
    this.settings = settings;
    this.url = place.url;
    this.arn = place.arn;
    this.#world = world;
    this.#toDeadLetter = toDeadLetter;
  }

  get waiting(): number {
    return this.#all().filter((one) => !one.isInFlight && this.#isVisible(one)).length;
  }

  get inFlight(): number {
    return this.#all().filter((one) => one.isInFlight && !this.#isVisible(one)).length;
  }

  /** Bodies of everything in it, oldest first. */
  bodies(): readonly string[] {
    return this.#all().map((one) => one.body);
  }

  /** Puts a message in. It can be received after `delayMs`. */
  send(body: string, delayMs = 0): SimMessage {
    const { nowMs, wallMs } = this.#world;
    const serial = String(++this.#serial).padStart(12, '0');
    const id = `00000000-0000-4000-8000-${serial}`;
    const md5 = this.#world.md5(body);
    const visibleAtMs = nowMs() + delayMs;
    const message: SimMessage = {
      ...{ id, body, md5, sentAtMs: nowMs(), sentAtWallMs: wallMs(), visibleAtMs, receiveCount: 0 },
      ...{ firstReceivedAtMs: null, receiptHandle: null, isInFlight: false },
    };
    this.#messages.set(id, message);
    this.#tellWhenVisible(delayMs);
    return message;
  }

  hasVisible(): boolean {
    return this.#all().some((one) => this.#isVisible(one));
  }

  /** Called whenever something may have become visible. Returns the unsubscribe function. */
  onVisible(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * In no order. A message that was received too often goes to the dead letters instead.
   * @throws OverLimit for a short poll; a long one gets nothing then
   */
  receive(max: number, hiddenForMs: number, isLongPoll: boolean): readonly Received[] {
    if (this.inFlight >= IN_FLIGHT_MAX) {
      if (isLongPoll) return [];
      throw new Ec2Error('OverLimit', `The maximum number of in flight messages is reached`, 403);
    }
    const { draw } = this.#world;
    const seen = this.#all().filter((one) => this.#isVisible(one));
    const found = seen.filter(() => this.unruly.missed === 0 || draw() >= this.unruly.missed);
    const mixed = found.map((one) => ({ one, at: draw() })).sort((a, b) => a.at - b.at);
    const received: Received[] = [];
    for (const { one } of mixed) {
      if (received.length >= max) break;
      if (!this.#buried(one)) received.push(this.#deliver(one, hiddenForMs));
    }
    return received;
  }

  #buried(message: SimMessage): boolean {
    const { deadLetter } = this.settings;
    if (deadLetter === null || message.receiveCount < deadLetter.afterReceives) return false;
    this.#messages.delete(message.id);
    this.#toDeadLetter(deadLetter.arn, message.body);
    return true;
  }

  #deliver(message: SimMessage, hiddenForMs: number): Received {
    const { nowMs, draw } = this.#world;
    message.receiveCount += 1;
    message.firstReceivedAtMs ??= nowMs();
    message.receiptHandle = `rh:${message.id}:${message.receiveCount}:${this.settings.name}`;
    const isRepeated = this.unruly.redelivered > 0 && draw() < this.unruly.redelivered;
    this.#hideFor(message, isRepeated ? 0 : hiddenForMs);
    return { message, receiptHandle: message.receiptHandle, receiveCount: message.receiveCount };
  }

  #hideFor(message: SimMessage, hiddenForMs: number): void {
    message.isInFlight = hiddenForMs > 0;
    message.visibleAtMs = this.#world.nowMs() + hiddenForMs;
    this.#tellWhenVisible(hiddenForMs);
  }

  /**
   * Deletes by the newest handle. An older one succeeds and deletes nothing.
   * @throws ReceiptHandleIsInvalid
   */
  delete(receiptHandle: string): void {
    const message = this.#of(receiptHandle);
    if (!message || message.receiptHandle !== receiptHandle) return;
    this.#messages.delete(message.id);
    const { draw, later, speed } = this.#world;
    if (this.unruly.afterDelete === 0 || draw() >= this.unruly.afterDelete) return;
    later((1_000 + draw() * 60_000) / speed, () => this.#comeBack(message));
  }

  #comeBack(message: SimMessage): void {
    message.isInFlight = false;
    this.#messages.set(message.id, message);
    this.#tell();
  }

  /**
   * Hides a delivery for so long from now.
   * @throws InvalidParameterValue, MessageNotInflight, ReceiptHandleIsInvalid
   */
  hide(receiptHandle: string, hiddenForMs: number): void {
    const message = this.#of(receiptHandle);
    if (!message || message.receiptHandle !== receiptHandle)
      return refuse(
        'InvalidParameterValue',
        'Message does not exist or is not available for visibility timeout change.',
      );
    if (!message.isInFlight || this.#isVisible(message)) return refuse('MessageNotInflight', 'It is not in flight.');
    const { nowMs, speed } = this.#world;
    const untilMs = nowMs() + hiddenForMs;
    if (untilMs - (message.firstReceivedAtMs ?? nowMs()) > HIDDEN_MAX_MS / speed)
      return refuse(
        'InvalidParameterValue',
        'Total VisibilityTimeout for the message is beyond the limit [43200 seconds]',
      );
    return this.#hideFor(message, hiddenForMs);
  }

  #of(receiptHandle: string): SimMessage | undefined {
    const id = HANDLE.exec(receiptHandle)?.[1];
    if (id === undefined) return refuse('ReceiptHandleIsInvalid', `The input receipt handle is invalid.`);
    return this.#messages.get(id);
  }

  #all(): SimMessage[] {
    const oldestMs = this.#world.nowMs() - this.settings.retentionMs;
    const all = [...this.#messages.values()];
    for (const one of all) if (one.sentAtMs < oldestMs) this.#messages.delete(one.id);
    return all.filter((one) => one.sentAtMs >= oldestMs);
  }

  #isVisible(message: SimMessage): boolean {
    return message.visibleAtMs <= this.#world.nowMs();
  }

  #tellWhenVisible(inMs: number): void {
    if (inMs <= 0) this.#tell();
    else this.#world.later(inMs, () => this.#tell());
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
