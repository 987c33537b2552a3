import { rawOf } from '@understudy/shared';
import type { SimEvent } from '../event-log.ts';
import type { Fault } from '../faults.ts';
import { mayServiceSend } from '../sqs/may-send.ts';
import type { SimQueue } from '../sqs/queue.ts';
import { apiCall, type Place, type Told, toldOf } from './bus-event.ts';

/** Deliveries, as faults name them. */
export const DELIVER = 'events:Deliver';

/** Values that a field may have, or the same of its members. */
export interface EventPattern {
  readonly [field: string]: readonly string[] | EventPattern;
}

/** Which events go to which queue. */
export interface EventRule {
  readonly name: string;
  readonly pattern: EventPattern;
  readonly queueArn: string;
  /** Where events go that the queue does not take. Null: nowhere. */
  readonly deadLetterArn: string | null;
  /** Its bus, by name. Absent: the default one, the only one to which AWS's own services tell. */
  readonly bus?: string;
}

const DEFAULT_BUS = 'default';

/** What the bus needs of the Region around it. */
export interface BusWorld {
  readonly place: Place;
  readonly wallMs: () => number;
  readonly later: (delayMs: number, run: () => void) => void;
  readonly sampleMs: (name: 'events.delivery' | 'events.api-call') => number;
  readonly strike: (action: string, input: Readonly<Record<string, unknown>>) => readonly Fault[];
  readonly queue: (arn: string) => SimQueue | undefined;
  /** 0 to 1. */
  readonly draw: () => number;
  readonly speed: number;
}

/** How badly events come, beside what faults say: shares of 0 to 1. */
export interface UnrulyBus {
  readonly lost: number;
  readonly duplicated: number;
  /** The share that comes up to four minutes late, and so after others. */
  readonly late: number;
}

const LATE_MS = 120_000;

const isList = (wanted: readonly string[] | EventPattern): wanted is readonly string[] => Array.isArray(wanted);

const fits = (pattern: EventPattern, value: Readonly<Record<string, unknown>>): boolean =>
  Object.entries(pattern).every(([field, wanted]) =>
    isList(wanted) ? wanted.includes(String(value[field])) : fits(wanted, rawOf(value[field])),
  );

/**
 * The buses of EventBridge. They deliver at least once, in no order, some time later, to the
 * queues whose policy lets it; without a rule nothing is told.
 */
export class EventBus {
  readonly #world: BusWorld;
  readonly #rules = new Map<string, EventRule>();
  readonly #buses = new Set([DEFAULT_BUS]);
  #serial = 0;
  unruly: UnrulyBus = { lost: 0, duplicated: 0, late: 0 };
  /** Deliveries that no queue took. */
  failedInvocations = 0;
  /** What is delivered to queues, or will be, copies too. */
  delivered = 0;
  /**
   * What became of events, so that a run can show that it had them: `disordered` are those that
   * came after one that was put on the bus later.
   */
  readonly fates = { lost: 0, late: 0, duplicated: 0, disordered: 0, forged: 0 };
  #putNumber = 0;
  #newest = 0;
  /** A trail with logging on: without one no API call is told. */
  hasTrail = true;

  constructor(world: BusWorld) {
    this.#world = world;
  }

  putRule(rule: EventRule): string {
    this.#rules.set(rule.name, rule);
    return this.arnOf(rule.name, rule.bus);
  }

  removeRule(name: string): boolean {
    return this.#rules.delete(name);
  }

  arnOf(rule: string, bus: string = DEFAULT_BUS): string {
    const { region, account } = this.#world.place;
    return `arn:aws:events:${region}:${account}:rule/${bus === DEFAULT_BUS ? '' : `${bus}/`}${rule}`;
  }

  /** Makes a bus beside the default one. Returns its ARN. */
  addBus(name: string): string {
    this.#buses.add(name);
    return this.busArn(name);
  }

  removeBus(name: string): boolean {
    return name !== DEFAULT_BUS && this.#buses.delete(name);
  }

