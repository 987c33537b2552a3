import {
  type Clock,
  durationText,
  type JudgementRecord,
  type MemberId,
  type MemberView,
  type MonotonicMs,
  type Problem,
  problemOf,
  type Standing,
  type VerdictCounts,
} from '@understudy/shared';
import type { Judgement } from './assessor.ts';
import type { KnownLeader, LeadershipView } from '../store/leadership-view.ts';
import type { ClusterState } from '../store/cluster-state.ts';

/** A verdict as every face shows it. */
export type Verdict = Pick<MemberView, 'verdict' | 'reasonCode' | 'reason' | 'degraded' | 'judged'>;

export interface VerdictsOptions {
  readonly coordinatorId: string;
  readonly view: ClusterState;
  readonly leadership: LeadershipView;
  readonly clock: Clock;
  /** As we judged it in our present term; null while we do not lead. */
  readonly judged: (member: MemberId) => Judgement | null;
  /** Why etcd does not take writes: then a leader may judge and cannot publish. null: it does. */
  readonly storeTrouble: () => string | null;
  /** No leader for so long is no election any more. */
  readonly electionMs: number;
}

const NOBODY: Standing = { standing: 'none', by: null, term: null, ageMs: null };

/**
 * What is shown of verdicts, by one piece of code for status, members, explain and metrics: the
 * leader's judgement with its age, on the leader and on everybody else. Our own observer's opinion
 * is never among it. Without a fresh leader the verdict is unknown, and the last judgement stands
 * beside it as such.
 */
export class Verdicts {
  readonly #options: VerdictsOptions;
  /** Until when a term was known to stand. */
  #leaderlessSinceMs: MonotonicMs | null = null;
  #stood: { readonly term: number; readonly atMs: MonotonicMs } | null = null;

  constructor(options: VerdictsOptions) {
    this.#options = options;
  }

  /** Call on every tick: remembers how long the present leader was known to lead. */
  tick(): void {
    this.problems();
    const leader = this.leader();
    const atMs = this.#leads() ? this.#options.clock.monotonicMs() : this.#options.view.provenAtMs();
    if (leader && atMs !== null && (this.#leads() || this.#options.storeTrouble() === null))
      this.#stood = { term: leader.term, atMs };
  }

  /**
   * Who leads, if that is certain enough to say: ourselves while our term lasts, another one while
   * our view is fresh.
   */
  leader(): KnownLeader | null {
    const { view, leadership, coordinatorId } = this.#options;
    const known = view.leader();
    const term = leadership.current();
    if (term) return { coordinatorId, term: term.number, httpUrl: leadership.knownLeader()?.httpUrl ?? '' };
    // Our own key without a term: we have stopped believing before etcd did.
    return known && known.coordinatorId !== coordinatorId && view.isFresh() ? known : null;
  }

  /** That nobody leads, said once it is longer than an election takes. */
  problems(): readonly Problem[] {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.leader()) this.#leaderlessSinceMs = null;
    else this.#leaderlessSinceMs ??= nowMs;
    const forMs = this.#leaderlessSinceMs === null ? 0 : nowMs - this.#leaderlessSinceMs;
    if (forMs < this.#options.electionMs) return [];
    const { by, ageMs } = this.standing();
    const last = by === null ? 'nobody has judged before' : `last judgement of ${by}, ${durationText(ageMs ?? 0)} old`;
    return [problemOf('NO_LEADER', `nobody leads, as far as is known here, for ${durationText(forMs)}; ${last}`)];
  }

  /** Says who judged the whole fleet last, and how old that is. */
  standing(): Standing {
    const { view } = this.#options;
    const judge = view.records.judge.get('current')?.record;
    const leader = this.leader();
    if (leader && judge?.term === leader.term && this.#isHeard()) {
      const ageMs = this.#leads() ? 0 : (view.contactAgeMs() ?? 0);
      return { standing: 'current', by: leader.coordinatorId, term: leader.term, ageMs: Math.round(ageMs) };
    }
    return judge ? this.#last(judge.coordinatorId, judge.term, judge.writtenAtWallMs) : NOBODY;
  }

  of(member: MemberId): Verdict {
    const unreadable = this.#options.view.unreadableOf(member);
    if (unreadable) return this.#unjudged('RecordUnreadable', unreadable.text);
    return this.#own(member) ?? this.#published(member) ?? this.#unjudged('NotJudged', this.#whyNot(member));
  }

  /** Members by verdict. O(members). */
  counts(): VerdictCounts {
    const counts = { alive: 0, suspect: 0, dead: 0, unknown: 0, left: 0 };
    for (const member of this.#options.view.records.members.keys()) counts[this.of(member).verdict]++;
    return counts;
  }

  /** What another one publishes reaches us; what we judge needs no publishing here. */
  #isHeard(): boolean {
    return this.#leads() || this.#options.storeTrouble() === null;
  }

  #leads(): boolean {
    return this.#options.leadership.current() !== null;
  }

  #own(member: MemberId): Verdict | null {
    const { judged, leadership, clock, view, coordinatorId } = this.#options;
    const judgement = judged(member);
    const term = leadership.current();
    if (!judgement || !term) return null;
    const { verdict, reasonCode, reason, degraded } = judgement.assessment;
    const published = view.records.judgements.get(member)?.record;
    const isSame = published?.verdict === verdict && published.instanceId === judgement.instanceId;
    const ageMs = Math.max(0, Math.round(clock.monotonicMs() - judgement.judgedAtMs));
    const sinceWallMs = isSame ? published.sinceWallMs : Math.round(clock.wallMs() - ageMs);
    const whose = { standing: 'current', by: coordinatorId, term: term.number, ageMs, verdict, sinceWallMs } as const;
    return { verdict, reasonCode, reason, degraded, judged: whose };
  }

