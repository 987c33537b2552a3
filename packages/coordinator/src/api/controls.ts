import type {
  AuditView,
  BucketLimit,
  Clock,
  DrainsView,
  HeldView,
  Keyspace,
  MemberId,
  PausesView,
  PolicyView,
  WhatIfScenario,
} from '@understudy/shared';
import type { Asked, CommandAnswer, CommandDecision } from '../commands/command.ts';
import type { HandBackAnswer, HandBackAsked } from '../leader/hand-back-look.ts';
import type { ReadinessBoard } from '../leader/readiness-board.ts';
import type { PlanAnswer } from '../leader/plan-preview.ts';
import type { UndoPreviewAnswer, UndoThought } from '../leader/undo-preview.ts';
import type { Verdicts } from '../leader/verdicts.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { WhatIfAnswer } from '../what-if/questions.ts';
import { auditView, drainsView, heldView, pausesView, policyViews } from './control-views.ts';

/** What only the leader does, or knows. */
export interface LeaderControls {
  /** Never rejects but for a bug. */
  command(asked: Asked): Promise<CommandAnswer>;
  /** What a command would come to. Writes nothing. */
  previewed(asked: Asked): CommandDecision;
  /** The plan that a recovery of this member would have now. */
  plan(member: MemberId, strategy?: string | null): Promise<PlanAnswer>;
  /** What an undo would do if it were asked for now. */
  undo(thought: UndoThought): Promise<UndoPreviewAnswer>;
  /** What infrastructure code has to take over. */
  handBack(asked: HandBackAsked): Promise<HandBackAnswer>;
  /** The readiness of all members, and their plans in short. Null: another coordinator leads. */
  board(): Pick<ReadinessBoard, 'plans' | 'view' | 'whatIf'> | null;
}

export interface ControlsOptions {
  readonly coordinatorId: string;
  readonly view: ClusterState;
  readonly keyspace: Pick<Keyspace, 'group'>;
  readonly clock: Clock;
  readonly verdicts: Pick<Verdicts, 'leader'>;
  readonly leader: LeaderControls;
  /** Our share of what AWS allows of an action. Null: it is not limited here. */
  readonly limitOf: (action: string) => BucketLimit | null;
  /** Hears of each hand-back that was told. */
  readonly onHandBack: (outcome: HandBackOutcome) => void;
}

/** Whether code has something to take over; `refused`: it could not be told. */
export type HandBackOutcome = 'due' | 'nothing' | 'refused';

/** What people can change, and what they have changed, as the HTTP API takes and shows it. */
export class Controls implements LeaderControls {
  readonly #options: ControlsOptions;

  constructor(options: ControlsOptions) {
    this.#options = options;
  }

  command(asked: Asked): Promise<CommandAnswer> {
    return this.#options.leader.command(asked);
  }

  previewed(asked: Asked): CommandDecision {
    return this.#options.leader.previewed(asked);
  }

  plan(member: MemberId, strategy: string | null = null): Promise<PlanAnswer> {
    return this.#options.leader.plan(member, strategy);
  }

  undo(thought: UndoThought): Promise<UndoPreviewAnswer> {
    return this.#options.leader.undo(thought);
  }

  async handBack(asked: HandBackAsked): Promise<HandBackAnswer> {
    const { leader, onHandBack } = this.#options;
    const answer = await leader.handBack(asked);
    onHandBack(answer.kind === 'refused' ? 'refused' : answer.view.isDue ? 'due' : 'nothing');
    return answer;
  }

  /** What would become of the cluster if this happened now. Null: another coordinator leads. */
  async whatIf(scenario: WhatIfScenario, signal: AbortSignal | null = null): Promise<WhatIfAnswer | null> {
    const board = this.#options.leader.board();
    return board && (await board.whatIf(scenario, this.#options.limitOf, signal));
  }

  board(): ReturnType<LeaderControls['board']> {
    return this.#options.leader.board();
  }

  pauses(): PausesView {
    const { view, coordinatorId, clock } = this.#options;
    return pausesView(view, coordinatorId, clock.wallMs());
  }

  drains(): DrainsView {
    const { view, verdicts, clock } = this.#options;
    return drainsView(view, verdicts.leader()?.coordinatorId ?? null, clock.wallMs());
  }

  /** Null: it is not held. */
  held(member: MemberId): HeldView | null {
    return heldView(this.#options.view, member);
  }

  policies(): readonly PolicyView[] {
    const { view, keyspace } = this.#options;
    return policyViews(view, (group) => keyspace.group(group));
  }

  /** Newest first, from behind the entry `before`. */
  audit(limit: number, before: string | null): AuditView {
    return auditView(this.#options.view, limit, before);
  }
}
