import type { HistoryRecord, OperatorAct, OwedChore, Unwritten } from '@understudy/shared';
import { wayOf } from './history.ts';
import { type KeptInstanceFacts, keptInstanceFields } from './kept-instance-history.ts';
import { isPaidAsInstance } from './paid-leftover.ts';
import { owedHooks } from './owed-hooks.ts';

/** What is known when a recovery is ended without a replacement. */
export interface AbandonFacts extends KeptInstanceFacts {
  readonly act: OperatorAct;
  /** True when a Stop was sent and its effect was not seen. Otherwise `fencedBy` says it. */
  readonly stopSent: boolean;
  readonly unprotected: boolean;
  /** Calls about the instance that may still land. */
  readonly lateCalls: NonNullable<HistoryRecord['lateCalls']>;
  /** What became of it where its address was to follow. Null: nothing was begun. */
  readonly predecessor: 'kept' | 'ended' | 'may-end' | null;
  /** The artefacts in words, one a kind. */
  readonly artefactTexts: readonly string[];
  /** The network interface of an attempt that was left open. */
  readonly permitId: string | null;
  readonly replacementId: string | null;
}

/** Says in what state everything is left, for the person who goes on from there. */
export function leftAs(facts: AbandonFacts): string[] {
  const { intent, artefactTexts, permitId, replacementId, unprotected } = facts;
  return [
    instanceText(facts),
    ...predecessorTexts(facts),
    ...(unprotected ? [`the stop protection of ${intent.oldInstanceId} was taken off; it is put back`] : []),
    ...artefactTexts,
    ...(permitId === null ? [] : [`network interface ${permitId}: a launch with it may still land`]),
    ...(replacementId === null
      ? []
      : [`instance ${replacementId}, launched and never activated: it does not serve; terminate it`]),
    ...intent.plan.addresses.map((one) => `${one.publicIp} (${one.allocationId}) was not moved`),
    ...(intent.plan.assigned ?? []).map((one) => `${one.address} was not moved`),
    ...(intent.plan.interfaces ?? []).map((one) => `${one.networkInterfaceId} was not moved`),
  ];
}

function predecessorTexts({ predecessor, intent: { oldInstanceId, plan } }: AbandonFacts): readonly string[] {
  const volumes = plan.volumes.map((one) => one.volumeId).join(', ');
  switch (predecessor) {
    case null:
      return [];
    case 'kept':
      return [`${volumes} now outlive ${oldInstanceId} when that is terminated (DeleteOnTermination is false)`];
    case 'may-end':
      return [
        `${oldInstanceId} may still be terminated by a call of this recovery: do not start it; ${volumes} outlive it`,
      ];
    case 'ended':
      return [
        `there is nothing to give back: of ${oldInstanceId} there are ${volumes}, where they are attached to nothing, and what this recovery has made`,
      ];
  }
}

function instanceText({ fencedBy, predecessor, stopSent, intent: { oldInstanceId } }: AbandonFacts): string {
  if (predecessor === 'ended') return `${oldInstanceId} is terminated`;
  if (predecessor === 'may-end') return `${oldInstanceId} was asked to terminate`;
  if (fencedBy === 'stopped') return `${oldInstanceId} is stopped, by us; start it and it serves again`;
  if (fencedBy === 'terminated') return `${oldInstanceId} is terminated`;
  if (fencedBy === 'lease')
    return `${oldInstanceId} was not seen stopped, and the stop may still take effect; its serve lease has run out`;
  if (stopSent) return `${oldInstanceId} was asked to stop and not seen stopped: the stop may still take effect`;
  return `${oldInstanceId} was not touched`;
}

/**
 * The member keeps its instance, so it keeps what protects it. The collector puts it back, and goes
 * on trying; the next plan counts on it (`withLateCalls`).
 */
const protectionOwed = ({ intent: { oldInstanceId }, endedAtWallMs }: AbandonFacts): OwedChore => ({
  chore: { kind: 'protect', instanceId: oldInstanceId, stop: true, termination: false },
  obstacle: { code: 'NotDone', text: 'its recovery was abandoned a moment ago', sinceWallMs: endedAtWallMs },
});

const isAllThatIsLeft = ({ predecessor }: AbandonFacts): boolean =>
  predecessor === 'ended' || predecessor === 'may-end';

/**
 * Image and snapshots are collected when their time has come. The old instance is not retired,
 * because the activation still names it.
 */
export function abandonedHistoryOf(facts: AbandonFacts): Unwritten<HistoryRecord> {
  const { intent, act } = facts;
  return {
    opId: intent.opId,
    member: intent.member,
    outcome: 'abandoned',
    reason: `${intent.reason}; abandoned by ${act.by}: ${act.why}`,
    ...wayOf(intent),
    ...keptInstanceFields(facts),
    // **S** (S22, S32) They may be all that is left of the member.
    ...(isAllThatIsLeft(facts) && {
      leftovers: facts.artefacts.map((one) => ({
        ...{ ...one, obstacle: null },
        afterWallMs: isPaidAsInstance(one.kind) ? facts.endedAtWallMs : null,
      })),
    }),
    ...(facts.lateCalls.length > 0 && { lateCalls: facts.lateCalls }),
    owed: facts.unprotected ? [protectionOwed(facts)] : [],
    acts: [...(intent.acts ?? []), act],
    leftAs: leftAs(facts),
    ...owedHooks(intent, facts.records),
  };
}
