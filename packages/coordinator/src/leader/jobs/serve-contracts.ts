import { type Keyspace, type Log, type MemberId, type MemberRecord, type Term, unwritten } from '@understudy/shared';
import { contractDue, sameTerms, type ServeLeases, type ServeTerms } from '@understudy/recovery';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

/** Guarded writes of one pass, one after the other; the rest is left to the next. */
const WRITES_PER_PASS = 32;

/**
 * Keeps the serve contracts in the member records as the policies want them, while we lead: agreed
 * once the agent was heard to fulfil it, gone with the policy. A write that conflicts is left to
 * the next pass. Nothing new is agreed on during a recovery.
 */
export class ServeContractsJob implements LeaderJob {
  readonly name = 'serve contracts';
  readonly everyMs: number;
  readonly #view: ClusterState;
  readonly #keys: Keyspace;
  readonly #log: Log;
  readonly #leases: ServeLeases;

  constructor(options: {
    readonly everyMs: number;
    readonly view: ClusterState;
    readonly keys: Keyspace;
    readonly log: Log;
    readonly serveLeases: ServeLeases;
  }) {
    this.everyMs = options.everyMs;
    this.#view = options.view;
    this.#keys = options.keys;
    this.#log = options.log;
    this.#leases = options.serveLeases;
  }

  /** Nothing: it remembers nothing. */
  beginTerm(): void {}

  /** @throws LEASE_LOST or a store error; whatever was written stays written. */
  async run(term: Term): Promise<void> {
    let writes = 0;
    for (const [member, { record }] of [...this.#view.records.members]) {
      if (writes === WRITES_PER_PASS) return;
      const due = this.#due(member, record);
      if (sameTerms(due, record.serveContract)) continue;
      writes += 1;
      await this.#put(term, member, due);
    }
  }

  /**
   * With the policy it goes at once, an open recovery or not: whoever sees that sees the intent
   * too, and says `fenced`.
   */
  #due(member: MemberId, record: MemberRecord): ServeTerms | null {
    const { records } = this.#view;
    // What the policy says is not known while the group's record cannot be read.
    if (this.#view.isBlocked(member)) return record.serveContract;
    const {
      recover: { serveLease },
    } = this.#view.policyOf(record.group);
    if (serveLease === null) return null;
    const activation = records.activations.get(member)?.record;
    if (records.intents.has(member) || !activation) return record.serveContract;
    const promise = this.#leases.promise(member, activation.instanceId);
    return contractDue(serveLease, record.serveContract, promise, this.#leases.answersHoldMs());
  }

  async #put(term: Term, member: MemberId, due: ServeTerms | null): Promise<void> {
    const stored = this.#view.records.members.get(member);
    const activation = this.#view.records.activations.get(member);
    if (!stored || !activation) return;
    const record = unwritten(stored.record);
    // Only one write can follow that revision, so no two contracts have this id.
    const serveContract = due && { ...due, id: `${term.number}-${stored.modRevision}` };
    const outcome = await term.commit({
      puts: [{ key: this.#keys.member(member), record: { ...record, serveContract }, expect: stored.modRevision }],
      also: [
        { key: this.#keys.activation(member), modRevision: activation.modRevision },
        ...(due ? [{ key: this.#keys.intent(member), modRevision: 0 }] : []),
      ],
    });
    if (outcome.kind === 'committed')
      if (due) this.#log.info('serve_lease.agreed', { member, ...serveContract });
      else this.#log.info('serve_lease.ended', { member });
  }
}
