import { type Clock, deedText, type MessageQueue } from '@understudy/shared';
import { Deeds } from '../hints/deeds.ts';
import { EventCounts } from '../hints/event-counts.ts';
import { EventTrust } from '../hints/event-trust.ts';

/** Where events of EC2 come from, and what follows for how often we look. One for all terms. */
export class EventHearing {
  /** Null: no events are read. */
  readonly queue: MessageQueue | null;
  readonly trust = new EventTrust();
  readonly counts = new EventCounts();
  readonly deeds = new Deeds();
  readonly #clock: Clock;
  readonly #pollStatesEveryMs: number;

  constructor(options: {
    readonly queue: MessageQueue | null;
    readonly clock: Clock;
    readonly pollStatesEveryMs: number;
  }) {
    this.queue = options.queue;
    this.#clock = options.clock;
    this.#pollStatesEveryMs = options.pollStatesEveryMs;
  }

  /** EC2 shows another state of an instance than it did before. */
  readonly noteChange = (instanceId: string, state: string): void =>
    this.trust.changed(instanceId, state, this.#clock.monotonicMs());

  /** Who has stopped, started or ended these instances, a sentence each; this process's own. */
  readonly deedsOf = (instanceIds: readonly string[]): readonly string[] =>
    instanceIds.flatMap((id) => this.deeds.of(id).map((deed) => deedText(id, deed)));

  /** While events come, states of members that are well are asked for less often. */
  readonly statesFreshForMs = (): number =>
    this.queue !== null && this.trust.isRelied(this.#clock.monotonicMs()) ? this.#pollStatesEveryMs : 0;
}
