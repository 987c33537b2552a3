import {
  type BucketLimit,
  type CallUrgency,
  type Clock,
  type CloudCallOptions,
  fullBucket,
  msUntilTokens,
  OperationError,
  takeTokens,
  type Timer,
  type TokenBucket,
} from '@understudy/shared';
import { notSent } from '../transport/not-sent.ts';

/** Asks about these ids with one call. */
type AskIds<T> = (ids: readonly string[], options: CloudCallOptions) => Promise<readonly T[]>;

export interface ReadBatchesOptions<T> {
  /** For errors. */
  readonly action: string;
  readonly clock: Clock;
  readonly ask: AskIds<T>;
  readonly idOf: (item: T) => string;
}

/** One call under way, and for how many it is. */
interface UnderWay {
  readonly abort: AbortController;
  wantedBy: number;
}

interface Asked {
  readonly ids: ReadonlySet<string>;
  readonly options: CloudCallOptions;
}

/** Somebody who asked, and has no answer yet. At most as many as there are callers. */
interface Reader<T> extends Asked {
  readonly resolve: (found: readonly T[]) => void;
  readonly reject: (error: unknown) => void;
  /** Null: its call has not begun. */
  call: UnderWay | null;
}

interface Zone<T> {
  allowance: TokenBucket;
  waiting: Set<Reader<T>>;
  timer: Timer | null;
  /** Its newest batch failed: what stays broken is not repeated. */
  failing: boolean;
}

/** DescribeInstanceStatus takes no more ids, and one unknown id fails a whole call by ids. */
const IDS_PER_CALL = 100;

/**
 * Calls per zone before reads have to wait for company. One recovery never comes that far. With
 * three zones it stays within the default share of EC2's 20 reads a second.
 */
const ALLOWANCE: BucketLimit = { burst: 4, refillPerSecond: 4 };

const URGENCY: readonly CallUrgency[] = ['safety', 'usual', 'chore'];

/**
 * Reads about single things, put together zone by zone: one call answers everybody who asked about
 * something in that zone. Nobody waits while few ask. Where many do, a zone's calls go out at a
 * bounded pace, each with all who came meanwhile, so that the cadence follows demand and budget.
 *
 * **S** (S4) A call answers only readers who had asked before it was begun. So what a reader is
 * told was read after it asked, and a step that asks after its own call was answered never sees an
 * older look of somebody else.
 *
 * No call names ids of two zones, so a zone that EC2 cannot read fails its own readers only.
 */
export class ReadBatches<T> {
  readonly #options: ReadBatchesOptions<T>;
  /** One per zone that was read: a Region has a handful. */
  readonly #zones = new Map<string, Zone<T>>();
  #askedCount = 0;
  #sentCount = 0;

  constructor(options: ReadBatchesOptions<T>) {
    this.#options = options;
  }

  /** Reads asked for, and calls made for them, since the start. */
  get counts(): { readonly asked: number; readonly sent: number } {
    return { asked: this.#askedCount, sent: this.#sentCount };
  }

  /** What EC2 shows of these ids, all in `zone`, read after this moment. At most 100 ids. */
  read(zone: string, ids: readonly string[], options: CloudCallOptions): Promise<readonly T[]> {
    const { signal } = options;
    const { action } = this.#options;
    if (signal?.aborted) return Promise.reject(notSent(action, 'aborted before it was sent', signal.reason));
    const place = this.#zoneOf(zone);
    this.#askedCount += 1;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        if (place.waiting.delete(reader)) reject(notSent(action, 'aborted while it waited', signal?.reason));
        else reject(new OperationError('CLOUD_UNAVAILABLE', `${action}: aborted`, { cause: signal?.reason }));
        if (reader.call) endForOne(reader.call, signal?.reason);
      };
      const end = (settle: () => void) => {
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const reader: Reader<T> = {
        ...{ ids: new Set(ids), options, call: null },
        resolve: (found) => end(() => resolve(found)),
        reject: (error) => end(() => reject(error)),
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      place.waiting.add(reader);
      if (!place.timer) this.#begin(place);
    });
  }

  #zoneOf(zone: string): Zone<T> {
    const known = this.#zones.get(zone);
    if (known) return known;
    const allowance = fullBucket(ALLOWANCE, this.#options.clock.monotonicMs());
    const made: Zone<T> = { allowance, waiting: new Set(), timer: null, failing: false };
    this.#zones.set(zone, made);
    return made;
  }

  /** Begins as many calls as the zone's allowance covers; the others wait for it. */
  #begin(zone: Zone<T>): void {
    const { clock } = this.#options;
    zone.timer = null;
    const nowMs = clock.monotonicMs();
    while (zone.waiting.size > 0) {
      const left = takeTokens(zone.allowance, ALLOWANCE, nowMs);
      if (!left) break;
      zone.allowance = left;
      void this.#ask(zone, takeTogether(zone.waiting));
    }
    if (zone.waiting.size === 0) return;
    zone.timer = clock.setTimer(msUntilTokens(zone.allowance, ALLOWANCE, nowMs), () => this.#begin(zone));
  }

  /** One call for these readers. It settles all of them. */
  async #ask(zone: Zone<T>, readers: readonly Reader<T>[]): Promise<void> {
    const { ask, idOf } = this.#options;
    const ids = [...new Set(readers.flatMap((reader) => [...reader.ids]))];
    const call = { abort: new AbortController(), wantedBy: readers.length };
    for (const reader of readers) reader.call = call;
    this.#sentCount += 1;
    try {
      const found = await ask(ids, { ...togetherOf(readers, zone.failing), signal: call.abort.signal });
      zone.failing = false;
      for (const { ids: own, resolve } of readers) resolve(found.filter((item) => own.has(idOf(item))));
    } catch (error) {
      zone.failing = true;
      for (const { reject } of readers) reject(error);
    }
  }
}

/** Takes the most urgent readers, and whoever fits into the same call. */
function takeTogether<R extends Asked>(waiting: Set<R>): readonly R[] {
  const taken: R[] = [];
  const ids = new Set<string>();
  const inOrder = [...waiting].sort((a, b) => rankOf(a) - rankOf(b));
  for (const reader of inOrder) {
    const more = [...reader.ids].filter((id) => !ids.has(id));
    if (taken.length > 0 && ids.size + more.length > IDS_PER_CALL) continue;
    for (const id of more) ids.add(id);
    taken.push(reader);
    waiting.delete(reader);
  }
  return taken;
}

const rankOf = ({ options: { urgency = 'usual' } }: Asked): number => URGENCY.indexOf(urgency);

/**
 * How a call for several is made: as urgent as the most urgent, for as long as anybody waits, and
 * repeated where somebody wants it.
 */
function togetherOf(readers: readonly Asked[], failing: boolean): CloudCallOptions {
  const callers = new Set(readers.map(({ options }) => options.caller ?? ''));
  const [caller = ''] = callers;
  return {
    repeat: !failing && readers.some(({ options }) => options.repeat === true),
    urgency: URGENCY[Math.min(...readers.map(rankOf))] ?? 'usual',
    notAfterMs: Math.max(...readers.map(({ options }) => options.notAfterMs ?? Number.POSITIVE_INFINITY)),
    ...(callers.size === 1 ? { caller } : {}),
  };
}

/** The call ends early once nobody waits for it. */
function endForOne(call: UnderWay, reason: unknown): void {
  call.wantedBy -= 1;
  if (call.wantedBy === 0) call.abort.abort(reason);
}
