import {
  type Clock,
  groupOf,
  type Log,
  type MemberId,
  type MemberReadiness,
  type PlansView,
  type PlanSummary,
  type ReadinessView,
  type WhatIfScenario,
} from '@understudy/shared';
import { undecidedRecovery } from '@understudy/recovery';
import type { CoordinatorConfig } from '../config.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { GuardAnswer } from '../judge/guard-input.ts';
import type { MemberFacts } from '../readiness/facts.ts';
import { judgeReadiness, readinessView } from '../readiness/judge-readiness.ts';
import { fleetWaits } from '../readiness/sources/guard.ts';
import type { WhatIfSnapshot } from '../what-if/snapshot.ts';
import { type WhatIfAnswer, WhatIfQuestions } from '../what-if/questions.ts';
import { whatIfSnapshot } from './what-if-snapshot.ts';
import type { Assessor, Judgement } from './assessor.ts';
import type { RecoveryDecider } from './decider.ts';
import { planFreshForMs, type Readiness } from './readiness.ts';

/** Members judged in one pass; the rest follow in the next ones, and each says when it was. */
const JUDGED_PER_PASS = 500;

export interface ReadinessBoardOptions {
  readonly view: ClusterState;
  readonly clock: Clock;
  readonly log: Log;
  readonly assessor: Pick<Assessor, 'inThisTerm' | 'ofThisTerm' | 'evidenceOf'>;
  readonly decider: Pick<RecoveryDecider, 'askAlone' | 'known'>;
  readonly readiness: Pick<Readiness, 'summaries'>;
  readonly config: Pick<CoordinatorConfig, 'loop' | 'aws' | 'etcd'>;
}

/**
 * What would become of each member if it failed now, as this leader knows it. It asks EC2 nothing:
 * the looks at their plans do, at their own pace. Reads only.
 */
export class ReadinessBoard {
  readonly #options: ReadinessBoardOptions;
  /** One entry a member: those that are gone are left out at the next pass. */
  #judged: Map<string, MemberReadiness> = new Map();
  /** What the guard says of every member alike for a while, as of the last pass. */
  #ofFleet: ReadinessView['ofFleet'] = [];
  readonly #questions: WhatIfQuestions;

  constructor(options: ReadinessBoardOptions) {
    this.#options = options;
    this.#questions = new WhatIfQuestions(options.clock);
  }

  /** A new term knows nothing of what an earlier one found. */
  beginTerm(): void {
    this.#judged = new Map();
    this.#ofFleet = [];
  }

  /** Judges those that waited longest. Synchronous. */
  pass(): void {
    const { members } = this.#options.view.records;
    for (const member of this.#judged.keys()) if (!members.has(member as MemberId)) this.#judged.delete(member);
    const atMs = (member: MemberId): number => this.#judged.get(member)?.judgedAtWallMs ?? 0;
    const due = [...members.keys()].sort((a, b) => atMs(a) - atMs(b)).slice(0, JUDGED_PER_PASS);
    const plans = new Map(this.#options.readiness.summaries().map((plan) => [plan.instanceId, plan]));
    const judgements = due.flatMap((member) => this.#options.assessor.inThisTerm(member) ?? []);
    const answers = this.#options.decider.askAlone(judgements);
    this.#ofFleet = fleetWaits(answers.values());
    const judgedAs = new Map(judgements.map((one) => [one.member, one]));
    for (const member of due) {
      const facts = this.#factsOf(member, plans, judgedAs.get(member) ?? null, answers.get(member) ?? null);
      if (facts !== null) this.#note(judgeReadiness(facts));
    }
  }

  all(): Iterable<MemberReadiness> {
    return this.#judged.values();
  }

  view(): ReadinessView {
    return readinessView(this.all(), this.#ofFleet);
  }

  /** The plans of all members in short, as their readiness was looked at last. */
  plans(): PlansView {
    const plans = this.#options.readiness.summaries();
    const known = new Set(plans.map(({ instanceId }) => instanceId));
    const waiting = [...this.#options.view.records.members].filter(([, { record }]) => !known.has(record.instanceId));
    return { plans: [...plans], notLookedAt: waiting.map(([member]) => member) };
  }

  /**
   * What would become of the cluster if this happened now. One question at a time; others get their
   * turn meanwhile. `signal`: the caller has left.
   */
  whatIf(
    scenario: WhatIfScenario,
    limitOf: WhatIfSnapshot['limitOf'],
    signal: AbortSignal | null = null,
  ): Promise<WhatIfAnswer> {
    return this.#questions.answer(() => whatIfSnapshot(this.#options, limitOf), scenario, signal);
  }

  #factsOf(
    member: MemberId,
    plans: ReadonlyMap<string, PlanSummary>,
    judgement: Judgement | null,
    guard: GuardAnswer | null,
  ): MemberFacts | null {
    const { view, clock, config } = this.#options;
    const { enrolEveryMs, tryLaunchEveryMs } = config.loop;
    const { members, holds } = view.records;
    const record = members.get(member)?.record;
    if (!record) return null;
    const { instanceId, az } = record;
    return {
      ...{ member, instanceId, az, guard },
      asksPermissions: tryLaunchEveryMs > 0 && config.aws.dryRuns !== 'harmless',
      policy: view.policyOf(groupOf(member)),
      plan: plans.get(instanceId) ?? null,
      planFreshForMs: planFreshForMs(members.size, enrolEveryMs),
      judged: judgement?.assessment ?? null,
      hold: holds.get(member)?.record ?? null,
      isRecovering: undecidedRecovery(view.records, member) !== null,
      nowWallMs: clock.wallMs(),
    };
  }

  /** A change of verdict is told once; what was not known before is no change. */
  #note(found: MemberReadiness): void {
    const { member, instanceId, verdict } = found;
    const before = this.#judged.get(member);
    this.#judged.set(member, found);
    if (before?.verdict === verdict || (before === undefined && verdict === 'unknown')) return;
    const codes = [...found.blockers.map(({ code }) => code), ...found.missed.map(({ objective }) => objective)];
    const said = {
      member,
      instanceId,
      verdict,
      was: before?.verdict ?? null,
      codes,
      rtoMs: found.rtoMs,
      rpoMs: found.rpoMs,
    };
    const isBad = verdict === 'blocked' || verdict === 'at-risk';
    this.#options.log[isBad ? 'warn' : 'info']('member.readiness', said);
  }
}
