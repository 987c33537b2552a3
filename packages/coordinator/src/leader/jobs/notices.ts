import {
  type Clock,
  durationText,
  type GuardedDelete,
  type Keyspace,
  laterBy,
  type Log,
  type Problem,
  problemOf,
  type Random,
  type Term,
} from '@understudy/shared';
import { leaderChange } from '../../notices/change.ts';
import { SinkState } from '../../notices/delivery.ts';
import type { Outbox } from '../../notices/outbox.ts';
import { settle, type Settling } from '../../notices/settle.ts';
import { type ConfiguredSink, messageOf, type SendNotice } from '../../notices/sink.ts';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

/** Deliveries to one sink in one pass. */
const PER_PASS_MAX = 20;
/** The others wait for one that is slow no longer than this, and for its last delivery. */
const SERVED_FOR_MS = 5_000;
/** Notices settled in one pass, each in a transaction of its own but for the removals. */
const SETTLED_PER_PASS_MAX = 50;
/** So many that were given up are kept; older ones go. */
export const UNDELIVERED_MAX = 200;
/** A sink that fails for so long is a problem. */
const FAILING_TOLD_AFTER_MS = 60_000;

export interface NoticeSettings {
  readonly sinks: readonly ConfiguredSink[];
  readonly giveUpAfterMs: number;
  readonly linkBase: string | null;
}

export interface NoticesJobOptions {
  readonly everyMs: number;
  readonly settings: NoticeSettings;
  readonly outbox: Outbox;
  readonly send: SendNotice;
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** For the metrics. */
  readonly onTried: (sink: string, outcome: 'taken' | 'refused') => void;
}

/**
 * Delivers what lies in the outbox, at least once: a notice is removed after the sink has taken
 * it, so a leader that dies in between is followed by one that sends it again, under the same id.
 * Each sink is served by itself, the oldest notice first, so that one that is down delays no
 * other. Writes are guarded by the term.
 */
export class NoticesJob implements LeaderJob {
  readonly name = 'notices';
  readonly everyMs: number;
  readonly #options: NoticesJobOptions;
  #states: readonly SinkState[] = [];
  /** The term whose beginning was told. */
  #toldTerm = 0;

  constructor(options: NoticesJobOptions) {
    this.everyMs = options.everyMs;
    this.#options = options;
  }

  /** Everything is tried anew: what kept the last leader from a sink may not keep us. */
  beginTerm(): void {
    this.#states = this.#options.settings.sinks.map((sink) => new SinkState(sink));
  }

  /** @throws LEASE_LOST or a store error; what was not written is due again then. */
  async run(term: Term): Promise<void> {
    const { view, settings } = this.#options;
    if (settings.sinks.length === 0 || !view.isFresh()) return;
    await this.#tellTerm(term);
    for (const state of this.#states) state.keepOnly(view.records.outbox);
    await Promise.all(this.#states.map((state) => this.#serve(term, state)));
    await this.#settle(term);
    await this.#forget(term);
  }

  remarks(): readonly Problem[] {
    const { view, clock, outbox } = this.#options;
    const nowMs = clock.monotonicMs();
    const failing = this.#states.flatMap(({ sink, failing: one }) =>
      one !== null && nowMs - one.sinceMs >= FAILING_TOLD_AFTER_MS
        ? [problemOf(sink.failing, `${sink.name} takes nothing for ${durationText(nowMs - one.sinceMs)}: ${one.error}`)]
        : [],
    );
    const given = view.records.undelivered.size;
    const lost = outbox.dropped;
    return [
      ...failing,
      ...(given > 0 ? [problemOf('NOTICES_UNDELIVERED', `${given} notices were given up and are kept`)] : []),
      ...(lost > 0 ? [problemOf('NOTICES_DROPPED', `${lost} notices found no room and are lost`)] : []),
    ];
  }

  /** That we lead, once a term. The judge that stood before says who did so before. */
  async #tellTerm(term: Term): Promise<void> {
    if (this.#toldTerm === term.number) return;
    const judge = this.#options.view.records.judge.get('current')?.record;
    const before = judge !== undefined && judge.term < term.number ? judge.coordinatorId : null;
    const [first, ...others] = this.#options.outbox.putsFor([leaderChange(term.coordinatorId, before)]);
    if (first && before !== term.coordinatorId) await term.commit({ puts: [first, ...others] });
    this.#toldTerm = term.number;
  }

  async #serve(term: Term, state: SinkState): Promise<void> {
    const { view, clock, random, send, settings, onTried, log } = this.#options;
    const { name, timeoutMs } = state.sink;
    const endsAtMs = laterBy(clock.monotonicMs(), SERVED_FOR_MS);
    for (let sent = 0; sent < PER_PASS_MAX && clock.monotonicMs() < endsAtMs; sent += 1) {
      const notice = state.next(view.records.outbox, clock.monotonicMs());
      // Whoever leads next sends it. A second delivery is harmless, and need not be made.
      if (notice === null || !term.holdsFor(Math.min(timeoutMs, 1_000))) return;
      const message = messageOf(notice, settings.linkBase);
      const delivery = await send(state.sink, message, term.signal);
      if (term.signal.aborted && delivery.kind === 'refused') return;
      const wasFailing = state.errorOf(notice.id) !== null;
      state.note(notice.id, delivery, clock.monotonicMs(), random.next());
      onTried(name, delivery.kind);
      const facts = { webhook: name, id: notice.id, kind: notice.kind, term: term.number };
      if (delivery.kind === 'taken') log.info('notice.delivered', facts);
      else if (!wasFailing) log.warn('notice.refused', { ...facts, error: delivery.text });
    }
  }

  async #settle(term: Term): Promise<void> {
    const { view, keys, clock, settings } = this.#options;
    const { giveUpAfterMs } = settings;
    const context = { states: this.#states, keys, nowWallMs: clock.wallMs(), giveUpAfterMs };
    const due = [...view.records.outbox.values()].flatMap((stored) => settle(stored, context) ?? []);
    const now = due.slice(0, SETTLED_PER_PASS_MAX);
    await this.#remove(
      term,
      now.filter(({ puts }) => puts.length === 0).flatMap(({ deletes }) => deletes),
    );
    for (const one of now) await this.#write(term, one);
  }

  async #write(term: Term, { id, puts: [first, ...others], deletes, givenUp }: Settling): Promise<void> {
    if (!first) return;
    const outcome = await term.commit({ puts: [first, ...others], deletes });
    if (outcome.kind === 'conflict') return;
    for (const one of givenUp) this.#options.log.error('notice.given_up', { ...one, id, term: term.number });
  }

  /** Keeps the newest of what was given up. */
  async #forget(term: Term): Promise<void> {
    const { view, keys } = this.#options;
    const byAge = [...view.records.undelivered.values()].sort(
      (a, b) => a.record.givenUpAtWallMs - b.record.givenUpAtWallMs,
    );
    const over = byAge.slice(0, Math.max(0, byAge.length - UNDELIVERED_MAX)).slice(0, SETTLED_PER_PASS_MAX);
    await this.#remove(
      term,
      over.map(({ record, modRevision }) => ({
        key: keys.undeliveredNotice(record.webhook, record.id),
        expect: modRevision,
      })),
    );
  }

  async #remove(term: Term, [first, ...others]: readonly GuardedDelete[]): Promise<void> {
    if (first) await term.remove([first, ...others]);
  }
}
