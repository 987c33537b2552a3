import type { ObserverTable } from '@understudy/observer';
import { answersHoldMsOf, FirstSeen, type LeaseStanding, leaseStanding, type ServeLeases } from '@understudy/recovery';
import {
  type Clock,
  durationText,
  groupOf,
  type Keyspace,
  type MemberId,
  type MonotonicMs,
  type ServePromise,
} from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';

export interface ServeLeaseFactsOptions {
  readonly view: ClusterState;
  readonly observer: ObserverTable;
  readonly keys: Keyspace;
  readonly clock: Clock;
}

/**
 * What this process knows of serve leases: since when its view has held each contract and each
 * intent, what the agents promised, and when it was last unable to hear them. The rules that weigh
 * it are recovery's (`core/serve-lease`).
 */
export class ServeLeaseFacts implements ServeLeases {
  readonly #options: ServeLeaseFactsOptions;
  readonly #contractsSeen = new FirstSeen();
  readonly #intentsSeen = new FirstSeen();
  #stallEndedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ServeLeaseFactsOptions) {
    this.#options = options;
  }

  /** Keys of the view that changed. Call before anybody acts on the change. */
  noteChanged(keys: readonly string[]): void {
    const { members, intents } = this.#options.keys;
    const { records } = this.#options.view;
    const nowMs = this.#options.clock.monotonicMs();
    for (const key of keys) {
      if (key.startsWith(members)) {
        const member = key.slice(members.length) as MemberId;
        this.#contractsSeen.note(member, records.members.get(member)?.record.serveContract?.id ?? null, nowMs);
      } else if (key.startsWith(intents)) {
        const member = key.slice(intents.length) as MemberId;
        const intent = records.intents.get(member);
        this.#intentsSeen.note(member, intent ? String(intent.modRevision) : null, nowMs);
      }
    }
  }

  /** A stall of ours has ended: what was not heard before proves nothing. */
  noteStallEnded(nowMs: MonotonicMs): void {
    this.#stallEndedAtMs = nowMs;
  }

  /** Since when our view has held this very intent; null: it does not. */
  intentSeenAtMs(member: MemberId, modRevision: number): MonotonicMs | null {
    return this.#intentsSeen.sinceMs(member, String(modRevision));
  }

  /** What cannot be read may answer for any time. */
  answersHoldMs(): number | null {
    const { records } = this.#options.view;
    const { coordinators } = this.#options.keys;
    for (const key of records.unreadable.keys()) if (key.startsWith(coordinators)) return null;
    return answersHoldMsOf([...records.coordinators.values()].map(({ record }) => record));
  }

  standing(member: MemberId, instanceId: string): LeaseStanding {
    const { view, observer } = this.#options;
    const contract = view.records.members.get(member)?.record.serveContract ?? null;
    const sinceMs = contract === null ? null : this.#contractsSeen.sinceMs(member, contract.id);
    const seen = contract === null || sinceMs === null ? null : { contract, sinceMs };
    return leaseStanding(seen, observer.reading(member, instanceId), {
      stallEndedAtMs: this.#stallEndedAtMs,
      answersHoldMs: this.answersHoldMs(),
    });
  }

  promise(member: MemberId, instanceId: string): ServePromise | null {
    return this.#options.observer.reading(member, instanceId)?.servePromise ?? null;
  }

  /** Whether the lease of who is in charge would count, in words; null: nobody asks for one. */
  text(member: MemberId): string | null {
    const { view } = this.#options;
    const instanceId = view.records.activations.get(member)?.record.instanceId;
    const asked = view.policyOf(groupOf(member)).recover.serveLease;
    if (instanceId === undefined || asked === null) return null;
    const standing = this.standing(member, instanceId);
    return standing.kind === 'counts'
      ? `counts: over ${durationText(standing.overAfterMs)} after a recovery begins`
      : `does not count: ${standing.text}`;
  }
}
