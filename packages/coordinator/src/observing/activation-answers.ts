import {
  type ActivationRecord,
  type IntentRecord,
  instanceHashOf,
  isUndo,
  type MemberId,
  type MonotonicMs,
  type ServePromise,
  staysInPlace,
} from '@understudy/shared';
import type { ActivationAnswer, ActivationSource } from '@understudy/observer';
import type { ClusterRecords } from '../store/cluster-records.ts';
import { promiseFault } from '@understudy/recovery';

/** What etcd says of one instance, and the newest revision that says so. 0: no record says it. */
interface Judged {
  readonly activation: ActivationAnswer['activation'];
  readonly incarnation: number;
  readonly revision: number;
}

/** The part of the etcd view that the answers need. */
export interface AnswerView {
  readonly records: Pick<ClusterRecords, 'activations' | 'intents' | 'history' | 'members'>;
  /** Age of the newest proof that the view is current. Null: there never was one. */
  contactAgeMs(): number | null;
  /** Our monotonic time of that proof. Null: there never was one. */
  provenAtMs(): MonotonicMs | null;
  /** True when a record that says which instance of this member may serve is unreadable. */
  cannotAnswer(member: MemberId): boolean;
}

export interface AnswerLeadership {
  /** Term of the leader the watch shows. 0 when there is none. */
  knownTerm(): number;
}

/** How long an answer holds at most after the moment it was true in etcd, in ms. */
export const answersHoldMsFor = (leaseTtlMs: number): number => leaseTtlMs * 2;

const unsaid = (term: number): ActivationAnswer => ({
  activation: 'unknown',
  incarnation: 0,
  holdsForMs: 0,
  term,
  leaderLive: false,
});

/**
 * What acks tell an instance about its right to serve, from our view of etcd.
 *
 * **S** (S9): an `active` rests on a view proven current at a moment not earlier than the first
 * datagram of the instance's present boot. An instance that was fenced and comes back begins a new
 * boot. The intent came before the stop and the stop before that boot, so such a view contains the
 * intent. However old the view is, it cannot bring a predecessor back. An instance that serves is
 * not stopped by the `unknown` until then.
 *
 * **S**: while a recovery in place is open, its instance stays the one that may serve: no other one
 * may, and the next recovery, which may put another one in charge, fences it first. So it proves
 * its services before that recovery is closed as mended.
 *
 * **S**: an `active` is never given from a view older than `freshForMs`, and `holdsForMs` is what
 * is left of that time. So no instance relies on an answer of ours later than `freshForMs` after
 * the moment it was true in etcd. The bound is 2 × the lease. Within one lease a broken connection
 * has been noticed and another etcd member tried. Beyond two, a leader on the other side of a
 * partition can have begun a recovery, and a group that opted into waiting out the serve lease
 * counts on our silence.
 *
 * **S** (S9): an answer is ranked by the newest revision of etcd it rests on. An agent that an
 * intent has fenced believes an `active` again only where the activation was written after that
 * intent: every transaction that closes a recovery and leaves its instance in charge writes it. The
 * records of a view from before the intent are older.
 *
 * **S**: an `active` is never given to an agent that does not promise what the member's serve
 * contract asks for (`recovery/src/core/serve-lease`).
 */
export class ActivationAnswers implements ActivationSource {
  readonly #view: AnswerView;
  readonly #leadership: AnswerLeadership;
  readonly #freshForMs: number;
  /**
   * Hashes of instance ids, kept as long as the record they come from. Acks are frequent, and
   * SHA-256 is not free.
   */
  readonly #hashes = new WeakMap<object, string>();

  constructor(options: {
    readonly view: AnswerView;
    readonly leadership: AnswerLeadership;
    readonly leaseTtlMs: number;
  }) {
    this.#view = options.view;
    this.#leadership = options.leadership;
    this.#freshForMs = answersHoldMsFor(options.leaseTtlMs);
  }

  answer(
    member: MemberId,
    instanceHash: string,
    bootHeardAtMs: MonotonicMs,
    promise: ServePromise | null,
  ): ActivationAnswer {
    const ageMs = this.#view.contactAgeMs();
    const term = this.#leadership.knownTerm();
    const holdsForMs = ageMs === null ? 0 : this.#freshForMs - ageMs;
    if (holdsForMs <= 0 || this.#view.cannotAnswer(member)) return unsaid(term);
    const { revision, ...judged } = this.#judge(member, instanceHash);
    const said = { ...judged, term: Math.max(term, revision), leaderLive: term > 0 };
    // An answer that forbids may rest on an older view: at worst an instance waits that need not.
    if (judged.activation === 'active') {
      if (!this.#isProvenSince(bootHeardAtMs)) return unsaid(term);
      const contract = this.#view.records.members.get(member)?.record.serveContract ?? null;
      if (contract !== null) {
        const agreedForMs = Math.min(holdsForMs, contract.answersHoldMs - (ageMs ?? 0));
        if (agreedForMs <= 0 || promiseFault(contract, promise) !== null) return unsaid(term);
        return { ...said, holdsForMs: agreedForMs };
      }
    }
    return { ...said, holdsForMs };
  }

  #isProvenSince(momentMs: MonotonicMs): boolean {
    return (this.#view.provenAtMs() ?? Number.NEGATIVE_INFINITY) >= momentMs;
  }

  #judge(member: MemberId, instanceHash: string): Judged {
    const { activations, intents, history } = this.#view.records;
    const open = intents.get(member);
    const intent = open?.record;
    const named = activations.get(member);
    const activation = named?.record;
    // From the intent on the old instance is on its way out, whatever the activation still says;
    // unless it is to come back itself.
    if (open && intent && !staysInPlace(intent.plan) && this.#oldHash(intent) === instanceHash)
      return { activation: 'fenced', incarnation: intent.oldIncarnation, revision: open.modRevision };
    const so = { incarnation: activation?.incarnation ?? 0, revision: named?.modRevision ?? 0 };
    if (activation && this.#activeHash(activation) === instanceHash) return { activation: 'active', ...so };
    // Retired once, and about to serve again: it waits like any replacement.
    if (intent && isUndo(intent.plan) && instanceHashOf(intent.plan.undo.instanceId) === instanceHash)
      return { activation: 'standby', ...so };
    for (const { record } of history.get(member)?.values() ?? []) {
      if ((record.outcome === 'replaced' || record.outcome === 'undone') && this.#oldHash(record) === instanceHash)
        return { activation: 'fenced', ...so };
    }
    // While a recovery is open a newcomer is most likely its replacement: it waits. Otherwise
    // another instance holds the activation.
    if (intent || !activation) return { activation: 'standby', ...so };
    return { activation: 'fenced', ...so };
  }

  #oldHash(record: Pick<IntentRecord, 'oldInstanceId'>): string {
    return this.#hashOf(record, record.oldInstanceId);
  }

  #activeHash(record: ActivationRecord): string {
    return this.#hashOf(record, record.instanceId);
  }

  #hashOf(record: object, instanceId: string): string {
    const known = this.#hashes.get(record);
    if (known !== undefined) return known;
    const hash = instanceHashOf(instanceId);
    this.#hashes.set(record, hash);
    return hash;
  }
}
