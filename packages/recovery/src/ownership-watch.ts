import {
  type Clock,
  type Cloud,
  errorText,
  type HistoryRecord,
  invariant,
  isOperationError,
  type Keyspace,
  type Log,
  type MovedItem,
  OperationError,
  type Term,
  unwritten,
} from '@understudy/shared';
import { type Found, ownershipMove } from './core/ownership.ts';
import type { MoveWatch, Services, Watched } from './identity/move-watch.ts';
import { REGISTERED } from './registered.ts';
import type { RecoveryRegistry } from './registry.ts';

/** A history record of a recovery whose replacement is in charge, as it was read. */
export interface WatchedRecovery {
  readonly key: string;
  readonly record: HistoryRecord;
  readonly modRevision: number;
  /** The revision of the activation that names its replacement. */
  readonly activationModRevision: number;
}

export interface OwnershipWatchOptions {
  readonly cloud: Cloud;
  /** What names members; absent, or without one: what is there is not watched. */
  readonly names?: Omit<Services, 'cloud'>;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly log: Log;
  /** What the term must still hold for before each call, ms. */
  readonly callTimeoutMs: number;
  /** One look may be outdated: it counts when another one says so after this time, ms. */
  readonly confirmAfterMs?: number;
  readonly registry?: Pick<RecoveryRegistry, 'identityMoves'>;
}

const CONFIRM_AFTER_MS = 10_000;

/**
 * Looks whether what a recovery has moved is where it was put, and puts back once what has gone
 * astray: guarded record → conditional call. **S** (S12) Nothing is taken from anybody but the
 * instance that the recovery retired, and from that only while it is seen down; a call that lands
 * late is conditional, like those of the moves.
 */
export class OwnershipWatch {
  readonly #options: Required<OwnershipWatchOptions>;
  readonly #services: Services;
  /** First look of the unbroken run that showed an item astray, monotonic ms. */
  readonly #astraySinceMs = new Map<string, number>();

  constructor(options: OwnershipWatchOptions) {
    this.#options = { confirmAfterMs: CONFIRM_AFTER_MS, registry: REGISTERED, names: {}, ...options };
    this.#services = { ...options.names, cloud: options.cloud };
  }

