import {
  errorText,
  groupOf,
  isOperationError,
  isUndo,
  type MemberId,
  opIdOf,
  type Term,
  type UndoPlan,
  type UndoPreviewView,
} from '@understudy/shared';
import { type PlanInput, planUndo, type UndoVerdict } from '@understudy/recovery';
import { type Asked, type Caller, type CommandDecision, type Refused, refused } from '../commands/command.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { CallTrials } from './call-trials.ts';
import { callsOf, forecastOf, stepViews, tellPlan } from './told-plan.ts';
import type { UndoLook } from './undo-look.ts';

/** An undo that somebody thinks of. */
export interface UndoThought {
  readonly member: MemberId;
  /** Writes of this long may be lost, ms. Null: none may. */
  readonly acceptLossMs: number | null;
  /** The recovery that is meant to be begun. Null: whichever is the next one. */
  readonly opId: string | null;
  readonly caller: Caller;
}

export type UndoPreviewAnswer = { readonly kind: 'undo'; readonly view: UndoPreviewView } | Refused;

export interface UndoPreviewOptions {
  readonly view: ClusterState;
  readonly undoLook: Pick<UndoLook, 'verdict' | 'facts'>;
  readonly trials: Pick<CallTrials, 'words'>;
  /** What EC2 says of the instance in charge. @throws the errors of EC2's reads */
  readonly readFor: (member: MemberId, instanceId: string, signal: AbortSignal) => Promise<PlanInput>;
  /** What the command would come to by the records. */
  readonly preview: (term: Term, asked: Asked) => CommandDecision;
  readonly wallMs: () => number;
}

/** Why it is not begun. */
type Fault = Pick<UndoPreviewView, 'code' | 'text'>;
type Undoable = NonNullable<UndoVerdict['undo']>;
type Told = Pick<UndoPreviewView, 'steps' | 'losses' | 'forecast'>;

const NOTHING_TOLD: Told = { steps: [], losses: [], forecast: null };
/** Calls that one look asks EC2 about, at most; the next look asks about the others. */
const ASK_MAX = 12;

/**
 * What an undo would do if it were asked for now, or why it would be refused: by the same decision,
 * the same plan and the same records as when it is (S30). It changes nothing.
 */
export class UndoPreview {
  readonly #options: UndoPreviewOptions;

  constructor(options: UndoPreviewOptions) {
    this.#options = options;
  }

  /** Why it is refused at once. Null: it is not known to be. */
  async refusal(term: Term | null, member: MemberId, acceptLossMs: number | null): Promise<Refused | null> {
    const { view, undoLook } = this.#options;
    if (term === null || !view.records.activations.has(member)) return null;
    try {
      const verdict = await undoLook.verdict(member, acceptLossMs, term.signal);
      if (verdict.kind === 'possible') return null;
      return refused('UNDO_REFUSED', `${verdict.problem.code}: ${verdict.problem.text}`);
    } catch (error) {
      return notAsked(error);
    }
  }

  async of(term: Term | null, thought: UndoThought): Promise<UndoPreviewAnswer> {
    const { view } = this.#options;
    if (term === null || !view.isFresh())
      return refused('UNAVAILABLE', 'nobody here leads with a fresh view of etcd: ask again');
    const activation = view.records.activations.get(thought.member)?.record;
    if (!activation) return refused('MEMBER_UNKNOWN', `no member ${thought.member} is known here`);
    const opId = opIdOf(activation.instanceId, activation.ordinal);
    try {
      return { kind: 'undo', view: await this.#view(term, thought, { ...activation, opId }) };
    } catch (error) {
      return notAsked(error);
    }
  }

  async #view(
    term: Term,
    { member, acceptLossMs, opId: meant, caller }: UndoThought,
    next: { readonly opId: string; readonly instanceId: string; readonly ordinal: number },
  ): Promise<UndoPreviewView> {
    const { undoLook, preview } = this.#options;
    const verdict = await undoLook.verdict(member, acceptLossMs, term.signal);
    const { told, problem } = verdict.undo
      ? await this.#planned(term, member, next)
      : { told: NOTHING_TOLD, problem: null };
    const command = { ...UNDO, member, opId: meant, by: caller.identity, acceptLossMs: acceptLossMs ?? undefined };
    const decision = preview(term, { command, caller, reason: 'only looked at', idempotencyKey: null });
    const faults: readonly Fault[] = [
      ...(verdict.kind === 'refused' ? [verdict.problem] : []),
      ...(problem ? [problem] : []),
      ...(decision.kind === 'refused' ? [decision] : []),
    ];
    const [fault] = faults;
    return {
      ...{ member, opId: next.opId, wouldBegin: fault === undefined },
      ...{ code: fault?.code ?? '', text: fault?.text ?? '' },
      undoes: verdict.undo && this.#undoes(verdict.undo, next.instanceId),
      ...told,
    };
  }

  #undoes(undo: Undoable, presentInstanceId: string): NonNullable<UndoPreviewView['undoes']> {
    const { undone, retained, servedSinceWallMs, untilWallMs } = undo;
    const lostMs = Math.max(0, this.#options.wallMs() - servedSinceWallMs);
    return {
      ...{ opId: undone.opId, presentInstanceId, retainedInstanceId: retained.instanceId },
      ...{ servedSinceWallMs, lostMs, untilWallMs },
    };
  }

  /** As the leader that begins it plans it; with whatever it loses taken for accepted. */
  async #planned(
    term: Term,
    member: MemberId,
    { opId, instanceId, ordinal }: { readonly opId: string; readonly instanceId: string; readonly ordinal: number },
  ): Promise<{ readonly told: Told; readonly problem: Fault | null }> {
    const { view, undoLook, readFor } = this.#options;
    const input = await readFor(member, instanceId, term.signal);
    const facts = await undoLook.facts(member, Number.MAX_SAFE_INTEGER, term.signal);
    const undo = facts === null ? {} : { undo: facts };
    const result = planUndo({ ...input, level: view.levelInForce(), ...undo }, view.policyOf(groupOf(member)));
    const [problem = null] = result.problems;
    if (result.kind === 'blocked' || !isUndo(result.plan)) return { told: NOTHING_TOLD, problem };
    const about = { opId, member, oldInstanceId: instanceId, ordinal, plan: result.plan };
    return { told: await this.#told(term, about, input), problem: null };
  }

  async #told(
    term: Term,
    about: {
      readonly opId: string;
      readonly member: MemberId;
      readonly oldInstanceId: string;
      readonly ordinal: number;
      readonly plan: UndoPlan;
    },
    input: PlanInput,
  ): Promise<Told> {
    const { view, trials } = this.#options;
    const told = await tellPlan(about, input, view);
    const words = await trials.words(callsOf(told), ASK_MAX, term.signal);
    const losses = about.plan.losses.map(({ code, text }) => ({ code, text }));
    return { steps: stepViews(told, words), losses, forecast: forecastOf(told) };
  }
}

const UNDO = { kind: 'undo', loss: null, leaveOpen: false, overrides: [], planToken: null } as const;

/** EC2 did not answer, so nothing is known. @throws what is a bug */
function notAsked(error: unknown): Refused {
  if (!isOperationError(error)) throw error;
  return refused('UNAVAILABLE', `EC2 could not be asked about the retired instance: ${errorText(error)}`);
}
