import type { Clock, FleetDelta, FleetView, StatusView, Timer } from '@understudy/shared';

/** An event of the stream, written once for all who watch. */
export interface FeedEvent {
  /** `fleet`: everything; `delta`: what changed; `status`: as `GET /v1/status`. */
  readonly event: 'fleet' | 'delta' | 'status';
  /** JSON. */
  readonly text: string;
}

export interface FleetPass {
  /** Null: the members or the observers are not those of the pass before. */
  readonly delta: FleetDelta | null;
}

export interface FleetFeedSources {
  /** Asks the other coordinators, without waiting. */
  askPeers(): void;
  /** Looks at what changed. */
  pass(): FleetPass;
  /** As of the last pass. */
  fleet(): FleetView;
  status(): StatusView;
  /** Nobody looks any more: what was kept can go. */
  rest(): void;
}

/** Time between two events, in ms. */
const EVERY_MS = 1_000;
/** How long before an event others are asked, so that it tells what is new. In ms. */
const ASKED_BEFORE_MS = 250;
/** The status goes out again after so many passes, changed or not: its ages are shown. */
const STATUS_EVERY = 5;

/** What changes in a status although nothing happened. */
const AGES: ReadonlySet<string> = new Set(['uptimeMs', 'lastContactAgoMs', 'ageMs']);
const withoutAges = (status: StatusView): string =>
  JSON.stringify(status, (key, value: unknown) => (AGES.has(key) ? 0 : value));

/**
 * Tells everybody who watches the fleet what changed, about once a second. It works, and asks the
 * other coordinators, only while somebody watches. The clock's timer calls it, never the
 * coordinator's own tick.
 */
export class FleetFeed {
  readonly #sources: FleetFeedSources;
  readonly #clock: Clock;
  readonly #watchers = new Set<(event: FeedEvent) => void>();
  #timer: Timer | null = null;
  #passes = 0;
  #toldStatus = '';

  constructor(sources: FleetFeedSources, clock: Clock) {
    this.#sources = sources;
    this.#clock = clock;
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Tells everything at once, then what changes. Returns what ends it. */
  watch(watcher: (event: FeedEvent) => void): () => void {
    if (this.#watchers.size === 0) {
      this.#sources.askPeers();
      this.#sources.pass();
      this.#askThenTell();
    }
    this.#watchers.add(watcher);
    watcher({ event: 'status', text: JSON.stringify(this.#sources.status()) });
    watcher({ event: 'fleet', text: JSON.stringify(this.#sources.fleet()) });
    return () => this.#leave(watcher);
  }

  /** Ends it for everybody. */
  close(): void {
    this.#watchers.clear();
    this.#rest();
  }

  #leave(watcher: (event: FeedEvent) => void): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size === 0) this.#rest();
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#sources.rest();
  }

  #askThenTell(): void {
    this.#timer = this.#clock.setTimer(EVERY_MS - ASKED_BEFORE_MS, () => {
      this.#timer = this.#clock.setTimer(ASKED_BEFORE_MS, () => this.#turn());
      this.#sources.askPeers();
    });
  }

  #turn(): void {
    this.#askThenTell();
    const { delta } = this.#sources.pass();
    this.#tellStatus();
    this.#tell(
      delta
        ? { event: 'delta', text: JSON.stringify(delta) }
        : { event: 'fleet', text: JSON.stringify(this.#sources.fleet()) },
    );
  }

  #tellStatus(): void {
    const status = this.#sources.status();
    const compared = withoutAges(status);
    if (compared === this.#toldStatus && this.#passes++ % STATUS_EVERY !== 0) return;
    this.#toldStatus = compared;
    this.#tell({ event: 'status', text: JSON.stringify(status) });
  }

  #tell(event: FeedEvent): void {
    for (const watcher of [...this.#watchers]) watcher(event);
  }
}
