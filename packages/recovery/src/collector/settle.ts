import {
  type Chore,
  type Clock,
  type HistoryRecord,
  type Leftover,
  type Log,
  type OwedChore,
  TAG,
  type Unwritten,
} from '@understudy/shared';
import { choreKey, type ChoreMove, choreMove, choreText, choreVolumeId } from '../core/chores.ts';
import { dueLeftovers, GONE_AFTER_MS, judgeKeptVolume, judgeRetired, type KnownRecoveries } from '../core/collect.ts';
import type { Absences } from './absences.ts';
import type { HistoryEntry } from './books.ts';
import { sendChore } from './chore-calls.ts';
import { type CollectPass, type EffectOutcome, NEEDED, type Refused } from './collect-pass.ts';
import type { CollectSight } from './collect-sight.ts';
import type { LeftoverKind } from '../leftover-kind.ts';
import type { RetryPace } from './retry-pace.ts';

export interface SettlingParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly absences: Absences;
  readonly pace: RetryPace;
  readonly kinds: readonly LeftoverKind[];
}

/** What becomes of one item on the books: null = off them. */
type Rest<T> = T | null;

/**
 * Settles one ended recovery: removes what is due, puts in place what is owed, and says what
 * remains, with what stands in its way.
 */
export class Settling {
  readonly #parts: SettlingParts;
  readonly #pass: CollectPass;
  readonly #history: HistoryRecord;
  readonly #known: KnownRecoveries;
  readonly #sight: CollectSight;

  constructor(
    parts: SettlingParts,
    pass: CollectPass,
    entry: HistoryEntry,
    context: { readonly known: KnownRecoveries; readonly sight: CollectSight },
  ) {
    this.#parts = parts;
    this.#pass = pass;
    this.#history = entry.record;
    this.#known = context.known;
    this.#sight = context.sight;
  }

  /** The record as it is to be from now on; null: nothing changed. @throws LEASE_LOST */
  async run(): Promise<Unwritten<HistoryRecord> | null> {
    const { leftovers, owed } = this.#history;
    const nowWallMs = this.#parts.clock.wallMs();
    const due = dueLeftovers(this.#history, nowWallMs, this.#parts.kinds);
    // In the order in which they can go; what is not due is only looked at.
    const ordered = [...due, ...leftovers.filter((one) => !due.includes(one))];
    const rests = new Map<Leftover, Rest<Leftover>>();
    for (const one of ordered) rests.set(one, await this.#leftover(one, due.includes(one)));
    const remaining = leftovers.flatMap((one) => rests.get(one) ?? []);
    const stillOwed: OwedChore[] = [];
    for (const one of owed) stillOwed.push(...listOf(await this.#chore(one)));
    const same = sameItems(remaining, leftovers) && sameItems(stillOwed, owed);
    return same ? null : { ...this.#history, leftovers: remaining, owed: stillOwed };
  }

  #leftover(one: Leftover, isDue: boolean): Promise<Rest<Leftover>> {
    if (one.kind === 'instance') return this.#instance(one, isDue);
    if (one.kind === 'volume') return this.#volume(one, isDue);
    return Promise.resolve(isDue ? this.#delete(one) : one);
  }

  /** A terminated instance is seen so by a later pass. */
  async #instance(one: Leftover, isDue: boolean): Promise<Rest<Leftover>> {
    const { instances } = this.#sight;
    if (instances === null) return one;
    const { opId, fencedBy, member } = this.#history;
    const instance = instances.get(one.id) ?? null;
    const verdict = judgeRetired({
      instance,
      unseenForMs: this.#parts.absences.note(one.id, instance !== null, this.#nowMs()),
      opId,
      due: isDue,
      activation: this.#known.activations.get(member) ?? null,
      wasSeenDown: fencedBy !== 'lease',
    });
    switch (verdict.kind) {
      case 'gone':
        return this.#gone(one);
      case 'keep':
        if (isDue) this.#kept(one, verdict.why);
        return isDue && !verdict.passing ? this.#obstructed(one, { code: verdict.code, text: verdict.why }) : one;
      case 'tag': {
        const { afterWallMs } = one;
        const until = afterWallMs === null ? {} : { [TAG.retainUntil]: new Date(afterWallMs).toISOString() };
        const tags = { [TAG.retiredBy]: opId, ...until };
        return this.#tried(
          one,
          await this.#effect(one.id, (cloud, options) => cloud.createTags([one.id], tags, options)),
        );
      }
      case 'terminate': {
        const outcome = await this.#effect(one.id, (cloud, options) => cloud.terminateInstance(one.id, options));
        if (outcome === 'done') this.#parts.log.info('collector.terminating', { instanceId: one.id });
        return this.#tried(one, outcome);
      }
    }
  }

  async #volume(one: Leftover, isDue: boolean): Promise<Rest<Leftover>> {
    const { volumes } = this.#sight;
    if (volumes === null) return one;
    const { opId, oldInstanceId } = this.#history;
    const volume = volumes.get(one.id) ?? null;
    const unseenForMs = this.#parts.absences.note(one.id, volume !== null, this.#nowMs());
    const verdict = judgeKeptVolume({ volume, unseenForMs, opId, oldInstanceId, due: isDue });
    switch (verdict.kind) {
      case 'gone':
        return this.#gone(one);
      case 'taken':
        this.#parts.log.info('collector.volume_taken', { volumeId: one.id, by: verdict.by, opId });
        return null;
      case 'keep':
        if (isDue) this.#kept(one, verdict.why);
        return isDue && !verdict.passing ? this.#obstructed(one, { code: verdict.code, text: verdict.why }) : one;
      case 'delete':
        return this.#tried(one, await this.#effect(one.id, (cloud, options) => cloud.deleteVolume(one.id, options)));
    }
  }

  /**
   * Images, snapshots, interfaces: EC2's "not found" counts once it has said nothing else for a
   * while.
   */
  async #delete(one: Leftover): Promise<Rest<Leftover>> {
    const remove = this.#parts.kinds.find((known) => known.kind === one.kind)?.remove;
    if (!remove) return this.#obstructed(one, { code: 'KindUnknown', text: `this build cannot remove a ${one.kind}` });
    const outcome = await this.#paced(one.id, () =>
      this.#pass.removal(one.id, (cloud, options) => remove(cloud, one.id, options)),
    );
    if (outcome === 'done') return this.#gone(one);
    if (outcome === 'put-off') return one;
    if (outcome === NEEDED) {
      this.#kept(one, outcome.text);
      return one;
    }
    const unseenForMs = this.#parts.absences.note(one.id, outcome !== 'not-found', this.#nowMs());
    if (unseenForMs >= GONE_AFTER_MS) return this.#gone(one);
    return this.#tried(one, outcome);
  }

