import { hasActivated, recoveryToUndo } from '@understudy/recovery';
import {
  commandsFor,
  type HoldReason,
  type KvCompare,
  opIdOf,
  type OperatorRequestRecord,
  type RequestKind,
  type Unwritten,
  type WallMs,
  WAYS_OUT,
} from '@understudy/shared';
import type { GateResult } from '../judge/guard-input.ts';
import { OVERRIDE_RULES } from '../judge/overrides.ts';
import {
  type Asked,
  type CommandFacts,
  type CommandDecision,
  type RecoveryCommand,
  refused,
  type Refused,
} from './command.ts';

/** What the leader thinks of the member now, with the gates as they would be overridden. */
export interface Standing {
  readonly reasonCode: string;
  /** The verdict calls for a replacement. */
  readonly act: boolean;
  /** One sentence. */
  readonly reason: string;
  readonly gates: readonly GateResult[];
}

/** Reasons for which a recovery is begun only when somebody asks. */
const WAITS_FOR_A_PERSON: ReadonlySet<string> = new Set(['Abandoned', 'StoppedByOwnFence', 'OperatorAsked'] satisfies (
  | HoldReason
  | 'OperatorAsked'
)[]);

/**
 * What a person has seen is carried out within this time or not at all: neither an override nor an
 * opinion that somebody is dead must hit a failure of another day.
 */
const SEEN_FOR_MS = 120_000;

interface Target {
  readonly opId: string;
  readonly kind: RequestKind;
  /** It is about what is so now. False: about something that waits for a person, however long. */
  readonly ofNow: boolean;
  readonly also: readonly KvCompare[];
}

/** True while a request may be carried out. */
export const isStillAsked = ({ untilWallMs }: Pick<OperatorRequestRecord, 'untilWallMs'>, nowWallMs: WallMs): boolean =>
  untilWallMs === undefined || untilWallMs > nowWallMs;

/**
 * Writes down what is asked of a recovery, compared with the intent (or the activation) it names.
 * Asking the same again changes nothing; asking for something else takes the place of what is not
 * carried out yet.
 */
