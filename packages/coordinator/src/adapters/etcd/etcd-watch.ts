import {
  durationText,
  backoffMs,
  type Clock,
  errorText,
  invariant,
  type KvEvent,
  type KvWatch,
  type KvWatchHandlers,
  OperationError,
  type Random,
  type Revision,
  type Timer,
} from '@understudy/shared';
import type { IDuplexStream, IWatchRequest, IWatchResponse } from 'etcd3';
import { STORE_BACKOFF } from '../../store/store-backoff.ts';
import { eventFrom, prefixRange, revisionFrom, revisionOfEvent } from './etcd-codec.ts';

export type WatchStream = IDuplexStream<IWatchRequest, IWatchResponse>;

export interface EtcdWatchOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly prefix: string;
  readonly fromRevision: Revision;
  readonly handlers: KvWatchHandlers;
  /** How often the server is asked how far the watch is. */
  readonly progressEveryMs: number;
  /** The stream is taken for dead when the server says nothing for this long. */
  readonly silenceLimitMs: number;
  /** Opens a stream on whichever endpoint is in use. */
  open(): Promise<WatchStream>;
  /** The stream broke: the next one should go elsewhere. */
  onFailure(error: OperationError): void;
  onEnd(): void;
}

/**
 * One watch, one stream at a time. It resumes at the last delivered mod_revision + 1 (or after a
 * progress notification). It never resumes at the header revision of a created or catch-up answer:
 * that is the store's, far ahead of what was delivered. etcd never splits the events of one
 * revision over two answers unless asked to fragment; fragments are put together all the same.
 */
export class EtcdWatch implements KvWatch {
  readonly #options: EtcdWatchOptions;
  #nextRevision: Revision;
  /** The stream in use. What another one still delivers is ignored. */
  #stream: WatchStream | null = null;
  #fragments: KvEvent[] = [];
  #lastWordAtMs: number;
  #attempt = 0;
  #ended = false;
  #created = false;
  #exactStart = false;
  #timer: Timer | null = null;

  constructor(options: EtcdWatchOptions) {
    invariant(options.fromRevision > 0, `a watch starts at a revision > 0, not ${options.fromRevision}`);
    this.#options = options;
    this.#nextRevision = options.fromRevision;
    this.#lastWordAtMs = options.clock.monotonicMs();
    void this.#connect();
  }

  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    const stream = this.#stream;
    this.#stream = null;
    if (stream) quietly(stream);
    this.#options.onEnd();
  }

  async #connect(): Promise<void> {
    this.#lastWordAtMs = this.#options.clock.monotonicMs();
    this.#created = false;
    this.#fragments = [];
    let stream: WatchStream;
    try {
      stream = await this.#options.open();
    } catch (error) {
      this.#broken(error);
      return;
    }
    // This comes before anything else: an error without a listener would end the process.
    stream.on('error', (error) => this.#stream === stream && this.#broken(error));
    if (this.#ended) {
      quietly(stream);
      return;
    }
    this.#stream = stream;
    stream.on('end', () => this.#stream === stream && this.#broken(new Error('the server ended the stream')));
    stream.on('data', (response) => this.#stream === stream && this.#receive(response));
    stream.write({
      create_request: {
        ...prefixRange(this.#options.prefix),
        start_revision: String(this.#startRevision()),
        progress_notify: true,
      },
    });
    this.#armWatchdog();
  }

  /**
   * The revision before the next one. etcd answers progress requests only when the store has
   * reached the start revision, so an idle watch that began in the future would look dead. Events
   * that arrive twice because of it are dropped on delivery.
   */
  #startRevision(): Revision {
    return this.#exactStart ? this.#nextRevision : Math.max(1, this.#nextRevision - 1);
  }

  #receive(response: IWatchResponse): void {
    this.#lastWordAtMs = this.#options.clock.monotonicMs();
    if (response.canceled) this.#cancelledByServer(response);
    else if (response.created) this.#attached();
    else if (response.events.length > 0 || response.fragment) this.#deliver(response);
    else this.#progress(revisionFrom(response.header.revision));
  }

  #attached(): void {
    this.#created = true;
    this.#attempt = 0;
    this.#exactStart = false;
    // The server answers at once when there is nothing to catch up on.
    this.#stream?.write({ progress_request: {} });
  }

  #deliver(response: IWatchResponse): void {
    this.#fragments.push(...response.events.map(eventFrom));
    if (response.fragment) return;
    const events = this.#fragments.filter((event) => revisionOfEvent(event) >= this.#nextRevision);
    this.#fragments = [];
    const last = events.at(-1);
    if (!last) return;
    const revision = revisionOfEvent(last);
    this.#nextRevision = revision + 1;
    this.#options.handlers.onEvents(events, revision);
  }

  /**
   * "All future events have a higher revision": the server says so only when every watcher of the
   * stream is synced.
   */
  #progress(revision: Revision): void {
    if (this.#fragments.length > 0) return;
    this.#nextRevision = Math.max(this.#nextRevision, revision + 1);
    this.#options.handlers.onProgress?.(revision);
  }

  #cancelledByServer(response: IWatchResponse): void {
    const compactRevision = revisionFrom(response.compact_revision);
    if (compactRevision === this.#nextRevision && !this.#exactStart) {
      // Only the revision before ours is gone, and we need nothing of it.
      this.#exactStart = true;
      this.#broken(new Error(`compacted at ${compactRevision}`));
      return;
    }
    if (compactRevision > 0) {
      this.cancel();
      this.#options.handlers.onCompacted();
      return;
    }
    this.#broken(new Error(`cancelled by the server: ${response.cancel_reason || 'no reason given'}`));
  }

  /**
   * Asks for progress, which every live stream answers while its watch is synced. A stream that
   * says nothing at all is dead.
   */
  #armWatchdog(): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(this.#options.progressEveryMs, () => {
      if (!this.#stream) return;
      const silentForMs = this.#options.clock.monotonicMs() - this.#lastWordAtMs;
      if (silentForMs >= this.#options.silenceLimitMs) {
        this.#broken(new Error(`the server said nothing for ${durationText(silentForMs)}`));
        return;
      }
      if (this.#created) this.#stream.write({ progress_request: {} });
      this.#armWatchdog();
    });
  }

  #broken(cause: unknown): void {
    if (this.#ended) return;
    const stream = this.#stream;
    this.#stream = null;
    stream?.cancel();
    const error = new OperationError('STORE_UNAVAILABLE', `watch ${this.#options.prefix}: ${errorText(cause)}`, {
      cause,
    });
    this.#options.onFailure(error);
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(
      backoffMs(this.#attempt, STORE_BACKOFF, this.#options.random.next()),
      () => void this.#connect(),
    );
    this.#attempt += 1;
    this.#options.handlers.onDisconnected?.(error);
  }
}

/**
 * Half-closes first. etcd3 resets the endpoint's connections when a stream that is still writable
 * fails, and a cancelled one "fails".
 */
function quietly(stream: WatchStream): void {
  stream.end();
  stream.cancel();
}