  /**
   * One look at everything that the recovery has moved. What is written conflicts with whoever else
   * writes the record; then the next pass looks again. @throws LEASE_LOST, STORE_*
   */
  async look(term: Term, recovery: WatchedRecovery): Promise<void> {
    for (const [index, item] of (recovery.record.moved ?? []).entries()) {
      const watch = this.#options.registry.identityMoves.find((one) => one.record.name === item.move)?.watch;
      if (!watch) continue;
      // A record that was written is another one: the rest is looked at in the next pass.
      if (await this.#lookAt(term, recovery, { item, index, watch })) return;
    }
  }

  async #lookAt(term: Term, recovery: WatchedRecovery, { item, index, watch }: Subject): Promise<boolean> {
    const { record } = recovery;
    invariant(record.newInstanceId !== null, 'a recovery with a replacement');
    const { oldInstanceId, newInstanceId } = record;
    const watched: Watched = {
      member: record.member,
      item: item.item,
      place: item.place,
      newInstanceId,
      oldInstanceId,
    };
    const found = await this.#found(term, watch, watched);
    if (!this.#isConfirmed(`${record.opId} ${item.move} ${item.item}`, found)) return false;
    const move = ownershipMove(item, found, this.#options.clock.wallMs());
    if (move.kind === 'nothing') return false;
    if (!(await this.#write(term, recovery, index, { ...item, flip: move.flip }))) return true;
    const facts = { member: record.member, opId: record.opId, what: watch.text(item.item), holder: move.flip.holder };
    const { log } = this.#options;
    if (move.kind === 'put-back') {
      log.warn('identity.astray', { ...facts, tries: move.flip.tries });
      await this.#putBack(term, watch, watched, move.from);
    } else if (move.flip.left === undefined) log.info('identity.back', facts);
    else log.error('identity.left', { ...facts, text: move.flip.left });
    return true;
  }

  /** An older picture is no reason to act; what is where it belongs needs no second look. */
  #isConfirmed(key: string, found: Found): boolean {
    const { clock, confirmAfterMs } = this.#options;
    if (found.kind === 'there') this.#astraySinceMs.delete(key);
    if (found.kind === 'there' || found.kind === 'unknown') return true;
    const nowMs = clock.monotonicMs();
    const sinceMs = this.#astraySinceMs.get(key) ?? nowMs;
    this.#astraySinceMs.set(key, sinceMs);
    return nowMs - sinceMs >= confirmAfterMs;
  }

  async #found(term: Term, watch: MoveWatch, watched: Watched): Promise<Found> {
    const { cloud } = this.#options;
    const options = { signal: term.signal };
    try {
      const found = await watch.look(this.#services, watched, options);
      if (found.kind !== 'retired') return found;
      const [old] = await cloud.describeInstances({ 'instance-id': [watched.oldInstanceId] }, options);
      const isDown = old === undefined || old.state === 'stopped' || old.state === 'terminated';
      return isDown ? found : { kind: 'elsewhere', holder: `${watched.oldInstanceId}, which is ${old.state},` };
    } catch (error) {
      if (!isOperationError(error) || term.signal.aborted) throw error;
      return { kind: 'unknown' };
    }
  }

  async #write(term: Term, recovery: WatchedRecovery, index: number, item: MovedItem): Promise<boolean> {
    const { key, modRevision, record, activationModRevision } = recovery;
    const { keys } = this.#options;
    const moved = (record.moved ?? []).map((one, at) => (at === index ? item : one));
    const outcome = await term.commit({
      puts: [{ key, expect: modRevision, record: { ...unwritten(record), moved } }],
      also: [
        { key: keys.activation(record.member), modRevision: activationModRevision },
        { key: keys.intent(record.member), modRevision: 0 },
      ],
    });
    return outcome.kind === 'committed';
  }

  /** Refusals are no news: the next look tells what came of it. */
  async #putBack(term: Term, watch: MoveWatch, watched: Watched, from: string | null): Promise<void> {
    const { log } = this.#options;
    const services = this.#services;
    try {
      if (from !== null) await watch.takeOff(services, watched, from, this.#sending(term));
      await watch.putBack(services, watched, this.#sending(term));
    } catch (error) {
      if (!isOperationError(error) || error.code === 'LEASE_LOST') throw error;
      log.warn('identity.put_back.failed', { what: watch.text(watched.item), error: errorText(error) });
    }
  }

  #sending(term: Term) {
    const mayStart = () => term.holdsFor(this.#options.callTimeoutMs);
    if (!mayStart()) throw new OperationError('LEASE_LOST', 'the term does not hold long enough for another call');
    return { signal: term.signal, mayStart };
  }
}

interface Subject {
  readonly item: MovedItem;
  readonly index: number;
  readonly watch: MoveWatch;
}

/** What somebody has to look at, in words: what is not where it was put. */
export function strayTexts(
  { moved = [], member }: Pick<HistoryRecord, 'moved' | 'member'>,
  registry: Pick<RecoveryRegistry, 'identityMoves'> = REGISTERED,
): readonly string[] {
  return moved.flatMap(({ move, item, flip }) => {
    if (!flip || (flip.backAtWallMs !== undefined && flip.left === undefined)) return [];
    const what = registry.identityMoves.find((one) => one.record.name === move)?.watch?.text(item) ?? `${move} ${item}`;
    const since = new Date(flip.seenAtWallMs).toISOString();
    const state = flip.left ?? 'it is being put back';
    return [`${what} of ${member} is not where its recovery put it since ${since}: ${flip.holder} has it (${state})`];
  });
}