  busArn(name: string): string {
    const { region, account } = this.#world.place;
    return `arn:aws:events:${region}:${account}:event-bus/${name}`;
  }

  /** The name of a bus that exists, by name or ARN. Null: there is none. */
  busNamed(nameOrArn: string = DEFAULT_BUS): string | null {
    return [...this.#buses].find((name) => name === nameOrArn || this.busArn(name) === nameOrArn) ?? null;
  }

  /** What the log of the Region says, told on. */
  onEvent(event: SimEvent): void {
    if (this.#rules.size === 0) return;
    const { place, sampleMs } = this.#world;
    if (event.kind === 'transition') {
      const told = toldOf(place, event);
      if (told) this.put(told);
    } else if (this.hasTrail) {
      const told = apiCall(place, event);
      if (told) this.put(told, sampleMs('events.api-call'));
    }
  }

  /** Puts an event on the default bus. `lateMs`: its source is so late with it. */
  put({ source, detailType, resources, detail }: Told, lateMs = 0): void {
    this.#tell(this.envelope({ source, detailType, resources, detail, wallMs: this.#world.wallMs() }), lateMs);
  }

  /** An event as targets get it; with whole seconds, as EC2 tells them. */
  envelope(told: Told & { readonly wallMs: number }): Readonly<Record<string, unknown>> & { readonly id: string } {
    const { source, detailType, resources, detail, wallMs } = told;
    const { region, account } = this.#world.place;
    const id = `00000000-0000-4000-9000-${String(++this.#serial).padStart(12, '0')}`;
    const time = `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
    return { version: '0', id, 'detail-type': detailType, source, account, time, region, resources, detail };
  }

  /** An event as anybody may make it up who may put events on the bus. */
  forge(event: Readonly<Record<string, unknown>>, lateMs = 0, bus = DEFAULT_BUS): void {
    this.fates.forged += 1;
    this.#tell(event, lateMs, bus);
  }

  #tell(event: Readonly<Record<string, unknown>>, lateMs = 0, bus = DEFAULT_BUS): void {
    const theirs = [...this.#rules.values()].filter((rule) => (rule.bus ?? DEFAULT_BUS) === bus);
    for (const rule of theirs) if (fits(rule.pattern, event)) this.#send(rule, event, lateMs);
  }

  #send(rule: EventRule, event: Readonly<Record<string, unknown>>, lateMs: number): void {
    const { strike, sampleMs, later, speed } = this.#world;
    const faults = strike(DELIVER, event);
    const delayed = faults.find((one) => one.kind === 'event-delayed');
    const delayedMs = delayed ? (delayed.delayMs ?? LATE_MS / speed) : 0;
    const { lost, duplicated, late } = this.unruly;
    if (faults.some((one) => one.kind === 'event-lost') || this.#falls(lost)) {
      this.fates.lost += 1;
      return;
    }
    const nth = (this.#putNumber += 1);
    const copies = faults.some((one) => one.kind === 'event-duplicated') || this.#falls(duplicated) ? 2 : 1;
    this.fates.duplicated += copies - 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const heldMs = this.#falls(late) ? (this.#world.draw() * 2 * LATE_MS) / speed : 0;
      const inMs = lateMs + delayedMs + heldMs + sampleMs('events.delivery');
      this.delivered += 1;
      if (heldMs + delayedMs > 0) this.fates.late += 1;
      later(inMs, () => {
        if (nth < this.#newest) this.fates.disordered += 1;
        this.#newest = Math.max(this.#newest, nth);
        this.#deliver(rule, JSON.stringify(event));
      });
    }
  }

  #falls(share: number): boolean {
    return share > 0 && this.#world.draw() < share;
  }

  #deliver(rule: EventRule, body: string): void {
    const queue = this.#world.queue(rule.queueArn);
    if (queue && mayServiceSend('events.amazonaws.com', this.arnOf(rule.name, rule.bus), queue)) {
      queue.send(body);
      return;
    }
    this.failedInvocations += 1;
    if (rule.deadLetterArn !== null) this.#world.queue(rule.deadLetterArn)?.send(body);
  }
}