  #published(member: MemberId): Verdict | null {
    const { view } = this.#options;
    const record = view.records.judgements.get(member)?.record;
    if (!record || record.instanceId !== view.records.activations.get(member)?.record.instanceId) return null;
    const { verdict, reasonCode, degraded, sinceWallMs } = record;
    const standing = this.#standingOf(record);
    const why = this.#whyLast(member, standing);
    const last = `${why}; last judgement of ${standing.by ?? 'nobody'}, ${durationText(standing.ageMs ?? 0)} old`;
    const judged = { ...standing, verdict, sinceWallMs };
    if (why === null) return { verdict, reasonCode, reason: record.reason, degraded, judged };
    // While a recovery is open its reason stands; else what nobody stands behind is no verdict.
    const isOpen = view.records.intents.has(member) && this.leader() !== null && this.#isHeard();
    const reason = `${last}: ${verdict}: ${record.reason}`;
    return isOpen
      ? { verdict, reasonCode, reason, degraded, judged }
      : { verdict: 'unknown', reasonCode: 'NoLeaderJudges', reason, degraded: false, judged };
  }

  /**
   * A judgement stands by its own term before the new leader has judged everybody, and by the
   * judge's after.
   */
  #standingOf({ term, member, writtenBy, writtenAtWallMs }: JudgementRecord): Standing {
    const { view } = this.#options;
    const all = this.standing();
    // Nobody judges a member while its recovery is open: what was judged before it gets older.
    if (view.records.intents.has(member)) return this.#aged(writtenBy, term, writtenAtWallMs);
    const leader = this.leader();
    if (leader?.term === term && this.#isHeard())
      return { standing: 'current', by: writtenBy, term, ageMs: Math.round(view.contactAgeMs() ?? 0) };
    return all.term !== null && all.term >= term ? all : this.#last(writtenBy, term, writtenAtWallMs);
  }

  #whyLast(member: MemberId, { standing }: Standing): string | null {
    const intent = this.#options.view.records.intents.get(member)?.record;
    if (intent) return `recovery ${intent.opId} is open`;
    if (standing === 'current') return null;
    const leader = this.leader();
    if (leader && !this.#isHeard()) return `${leader.coordinatorId} leads and cannot publish what it judges`;
    return leader ? `${leader.coordinatorId} leads and has not judged it yet` : 'no leader judges now';
  }

  #aged(by: string, term: number, writtenAtWallMs: number): Standing {
    const ageMs = Math.max(0, Math.round(this.#options.clock.wallMs() - writtenAtWallMs));
    return { standing: 'last', by, term, ageMs };
  }

  #last(by: string, term: number, writtenAtWallMs: number): Standing {
    const aged = this.#aged(by, term, writtenAtWallMs);
    if (this.#stood?.term !== term) return aged;
    return { ...aged, ageMs: Math.max(0, Math.round(this.#options.clock.monotonicMs() - this.#stood.atMs)) };
  }

  #unjudged(reasonCode: string, reason: string): Verdict {
    return {
      verdict: 'unknown',
      reasonCode,
      reason,
      degraded: false,
      judged: { ...NOBODY, verdict: null, sinceWallMs: null },
    };
  }

  #whyNot(member: MemberId): string {
    const { intents, activations } = this.#options.view.records;
    const intent = intents.get(member)?.record;
    if (intent) return `recovery ${intent.opId} is open, because: ${intent.reason}`;
    if (!activations.has(member)) return 'no instance is activated for it: there is nothing to judge';
    const leader = this.leader();
    return leader
      ? `${leader.coordinatorId} leads and has not judged it yet`
      : 'no leader judges now, and none has judged it before';
  }
}