  async #chore(one: OwedChore): Promise<Rest<OwedChore>> {
    const { chore } = one;
    const move = this.#moveOf(chore);
    if (move === null) return one;
    switch (move.kind) {
      case 'done':
        return this.#choreDone(chore);
      case 'moot':
        this.#parts.log.info('chore.moot', { chore: choreText(chore), why: move.why, opId: this.#history.opId });
        return null;
      case 'stuck':
        return this.#obstructed(one, move);
      case 'call': {
        const key = `${this.#history.opId} ${choreKey(chore)}`;
        const outcome = await this.#effect(key, (cloud, options) => sendChore(cloud, move.call, options));
        // Believed once a later pass sees it in place; a protection is not looked at, so EC2's word
        // has to do.
        if (outcome === 'done' && chore.kind === 'protect') return this.#choreDone(chore);
        if (outcome === 'done' || outcome === 'put-off') return one;
        const refused = outcome === 'not-found' ? NOT_FOUND : outcome;
        return this.#obstructed(one, refused);
      }
    }
  }

  /** null: it cannot be told in this pass. */
  #moveOf(chore: Chore): ChoreMove | null {
    const { instances, volumes } = this.#sight;
    const active = this.#known.activations.get(this.#history.member)?.instanceId;
    if (chore.kind !== 'retire-volume' && active !== undefined && active !== chore.instanceId)
      return { kind: 'moot', why: `${active} is activated now` };
    if (instances === null || volumes === null) return null;
    const instance = instances.get(chore.instanceId) ?? null;
    const volume = volumes.get(choreVolumeId(chore, instance) ?? '') ?? null;
    return choreMove(chore, { instance, volume });
  }

  #choreDone(chore: Chore): null {
    this.#pass.choresDone.push(choreText(chore));
    this.#parts.log.info('chore.done', { chore: choreText(chore), opId: this.#history.opId });
    return null;
  }

  #effect(key: string, call: Parameters<CollectPass['effect']>[0]): Promise<EffectOutcome> {
    return this.#paced(key, () => this.#pass.effect(call));
  }

  /** At the pace of whatever was refused before. */
  async #paced(key: string, send: () => Promise<EffectOutcome>): Promise<EffectOutcome> {
    const { pace } = this.#parts;
    if (!pace.isDue(key, this.#nowMs())) return 'put-off';
    const outcome = await send();
    if (typeof outcome === 'object') pace.failed(key, this.#nowMs());
    return outcome;
  }

  #tried(one: Leftover, outcome: EffectOutcome): Leftover {
    if (typeof outcome !== 'object') return one;
    this.#kept(one, outcome.text);
    return this.#obstructed(one, outcome);
  }

  /**
   * The same obstacle is not written again, so `since` stays true, and a pass that finds nothing
   * new writes nothing.
   */
  #obstructed<T extends Leftover | OwedChore>(one: T, { code, text }: Refused): T {
    if (one.obstacle?.code === code) return one;
    this.#parts.log.error('leftover.obstructed', {
      opId: this.#history.opId,
      member: this.#history.member,
      code,
      text,
    });
    return { ...one, obstacle: { code, text, sinceWallMs: this.#parts.clock.wallMs() } };
  }

  #gone({ kind, id }: Leftover): null {
    this.#pass.removed.push({ kind, id });
    this.#parts.log.info('collector.removed', { kind, id });
    return null;
  }

  #kept({ kind, id }: Leftover, why: string): void {
    this.#pass.kept.push({ kind, id, why });
  }

  #nowMs() {
    return this.#parts.clock.monotonicMs();
  }
}

const NOT_FOUND: Refused = { code: 'NotFound', text: 'EC2 does not know it' };

const listOf = <T>(one: T | null): T[] => (one === null ? [] : [one]);

const sameItems = <T>(now: readonly T[], before: readonly T[]): boolean =>
  now.length === before.length && now.every((one, index) => one === before[index]);
