import {
  type Clock,
  errorText,
  groupOf,
  type GuardedWrite,
  type IntentRecord,
  isOperationError,
  isUndo,
  type Keyspace,
  type Log,
  type MemberId,
  type OperatorRequestRecord,
  opIdOf,
  TAG,
  type Term,
  type UndoPlan,
  type Unwritten,
} from '@understudy/shared';
import { levelNeeded, type PlanInput, planUndo, type UndoFacts, withoutCollecting } from '@understudy/recovery';
import { isStillAsked } from '../../commands/recoveries.ts';
import type { Stored } from '../../store/cluster-records.ts';
import type { ClusterState } from '../../store/cluster-state.ts';
import { recordsBasis } from '../intent-basis.ts';
import type { PreparationKeeper } from '../preparation-keeper.ts';
import { journalsUpTo, raisedOrdinal, wasBegunBefore } from '../raise-ordinal.ts';
import type { UndoLook } from '../undo-look.ts';
import type { LeaderJob } from './leader-job.ts';

type Request = Stored<OperatorRequestRecord>;

export interface UndosJobOptions {
  readonly everyMs: number;
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly log: Log;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly undoLook: UndoLook;
  /** What was made for it while it was suspect. */
  readonly preparations: Pick<PreparationKeeper, 'openOf' | 'drop'>;
  /** What EC2 says of the instance in charge. @throws the errors of EC2's reads */
  readonly readFor: (member: MemberId, instanceId: string, signal: AbortSignal) => Promise<PlanInput>;
  /** Takes off a request that cannot be carried out, and says why. @throws LEASE_LOST, STORE_* */
  readonly dropRequest: (term: Term, request: Request, why: string) => Promise<void>;
  /** Deadline of one etcd call: the commit starts only when the term holds for longer. */
  readonly storeTimeoutMs: number;
}

/**
 * Begins what people have asked to be undone: reads, decides once more, and writes the intent in
 * one transaction. **S** (S30, S25) It compares what every recovery compares when it begins, the
 * request, and the record of the recovery that is put back, out of which it takes what the
 * collector would remove. No gate is asked: a person has said so, of a member that may well serve.
 */
export class UndosJob implements LeaderJob {
  readonly name = 'undos';
  readonly everyMs: number;
  readonly #options: UndosJobOptions;

  constructor(options: UndosJobOptions) {
    this.everyMs = options.everyMs;
    this.#options = options;
  }

  /** Nothing: it remembers nothing. */
  beginTerm(): void {}

  /** @throws LEASE_LOST, STORE_* */
  async run(term: Term): Promise<void> {
    const { view, clock } = this.#options;
    if (!view.isFresh()) return;
    for (const request of [...view.records.requests.values()]) {
      const { kind, opId, member } = request.record;
      if (kind !== 'undo' || opId !== this.#nextOpId(member) || !isStillAsked(request.record, clock.wallMs())) continue;
      await this.#begin(term, request);
    }
  }

  #nextOpId(member: MemberId): string {
    const { instanceId = '', ordinal } = this.#options.view.records.activations.get(member)?.record ?? {};
    return opIdOf(instanceId, ordinal);
  }