export function decideRecovery(
  asked: Asked<RecoveryCommand>,
  facts: CommandFacts,
  standingOf: (command: RecoveryCommand) => Standing | null,
): CommandDecision {
  const { command, caller, reason } = asked;
  const { member, loss, leaveOpen, overrides, planToken, strategy, acceptLossMs } = command;
  const { records, keys, nowWallMs } = facts;
  if (!records.activations.has(member) && !records.members.has(member))
    return refused('MEMBER_UNKNOWN', `no member ${member} is known here`);
  const target = command.kind === 'undo' ? undoTarget(command, facts) : targetOf(command, facts, standingOf(command));
  if ('code' in target) return target;
  const { opId, kind } = target;
  const isSeen = overrides.length > 0 || planToken !== null || strategy !== undefined || target.ofNow;
  const request: Unwritten<OperatorRequestRecord> = {
    ...{ member, kind, opId, by: command.by ?? caller.identity, why: reason, atWallMs: nowWallMs, loss, leaveOpen },
    ...(overrides.length > 0 ? { overrides: [...overrides] } : {}),
    ...(planToken === null ? {} : { planToken }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(acceptLossMs === undefined ? {} : { acceptLossMs }),
    ...(isSeen ? { untilWallMs: nowWallMs + SEEN_FOR_MS } : {}),
  };
  const stored = records.requests.get(member);
  if (stored && isSame(stored.record, request) && isStillAsked(stored.record, nowWallMs)) {
    const text = `${kind} of ${member} is asked for already`;
    return { kind: 'unchanged', text, result: { request: stored.record } };
  }
  return {
    kind: 'change',
    about: member,
    text: `${kind} of ${member} (${opId})${overrides.length === 0 ? '' : `, overriding ${overrides.join(', ')}`}`,
    effect: {
      puts: [{ key: keys.request(member), expect: stored?.modRevision ?? 0, record: request }],
      also: target.also,
    },
    before: stored ? { request: stored.record.kind, opId: stored.record.opId, by: stored.record.by } : null,
    after: { ...request },
    result: { request },
  };
}

/**
 * What is put back is the recovery behind the present instance; what is begun for it is the next
 * one of that.
 */
function undoTarget(command: RecoveryCommand, { records, keys }: CommandFacts): Target | Refused {
  const { member } = command;
  const activation = records.activations.get(member);
  const open = records.intents.get(member)?.record;
  if (open)
    return refused('OTHER_RECOVERY', `recovery ${open.opId} of ${member} is open: wait for its end, or abandon it`);
  if (!activation) return refused('UNDO_REFUSED', `NothingToUndo: no instance of ${member} is activated`);
  const opId = opIdOf(activation.record.instanceId, activation.record.ordinal);
  const history = [...(records.history.get(member)?.values() ?? [])].map((one) => one.record);
  // Asked again after a lost reply, it would take back what it has done.
  if (command.opId === null && recoveryToUndo({ activation: activation.record, history })?.outcome === 'undone')
    return refused(
      'UNDO_REFUSED',
      `UndoOfAnUndo: the last recovery of ${member} is itself an undo. To undo that, name it: --op-id ${opId}`,
    );
  return (
    isOther(command, opId, 'next') ?? {
      ...{ opId, kind: 'undo', ofNow: true },
      also: [
        { key: keys.intent(member), modRevision: 0 },
        { key: keys.activation(member), modRevision: activation.modRevision },
      ],
    }
  );
}

/** What the request is about, and the record that proves it is still so. */
function targetOf(command: RecoveryCommand, facts: CommandFacts, standing: Standing | null): Target | Refused {
  const { records, keys } = facts;
  const { member, kind, overrides } = command;
  const never = overrides.find((gate) => !OVERRIDE_RULES[gate].may);
  if (never !== undefined)
    return refused('NEVER_OVERRIDDEN', `${never} is never overridden: ${OVERRIDE_RULES[never].because}`);
  const activation = records.activations.get(member);
  const intent = records.intents.get(member);
  // An activated replacement is judged like any other instance, whatever chores are left.
  const isNext = kind === 'recover' && intent !== undefined && hasActivated(intent.record, activation?.record);
  if (intent && !isNext) {
    const { opId } = intent.record;
    if (overrides.length > 0 || command.planToken !== null || command.strategy !== undefined)
      return refused('OTHER_RECOVERY', `recovery ${opId} of ${member} is open already: it passed every gate`);
    return (
      isOther(command, opId, 'open') ?? {
        ...{ opId, kind, ofNow: false },
        also: [{ key: keys.intent(member), modRevision: intent.modRevision }],
      }
    );
  }
  const begins = kind === 'recover' || kind === 'retry';
  const waits = WAITS_FOR_A_PERSON.has(standing?.reasonCode ?? '');
  if (!activation || !begins || !(waits || (kind === 'recover' && standing?.act)))
    return nothingToAsk(command, begins, facts, standing);
  const holding = overrides.length > 0 && standing ? standing.gates.filter((one) => !one.passes) : [];
  if (!waits || holding.length > 0) {
    const held = gatesHold(command, standing);
    if (held) return held;
  }
  const opId = opIdOf(activation.record.instanceId, activation.record.ordinal);
  return (
    isOther(command, opId, 'next') ?? {
      ...{ opId, kind: 'recover', ofNow: !waits },
      also: [
        { key: keys.intent(member), modRevision: intent?.modRevision ?? 0 },
        { key: keys.activation(member), modRevision: activation.modRevision },
      ],
    }
  );
}

const isOther = ({ member, opId }: RecoveryCommand, found: string, which: 'open' | 'next'): Refused | null =>
  opId === null || opId === found
    ? null
    : refused('OTHER_RECOVERY', `the ${which} recovery of ${member} is ${found}, not ${opId}`);

/** Every gate that would still hold it, with whether a person may override it. */
function gatesHold({ member }: RecoveryCommand, standing: Standing | null): Refused | null {
  const holding = (standing?.gates ?? []).filter((one) => !one.passes);
  if (holding.length === 0) return null;
  const gates = holding.map(({ gate, text }) => ({ gate, text, ...OVERRIDE_RULES[gate] }));
  const said = gates.map((one) => `${one.gate} (${one.text}; ${one.may ? '--override' : `never: ${one.because}`})`);
  return refused('GATES_HOLD', `${member} is held by ${said.join(' and ')}`, { gates });
}

function nothingToAsk(
  { member, kind }: RecoveryCommand,
  begins: boolean,
  { records }: CommandFacts,
  standing: Standing | null,
): Refused {
  const hold = records.holds.get(member)?.record;
  const way = hold
    ? `. It is held: ${hold.text} (${[WAYS_OUT[hold.reason].act, ...commandsFor(hold.reason, member)].join(': ')})`
    : '';
  if (kind === 'recover' || (begins && !hold)) {
    const verdict = standing === null ? '' : `. ${standing.reason}`;
    const text = `${member} is not known to be dead, was not stopped by us and abandoned by nobody: it is watched, and recovered by itself when it fails${verdict}${way}`;
    return refused('NOT_STOPPED_BY_US', text);
  }
  return refused('NO_OPEN_RECOVERY', `no recovery of ${member} is open: there is nothing to ${kind}${way}`);
}

const isSame = (stored: OperatorRequestRecord, asked: Unwritten<OperatorRequestRecord>): boolean =>
  stored.kind === asked.kind &&
  stored.opId === asked.opId &&
  stored.loss === asked.loss &&
  stored.leaveOpen === asked.leaveOpen &&
  stored.planToken === asked.planToken &&
  stored.strategy === asked.strategy &&
  stored.acceptLossMs === asked.acceptLossMs &&
  (stored.overrides ?? []).join() === (asked.overrides ?? []).join();
