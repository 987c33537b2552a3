import {
  type Clock,
  type Cloud,
  forEachBounded,
  type Keyspace,
  type Log,
  type MemberId,
  type MemberRecord,
  type MonotonicMs,
  type Term,
  type Unwritten,
  unwritten,
} from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { ClaimProblem } from '../../enrol/claims.ts';
import { decideEnrolment, type EnrolConflict, type Enrolment, type MemberRefresh } from '../../enrol/enrol.ts';
import { listClaimants } from '../list-claimants.ts';
import type { LeaderJob } from './leader-job.ts';
import { goneNames } from '../raise-ordinal.ts';
import type { Readiness } from '../readiness.ts';

/** Guarded writes of one pass under way at the same time. */
const WRITES_AT_ONCE = 8;
const READINESS_PROBLEMS_MAX = 20;

/**
 * Keeps membership and readiness up to date while we lead: list, decide (core/enrol), write
 * guarded. A write that conflicts is left to the next pass, which reads again. Nothing is ever
 * removed.
 */
export class Enroller implements LeaderJob {
  readonly name = 'enrol';
  readonly everyMs: number;
  readonly #cloud: Cloud;
  readonly #view: ClusterState;
  readonly #keys: Keyspace;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #readiness: Readiness;
  #conflicts: ReadonlyMap<MemberId, EnrolConflict> = new Map();
  #unusable: readonly ClaimProblem[] = [];
  #completedAtMs: MonotonicMs | null = null;
  #unseenCount = 0;

  constructor(options: {
    readonly everyMs: number;
    readonly cloud: Cloud;
    readonly view: ClusterState;
    readonly keys: Keyspace;
    readonly clock: Clock;
    readonly log: Log;
    readonly readiness: Readiness;
  }) {
    this.everyMs = options.everyMs;
    this.#cloud = options.cloud;
    this.#view = options.view;
    this.#keys = options.keys;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#readiness = options.readiness;
  }

  /** Members that two instances claim, as of the last pass. */
  get conflicts(): ReadonlyMap<MemberId, EnrolConflict> {
    return this.#conflicts;
  }

  /** Instances whose tags say nothing usable, as of the last pass. */
  get unusable(): readonly ClaimProblem[] {
    return this.#unusable;
  }

  /** When a pass last listed the instances; null = not yet in this process's present term. */
  get completedAtMs(): MonotonicMs | null {
    return this.#completedAtMs;
  }

  /** A new term knows nothing of what an earlier one saw. */
  beginTerm(): void {
    this.#conflicts = new Map();
    this.#unusable = [];
    this.#completedAtMs = null;
  }

  /** None: what tags say wrong is told as who is not enrolled. */
  /**
   * @throws what the listing throws (EC2), LEASE_LOST, or a store error; whatever was written stays
   * written.
   */
  async run(term: Term): Promise<void> {
    const listedAtRevision = this.#view.revision;
    const { records } = this.#view;
    const zones = new Map([...records.members.values()].map(({ record }) => [record.instanceId, record.az]));
    const zoneOf = (instanceId: string) => zones.get(instanceId) ?? null;
    const { instances, unseen } = await listClaimants({ cloud: this.#cloud, zoneOf, signal: term.signal });
    this.#noteUnseen(unseen.length);
    const decisions = decideEnrolment({
      instances,
      unseen,
      members: records.members,
      activations: records.activations,
      intents: records.intents,
      unreadable: this.#view.blockedMembers(),
      lastIncarnation: this.#lastIncarnations(),
      goneNames: goneNames(records),
      listedAtRevision,
      nowWallMs: this.#clock.wallMs(),
    });
    this.#report(decisions.conflicts, decisions.problems);
    this.#completedAtMs = this.#clock.monotonicMs();
    await forEachBounded(decisions.enrol, WRITES_AT_ONCE, (one) => this.#enrol(term, one));
    await forEachBounded(decisions.refresh, WRITES_AT_ONCE, (one) => this.#refresh(term, one));
    for (const member of this.#readiness.due()) await this.#examine(term, member);
  }

  #noteUnseen(count: number): void {
    if (count > 0 !== this.#unseenCount > 0) {
      if (count > 0) this.#log.warn('enrol.zone_unseen', { count });
      else this.#log.info('enrol.zone_seen_again');
    }
    this.#unseenCount = count;
  }

  #lastIncarnations(): ReadonlyMap<MemberId, number> {
    const last = new Map<MemberId, number>();
    for (const [member, entries] of this.#view.records.history) {
      for (const { record } of entries.values())
        last.set(member, Math.max(last.get(member) ?? 0, record.newIncarnation ?? 0));
    }
    return last;
  }

  #report(conflicts: readonly EnrolConflict[], problems: readonly ClaimProblem[]): void {
    for (const conflict of conflicts) {
      if (this.#conflicts.get(conflict.member)?.reason !== conflict.reason)
        this.#log.error('enrol.conflict', { ...conflict });
    }
    const known = new Set(this.#unusable.map((one) => `${one.instanceId} ${one.code}`));
    for (const problem of problems) {
      if (known.has(`${problem.instanceId} ${problem.code}`)) continue;
      // Every instance that starts is not running yet for a while.
      this.#log[problem.code === 'NotRunningYet' ? 'info' : 'warn']('enrol.problem', { ...problem });
    }
    this.#conflicts = new Map(conflicts.map((one) => [one.member, one]));
    this.#unusable = problems;
  }

  async #enrol(term: Term, { member, memberRecord, activationRecord }: Enrolment): Promise<void> {
    const outcome = await term.commit({
      puts: [
        { key: this.#keys.activation(member), record: activationRecord, expect: 0 },
        { key: this.#keys.member(member), record: memberRecord, expect: 0 },
      ],
      also: [{ key: this.#keys.intent(member), modRevision: 0 }],
    });
    if (outcome.kind === 'committed')
      this.#log.info('member.enrolled', {
        member,
        instanceId: activationRecord.instanceId,
        incarnation: activationRecord.incarnation,
        term: term.number,
      });
  }

  async #refresh(term: Term, refresh: MemberRefresh): Promise<void> {
    await this.#putMember(term, refresh.record, refresh.expect, refresh.activationModRevision);
  }

  async #putMember(term: Term, record: Unwritten<MemberRecord>, expect: number, activation: number): Promise<void> {
    const { member } = record;
    await term.commit({
      puts: [{ key: this.#keys.member(member), record, expect }],
      also: [{ key: this.#keys.activation(member), modRevision: activation }],
    });
  }

  /**
   * Asks what would stop a recovery of this member now. EC2 not answering is no finding: it is
   * tried again.
   */
  async #examine(term: Term, member: MemberId): Promise<void> {
    const stored = this.#view.records.members.get(member);
    const activation = this.#view.records.activations.get(member);
    if (!stored || activation?.record.instanceId !== stored.record.instanceId) return;
    const found = await this.#readiness.look(stored.record, term.signal);
    if (found === null) return;
    const { instanceId } = stored.record;
    const readinessProblems = found.slice(0, READINESS_PROBLEMS_MAX);
    if (JSON.stringify(readinessProblems) === JSON.stringify(stored.record.readinessProblems)) return;
    if (readinessProblems.length > 0)
      this.#log.warn('member.not_ready', { member, instanceId, problems: readinessProblems });
    const record = unwritten(stored.record);
    await this.#putMember(term, { ...record, readinessProblems }, stored.modRevision, activation.modRevision);
  }
}
