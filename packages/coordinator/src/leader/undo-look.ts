import {
  type Clock,
  type Cloud,
  type CloudInstance,
  errorText,
  isOperationError,
  type MemberId,
  type UndoView,
  LEVEL_OF,
} from '@understudy/shared';
import { decideUndo, recoveryToUndo, type UndoFacts, type UndoVerdict } from '@understudy/recovery';
import type { ClusterState } from '../store/cluster-state.ts';

export interface UndoLookOptions {
  readonly cloud: Cloud;
  readonly view: ClusterState;
  readonly clock: Clock;
  /** Claims that exclude each other, as enrolment saw them last. */
  readonly conflicts: () => ReadonlyMap<MemberId, { readonly text: string }>;
}

/**
 * Whether the last recovery of a member could be put back now, by its records and by what EC2 shows
 * of the retired instance: for the command, for what is shown, and for whoever begins it.
 */
export class UndoLook {
  readonly #options: UndoLookOptions;

  constructor(options: UndoLookOptions) {
    this.#options = options;
  }

  /** Null: no instance is activated. @throws the errors of EC2's reads */
  async facts(member: MemberId, acceptLossMs: number | null, signal: AbortSignal): Promise<UndoFacts | null> {
    const { view, cloud, clock } = this.#options;
    const activation = view.records.activations.get(member)?.record;
    if (!activation) return null;
    const history = [...(view.records.history.get(member)?.values() ?? [])].map((one) => one.record);
    const undone = recoveryToUndo({ activation, history });
    const retained = undone === null ? null : await look(cloud, undone.oldInstanceId, signal);
    return { activation, history, retained, nowWallMs: clock.wallMs(), acceptLossMs };
  }

  /** What is in the way beside the recovery itself, with its code. Null: nothing. Synchronous. */
  obstacle(member: MemberId): { readonly code: string; readonly text: string } | null {
    const { view, clock, conflicts } = this.#options;
    const inForce = view.levelInForce();
    if (inForce < LEVEL_OF.undo)
      return {
        code: 'LevelNotInForce',
        text: `an undo needs feature level ${LEVEL_OF.undo}, and ${inForce} is in force: upgrade every coordinator`,
      };
    const open = view.records.intents.get(member)?.record;
    if (open)
      return {
        code: 'RecoveryOpen',
        text: `recovery ${open.opId} of ${member} is open: wait for its end, or abandon it`,
      };
    const [pause] = view.pausesOf(member, clock.wallMs());
    if (pause) return { code: 'Paused', text: `${member} is paused by ${pause.who}: ${pause.why}. Resume it first` };
    if (view.isBlocked(member))
      return { code: 'RecordUnreadable', text: view.unreadableOf(member)?.text ?? 'a record of it cannot be read' };
    const conflict = conflicts().get(member);
    return conflict ? { code: 'ClaimAgainstActivation', text: conflict.text } : null;
  }

  /** @throws the errors of EC2's reads */
  async verdict(member: MemberId, acceptLossMs: number | null, signal: AbortSignal): Promise<UndoVerdict> {
    const obstacle = this.obstacle(member);
    if (obstacle) return { kind: 'refused', problem: obstacle, undo: null };
    const facts = await this.facts(member, acceptLossMs, signal);
    if (facts) return decideUndo(facts);
    return {
      kind: 'refused',
      problem: { code: 'NothingToUndo', text: `no instance of ${member} is activated` },
      undo: null,
    };
  }

  /** For people: what they would be answered, and until when it is possible. */
  async shown(member: MemberId, signal: AbortSignal): Promise<UndoView> {
    try {
      const verdict = await this.verdict(member, null, signal);
      const problem = verdict.kind === 'refused' ? verdict.problem : { code: '', text: '' };
      const untilWallMs = verdict.undo?.untilWallMs ?? null;
      return { isPossible: verdict.undo !== null, ...problem, untilWallMs };
    } catch (error) {
      if (!isOperationError(error) || signal.aborted) throw error;
      return { isPossible: false, code: error.code, text: errorText(error), untilWallMs: null };
    }
  }
}

async function look(cloud: Cloud, instanceId: string, signal: AbortSignal): Promise<CloudInstance | null> {
  const found = await cloud.describeInstances({ 'instance-id': [instanceId] }, { signal });
  return found.find((one) => one.instanceId === instanceId) ?? null;
}
