import { mayServiceSend } from '../sqs/may-send.ts';
import type { SimQueue } from '../sqs/queue.ts';
import type { Fault } from '../faults.ts';

/** Deliveries, as faults name them. */
export const SNS_DELIVER = 'sns:Deliver';
/** A FIFO topic drops what it had so recently. */
const DEDUPLICATED_FOR_MS = 300_000;

/** An SQS queue that is told. Its own policy has to let the topic in. */
export interface TopicSubscription {
  readonly queueArn: string;
  /** The message alone, without the envelope. */
  readonly isRaw?: boolean;
  /** Attribute → values it may have. */
  readonly filter?: Readonly<Record<string, readonly string[]>>;
}

export interface TopicSettings {
  /** Ends in `.fifo` where it keeps an order and drops duplicates. */
  readonly name: string;
  readonly subscriptions: readonly TopicSubscription[];
  readonly isContentDeduplicated: boolean;
  readonly kmsKey: string | null;
}

/** What was published. */
export interface Published {
  readonly message: string;
  readonly subject: string | null;
  readonly attributes: Readonly<Record<string, { readonly type: string; readonly value: string }>>;
  readonly deduplicationId: string | null;
}

/** What topics need of the Region around them. */
export interface TopicWorld {
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  readonly strike: (action: string, input: Readonly<Record<string, unknown>>) => readonly Fault[];
  readonly queue: (arn: string) => SimQueue | undefined;
  readonly speed: number;
}

/** One topic, standard or FIFO. */
export class SimTopic {
  readonly settings: TopicSettings;
  readonly arn: string;
  readonly #world: TopicWorld;
  readonly #recent = new Map<string, { readonly messageId: string; readonly untilMs: number }>();
  #serial = 0;
  /** Deliveries that no queue took. */
  failedDeliveries = 0;

  constructor(settings: TopicSettings, arn: string, world: TopicWorld) {
    this.settings = settings;
    this.arn = arn;
    this.#world = world;
  }

  get isFifo(): boolean {
    return this.settings.name.endsWith('.fifo');
  }

  /** Returns the id of the message; that of the first one for what is dropped as a duplicate. */
  publish(published: Published): string {
    const { deduplicationId: key } = published;
    const nowMs = this.#world.nowMs();
    for (const [id, { untilMs }] of this.#recent) if (untilMs <= nowMs) this.#recent.delete(id);
    const had = key === null ? undefined : this.#recent.get(key);
    if (had) return had.messageId;
    const messageId = `00000000-0000-4000-a000-${String(++this.#serial).padStart(12, '0')}`;
    const untilMs = nowMs + DEDUPLICATED_FOR_MS / this.#world.speed;
    if (this.isFifo && key !== null) this.#recent.set(key, { messageId, untilMs });
    for (const one of this.settings.subscriptions) this.#deliver(one, messageId, published);
    return messageId;
  }

  #deliver(subscription: TopicSubscription, messageId: string, published: Published): void {
    const { queueArn, isRaw = false, filter = {} } = subscription;
    const { attributes } = published;
    if (!Object.entries(filter).every(([name, values]) => values.includes(attributes[name]?.value ?? ''))) return;
    const faults = this.#world.strike(SNS_DELIVER, { messageId });
    if (faults.some((one) => one.kind === 'event-lost')) return;
    const copies = faults.some((one) => one.kind === 'event-duplicated') ? 2 : 1;
    const queue = this.#world.queue(queueArn);
    const body = isRaw ? published.message : this.#envelope(messageId, published);
    if (queue && mayServiceSend('sns.amazonaws.com', this.arn, queue))
      for (let copy = 0; copy < copies; copy += 1) queue.send(body);
    else this.failedDeliveries += 1;
  }

  /** As a queue gets it without raw delivery (SNS developer guide). The signature is none. */
  #envelope(messageId: string, { message, subject, attributes }: Published): string {
    return JSON.stringify({
      ...{ Type: 'Notification', MessageId: messageId, TopicArn: this.arn },
      ...(subject !== null && { Subject: subject }),
      ...{ Message: message, Timestamp: new Date(this.#world.wallMs()).toISOString(), SignatureVersion: '1' },
      ...{ Signature: 'c2ltdWxhdGVk', SigningCertURL: 'https://sns.invalid/cert.pem', UnsubscribeURL: this.arn },
      MessageAttributes: Object.fromEntries(
        Object.entries(attributes).map(([name, { type, value }]) => [name, { Type: type, Value: value }]),
      ),
    });
  }
}

/** The topics of the account in this Region. They are made by whoever operates the simulator. */
export class SimTopics {
  readonly #place: { readonly region: string; readonly account: string };
  readonly #world: TopicWorld;
  readonly #topics = new Map<string, SimTopic>();

  constructor(place: { readonly region: string; readonly account: string }, world: TopicWorld) {
    this.#place = place;
    this.#world = world;
  }

  /** One of the same name is replaced. */
  make(wanted: Pick<TopicSettings, 'name'> & Partial<TopicSettings>): SimTopic {
    const { region, account } = this.#place;
    const arn = `arn:aws:sns:${region}:${account}:${wanted.name}`;
    const settings = { subscriptions: [], isContentDeduplicated: false, kmsKey: null, ...wanted };
    const topic = new SimTopic(settings, arn, this.#world);
    this.#topics.set(arn, topic);
    return topic;
  }

  remove(name: string): boolean {
    const { region, account } = this.#place;
    return this.#topics.delete(`arn:aws:sns:${region}:${account}:${name}`);
  }

  all(): readonly SimTopic[] {
    return [...this.#topics.values()];
  }

  byArn(arn: string): SimTopic | undefined {
    return this.#topics.get(arn);
  }
}