  async #begin(term: Term, request: Request): Promise<void> {
    const { view, keys, log, undoLook, dropRequest, preparations } = this.#options;
    const { member, opId } = request.record;
    const obstacle = undoLook.obstacle(member);
    if (obstacle) return dropRequest(term, request, `${obstacle.code}: ${obstacle.text}`);
    const activation = view.records.activations.get(member);
    if (!activation) return;
    const prepared = preparations.openOf(member);
    // The ordinal is raised, and the request carried over: the next pass begins it.
    if (prepared) return preparations.drop(term, prepared, 'an operator asked for an undo');
    const planned = await this.#planned(term, request, activation.record.instanceId);
    if (planned === null) return;
    if (wasBegunBefore(keys, view.records, activation.record, planned.mark)) {
      await term.commit(raisedOrdinal(keys, view.records, activation));
      return;
    }
    if (!planned.plan) return dropRequest(term, request, planned.why);
    // No await from here to the commit: what is judged now is what is compared.
    const isStill = view.isFresh() && undoLook.obstacle(member) === null && this.#nextOpId(member) === opId;
    if (!isStill || !term.holdsFor(this.#options.storeTimeoutMs)) return;
    const write = this.#intent(term, request, planned.plan);
    const outcome = write && (await term.commit(write));
    if (outcome?.kind === 'committed')
      log.warn('undo.begun', {
        member,
        opId,
        undone: planned.plan.undo.opId,
        instanceId: planned.plan.undo.instanceId,
      });
  }

  /** Null: EC2 could not be asked; the next pass tries again, for as long as it is asked for. */
  async #planned(
    term: Term,
    { record }: Request,
    instanceId: string,
  ): Promise<{ readonly plan: UndoPlan | null; readonly why: string; readonly mark: string | undefined } | null> {
    const { view, undoLook, readFor, log } = this.#options;
    const { member, acceptLossMs = null } = record;
    try {
      const input = await readFor(member, instanceId, term.signal);
      const facts: UndoFacts | null = await undoLook.facts(member, acceptLossMs, term.signal);
      if (facts?.activation.instanceId !== instanceId) return null;
      const policy = view.policyOf(groupOf(member));
      const result = planUndo({ ...input, level: view.levelInForce(), undo: facts }, policy);
      const why = result.problems.map(({ code, text }) => `${code}: ${text}`).join('; ');
      const plan = result.kind === 'plan' && isUndo(result.plan) ? result.plan : null;
      return { plan, why, mark: input.instance.tags[TAG.fencedBy] };
    } catch (error) {
      if (!isOperationError(error) || term.signal.aborted || error.code === 'LEASE_LOST') throw error;
      log.warn('undo.not_begun', { member, error: errorText(error) });
      return null;
    }
  }

  #intent(term: Term, request: Request, plan: UndoPlan): GuardedWrite | null {
    const { view, keys, clock } = this.#options;
    const { member, opId, by, why, atWallMs } = request.record;
    const { records } = view;
    const activation = records.activations.get(member);
    const undone = records.history.get(member)?.get(plan.undo.opId);
    const asked = records.requests.get(member);
    const neededLevel = levelNeeded(plan);
    // **S** (S24) Not in force any more: a coordinator that would not act by it rightly is here.
    if (!activation || !undone || asked?.modRevision !== request.modRevision || view.levelInForce() < neededLevel)
      return null;
    const nowWallMs = clock.wallMs();
    const text = `an undo of ${plan.undo.opId} was begun`;
    const record: Unwritten<IntentRecord> = {
      ...{ opId, member, ordinal: activation.record.ordinal, neededLevel },
      oldInstanceId: activation.record.instanceId,
      oldAz: records.members.get(member)?.record.az ?? plan.undo.az,
      oldIncarnation: activation.record.incarnation,
      activationModRevision: activation.modRevision,
      term: term.number,
      startedAtWallMs: nowWallMs,
      lastHeardWallMs: null,
      reason: `${by} asked to undo ${plan.undo.opId}: ${why}`,
      serveContract: records.members.get(member)?.record.serveContract ?? null,
      // It is fenced by observation only, whatever the group has opted into.
      serveLeaseOverAfterMs: null,
      plan,
      acts: [{ kind: 'undo', by, why, atWallMs, carriedOutAtWallMs: nowWallMs, text }],
    };
    const hold = records.holds.get(member);
    return {
      puts: [
        { key: keys.intent(member), expect: 0, record },
        {
          key: keys.historyEntry(member, plan.undo.opId),
          expect: undone.modRevision,
          record: withoutCollecting(undone.record, plan.undo),
        },
      ],
      deletes: [
        ...(hold ? [{ key: keys.hold(member), expect: hold.modRevision }] : []),
        { key: keys.request(member), expect: asked.modRevision },
      ],
      deletePrefixes: journalsUpTo(keys, records, activation.record).map((one) => keys.journalOf(one)),
      // **S** (S31) A preparation of this name that no view shows yet would have its journal.
      also: [...recordsBasis(view, keys, member, plan), { key: keys.preparation(opId), modRevision: 0 }],
    };
  }
}
