import { OperationError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { KvEvent, KvWatch, KvWatchHandlers, Revision } from '../ports/kv-store.ts';
import type { SimKvState } from './sim-kv-state.ts';

/** What a watch needs of the client it belongs to. */
interface WatchingClient {
  readonly clock: Clock;
  readonly isCut: boolean;
  readonly fired: { watchBreak: number; watchSilence: number };
  readonly silenceLimitMs: number;
  readonly reconnectAfterMs: number;
  readonly watchLatencyMs: number;
  readonly server: {
    readonly progressEveryMs: number;
    readonly revision: Revision;
    readonly state: SimKvState;
  };
}

/**
 * One resumable watch of one client. Events travel on the client's clock, so they wait while its
 * process is paused.
 */
export class SimKvWatch implements KvWatch {
  readonly #client: WatchingClient;
  readonly #prefix: string;
  readonly #handlers: KvWatchHandlers;
  readonly #onEnd: () => void;
  #nextRevision: Revision;
  /** Below it there is no change that was not delivered. */
  #unseenFrom: Revision = 0;
  /** Raised on every break, so that events under way on the old connection are dropped. */
  #connection = 0;
  #attached = false;
  #ended = false;
  #progressTimer: Timer | null = null;
  #reconnectTimer: Timer | null = null;

  constructor(
    client: WatchingClient,
    prefix: string,
    fromRevision: Revision,
    handlers: KvWatchHandlers,
    onEnd: () => void,
  ) {
    invariant(fromRevision > 0, `a watch starts at a revision > 0, not ${fromRevision}`);
    this.#client = client;
    this.#prefix = prefix;
    this.#nextRevision = fromRevision;
    this.#handlers = handlers;
    this.#onEnd = onEnd;
  }

  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#detach();
    this.#reconnectTimer?.cancel();
    this.#onEnd();
  }

  attach(): void {
    if (this.#ended) return;
    if (this.#client.isCut) {
      this.fallSilent();
      return;
    }
    this.#attached = true;
    this.#deliverLater(true);
    this.#armProgress();
  }

  changed(): void {
    if (this.#attached && !this.#client.isCut) this.#deliverLater(false);
  }

  break(): void {
    if (this.#ended) return;
    this.#client.fired.watchBreak += 1;
    this.#detach();
    this.#reconnect(new OperationError('STORE_UNAVAILABLE', 'watch: connection reset'), 0);
  }

  /** Cuts the connection silently. It is noticed only after the silence limit. */
  fallSilent(): void {
    if (this.#ended) return;
    this.#client.fired.watchSilence += 1;
    this.#detach();
    this.#reconnect(new OperationError('STORE_UNAVAILABLE', 'watch: silent for too long'), this.#client.silenceLimitMs);
  }

  #reconnect(error: OperationError, noticedAfterMs: number): void {
    this.#reconnectTimer?.cancel();
    this.#reconnectTimer = this.#client.clock.setTimer(noticedAfterMs, () => {
      this.#handlers.onDisconnected?.(error);
      if (this.#ended) return;
      this.#reconnectTimer = this.#client.clock.setTimer(this.#client.reconnectAfterMs, () => this.attach());
    });
  }

  #detach(): void {
    this.#attached = false;
    this.#connection += 1;
    this.#progressTimer?.cancel();
    this.#progressTimer = null;
  }

  #armProgress(): void {
    this.#progressTimer = this.#client.clock.setTimer(this.#client.server.progressEveryMs, () => {
      if (!this.#attached) return;
      this.#deliverLater(true);
      this.#armProgress();
    });
  }

  /**
   * Delivers the present state to the client one latency later. Nothing younger travels with it.
   */
  #deliverLater(progress: boolean): void {
    const upTo = this.#client.server.revision;
    const connection = this.#connection;
    this.#client.clock.setTimer(this.#client.watchLatencyMs, () => {
      if (!this.#ended && this.#connection === connection) this.#deliver(upTo, progress);
    });
  }

  #deliver(upTo: Revision, progress: boolean): void {
    const changes = this.#client.server.state.changes(this.#prefix, this.#nextRevision, upTo, this.#unseenFrom);
    if (changes === 'compacted') {
      this.cancel();
      this.#handlers.onCompacted();
      return;
    }
    this.#unseenFrom = Math.max(this.#unseenFrom, upTo + 1);
    const last = changes.at(-1);
    if (last) {
      const events: KvEvent[] = changes.flatMap((change) => [...change.events]);
      this.#nextRevision = last.revision + 1;
      this.#handlers.onEvents(events, last.revision);
    }
    if (progress && !this.#ended) this.#handlers.onProgress?.(upTo);
  }
}
