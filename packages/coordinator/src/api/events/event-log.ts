import type { EventsView, FleetEvent } from '@understudy/shared';
import type { StoreObserver, StoreStep } from '../../store/watch-cache.ts';
import { compareIds, type EventId, eventIdText, parseEventId } from './event-id.ts';
import { eventsOfStep, type MemberOf, mayTell } from './events-of-step.ts';

/** Writes kept. Older ones are told to nobody any more. */
export const KEPT_WRITES_MAX = 2_000;
/** Characters of records kept with them. */
export const KEPT_CHARACTERS_MAX = 16_777_216;

/** A write that may tell something. What it tells is made when somebody asks, and kept. */
interface Kept {
  readonly step: StoreStep;
  readonly write: number;
  readonly characters: number;
  events: readonly FleetEvent[] | null;
}

/** Told of what is new. `reset`: writes were missed, so that the state has to be read anew. */
export type EventListener = (news: { readonly events: readonly FleetEvent[]; readonly reset: boolean }) => void;

/**
 * The newest changes of state, as this coordinator saw them in etcd, in etcd's order. Ids are
 * etcd's revisions: who has read up to one here goes on from there at any coordinator. Nothing is
 * worked out while nobody asks.
 */
export class EventLog implements StoreObserver {
  readonly #root: string;
  readonly #memberOf: MemberOf;
  readonly #listeners = new Set<EventListener>();
  #kept: Kept[] = [];
  #characters = 0;
  /** All that came after this is kept, or told nothing. Null: nothing was seen yet. */
  #floor: EventId | null = null;
  /** The last write seen: its revision, and its number in it. */
  #last: readonly [revision: number, write: number] = [0, 0];

  constructor(root: string, memberOf: MemberOf) {
    this.#root = root;
    this.#memberOf = memberOf;
  }

  began(revision: number): void {
    const isFirst = this.#floor === null;
    this.#kept = [];
    this.#characters = 0;
    this.#last = [revision, LAST_OF_REVISION];
    this.#floor = [revision, LAST_OF_REVISION, 0];
    if (!isFirst) this.#tell([], true);
  }

  changed(steps: readonly StoreStep[]): void {
    const added: Kept[] = [];
    for (const step of steps) {
      const [revision, write] = this.#last;
      this.#last = step.revision === revision ? [revision, write + 1] : [step.revision, 0];
      if (!mayTell(step.key, this.#root)) continue;
      const characters = (step.before?.value.length ?? 0) + (step.after?.value.length ?? 0);
      added.push({ step, write: this.#last[1], characters, events: null });
    }
    for (const kept of added) this.#keep(kept);
    if (this.#listeners.size > 0)
      this.#tell(
        added.flatMap((kept) => this.#eventsOf(kept)),
        false,
      );
  }

  /** Calls back with what is new from now on. Returns what ends that. */
  onNews(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The place after all that was seen so far. */
  get cursor(): string {
    const [revision, write] = this.#last;
    return eventIdText([revision, write, LAST_OF_WRITE]);
  }

  /**
   * What came after `after`, the oldest first. Null: all that is kept. `limit`: at most so many.
   * `only`: those that are wanted; others do not count.
   */
  page(after: EventId | null, limit: number, only: (event: FleetEvent) => boolean = () => true): EventsView {
    const floor = this.#floor ?? [0, 0, 0];
    const reset = after !== null && compareIds(after, floor) < 0;
    const from = reset || after === null ? floor : after;
    const events: FleetEvent[] = [];
    for (const kept of this.#kept.slice(this.#firstAfter(from))) {
      for (const event of this.#eventsOf(kept)) {
        if (compareIds(parseEventId(event.id) ?? floor, from) <= 0 || !only(event)) continue;
        const last = events.at(-1);
        if (events.length === limit && last) return { events, reset, cursor: last.id, more: true };
        events.push(event);
      }
    }
    // Who has read further at another coordinator stays where it is.
    const end = parseEventId(this.cursor) ?? floor;
    return { events, reset, cursor: compareIds(from, end) > 0 ? eventIdText(from) : this.cursor, more: false };
  }

  #firstAfter([revision]: EventId): number {
    const at = this.#kept.findIndex(({ step }) => step.revision >= revision);
    return at === -1 ? this.#kept.length : at;
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept);
    this.#characters += kept.characters;
    while (this.#kept.length > KEPT_WRITES_MAX || this.#characters > KEPT_CHARACTERS_MAX) {
      const gone = this.#kept.shift();
      if (!gone) return;
      this.#characters -= gone.characters;
      this.#floor = [gone.step.revision, gone.write, LAST_OF_WRITE];
    }
  }

  #eventsOf(kept: Kept): readonly FleetEvent[] {
    kept.events ??= eventsOfStep(kept.step, kept.write, this.#root, this.#memberOf);
    return kept.events;
  }

  #tell(events: readonly FleetEvent[], reset: boolean): void {
    if (events.length === 0 && !reset) return;
    for (const listener of [...this.#listeners]) listener({ events, reset });
  }
}

/** Stand for "after every write of this revision", and "after every event of this write". */
const LAST_OF_REVISION = 999_999;
const LAST_OF_WRITE = 999_999;
