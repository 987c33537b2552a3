import {
  type AnswerRecord,
  AnswerRecordSchema,
  auditIdOf,
  type AuditRecord,
  type Clock,
  type CommandKind,
  type CommitOutcome,
  errorText,
  hasCode,
  isOperationError,
  type Keyspace,
  type Log,
  type OperatorRequestRecord,
  parseRecord,
  type Term,
  type Unwritten,
} from '@understudy/shared';
import {
  type Asked,
  type Change,
  type CommandAnswer,
  type CommandDecision,
  type CommandFacts,
  type ObserverMinimum,
  type RecoveryCommand,
  refused,
} from '../commands/command.ts';
import { decideCommand } from '../commands/decide.ts';
import { answeredBefore, answerIdOf, requestHashOf } from '../commands/idempotency.ts';
import type { Standing } from '../commands/recoveries.ts';
import type { Stored } from '../store/cluster-records.ts';
import type { ClusterState } from '../store/cluster-state.ts';

export interface CommandDeskOptions {
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly log: Log;
  readonly minimum: ObserverMinimum;
  /** What we think of the member now, with the gates as this command would override them. */
  readonly standingOf: (command: RecoveryCommand, asked: Asked) => Standing | null;
  /** Resigns; called once a transfer is written. */
  readonly handOver: () => void;
}

/** Larger ones are left out of the audit record, or the answer: neither must fill etcd. */
const SIDE_BYTES_MAX = 16_384;
const ASK_AGAIN = 'ask again, with the same idempotency key';

/** What an audit record says. */
type Done = Pick<Change, 'about' | 'text' | 'before' | 'after'> &
  Pick<Asked, 'caller' | 'reason'> & { readonly kind: CommandKind };

/** A request to be answered the same way if it comes again. */
interface Keyed {
  readonly answerId: string;
  readonly requestHash: string;
}

/**
 * Where the leader takes commands. Each is decided on one snapshot and carried out in one
 * transaction, which compares the term and every record that the decision rests on, and which
 * writes who asked, why, and what was there before and after (`audit/`). What is in the audit log
 * has happened; what is not has not.
 */
export class CommandDesk {
  readonly #options: CommandDeskOptions;
  /** Commands written in the present term. An id is never used for two of them. */
  #written = { term: 0, count: 0 };
  readonly #counts = new Map<string, number>();

  constructor(options: CommandDeskOptions) {
    this.#options = options;
  }

  /** How many were asked for, by outcome, since the process began. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /**
   * Repeating it is harmless with an idempotency key: it is done once, and answered the same.
   * @throws nothing that is not a bug: a term that ends, or a store that does not answer, is a
   * refusal.
   */
  async take(term: Term | null, asked: Asked): Promise<CommandAnswer> {
    const answer = await this.#take(term, asked);
    const outcome = answer.kind === 'refused' ? answer.code : answer.repeated ? 'repeated' : 'done';
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
    this.#tell(asked, answer);
    return answer;
  }

  /** The request was taken before under its key, whatever became of it since. */
  hasAnswered(asked: Asked): boolean {
    const keyed = keyOf(asked);
    return keyed !== null && this.#options.view.records.answers.has(keyed.answerId);
  }

  /** What {@link take} would come to now. Writes nothing. */
  preview(term: Term | null, asked: Asked): CommandDecision {
    if (term === null || !this.#options.view.isFresh()) return NOBODY_LEADS;
    return this.#decide(term, asked);
  }

  /**
   * Takes off a request that cannot be carried out, with an audit record that says so. One that has
   * changed meanwhile stays.
   * @throws LEASE_LOST, STORE_*
   */
  async drop(term: Term, { record, modRevision }: Stored<OperatorRequestRecord>, why: string): Promise<void> {
    const { keys, log } = this.#options;
    const { member, kind, by, why: reason, opId } = record;
    const text = `${kind} of ${member} is refused: ${why}`;
    const caller = { identity: by, from: '', requestId: '' };
    const audit = this.#auditOf(term, {
      kind,
      about: member,
      text,
      before: { kind, opId },
      after: null,
      caller,
      reason,
    });
    const outcome = await term.commit({
      puts: [{ key: keys.auditEntry(audit.auditId), expect: 0, record: audit }],
      deletes: [{ key: keys.request(member), expect: modRevision }],
    });
    if (outcome.kind === 'committed') log.warn('recovery.request_refused', { request: kind, member, opId, why });
  }

  async #take(term: Term | null, asked: Asked): Promise<CommandAnswer> {
    if (term === null || !this.#options.view.isFresh()) return NOBODY_LEADS;
    const keyed = keyOf(asked);
    const before = keyed && this.#options.view.records.answers.get(keyed.answerId);
    if (keyed && before) return this.#answeredBefore(term, asked, keyed, before.record);
    const decision = this.#decide(term, asked);
    if (decision.kind === 'refused') return decision;
    if (decision.kind === 'unchanged') {
      const { text, result } = decision;
      return { kind: 'done', command: asked.command.kind, text, result, auditId: null, repeated: true };
    }
    try {
      return await this.#write(term, asked, decision, keyed);
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (hasCode(error, 'STORE_OUTCOME_UNKNOWN'))
        return refused('OUTCOME_UNKNOWN', `nobody can tell whether it was written (${errorText(error)}): ${ASK_AGAIN}`);
      return refused('UNAVAILABLE', `${errorText(error)}; it was not carried out by this leader: ${ASK_AGAIN}`);
    }
  }

  #decide(term: Term, asked: Asked): CommandDecision {
    return decideCommand(asked, this.#facts(term), (command) => this.#options.standingOf(command, asked));
  }

  #facts(term: Term): CommandFacts {
    const { view, keys, clock, minimum } = this.#options;
    return {
      ...{ records: view.records, keys, minimum, coordinatorId: term.coordinatorId, term: term.number },
      nowWallMs: clock.wallMs(),
      revisionOf: (key) => view.revisionOf(key),
      valueOf: (key) => view.valueOf(key),
      policyFaults: (policy) => view.faultsOf(policy),
    };
  }

  async #write(term: Term, asked: Asked, change: Change, keyed: Keyed | null): Promise<CommandAnswer> {
    const { keys } = this.#options;
    const { kind } = asked.command;
    const record = this.#auditOf(term, { ...asked, ...change, kind });
    const { puts = [], deletes = [], also = [] } = change.effect;
    const answer = keyed && { key: keys.answer(keyed.answerId), expect: 0, record: answerOf(keyed, record, change) };
    const outcome = await term.commit({
      // The first one tells our own write from another's when a reply was lost.
      puts: [{ key: keys.auditEntry(record.auditId), expect: 0, record }, ...(answer ? [answer] : []), ...puts],
      deletes,
      also,
    });
    if (outcome.kind === 'conflict') return this.#conflict(term, asked, keyed, outcome);
    if (asked.command.kind === 'transfer') this.#options.handOver();
    const { text, result } = change;
    return {
      ...{ kind: 'done', command: asked.command.kind, text, auditId: record.auditId, repeated: false },
      result: { ...result, revision: outcome.revision },
    };
  }

  /** The same request may have been carried out a moment ago; the view does not show it yet. */
  #conflict(
    term: Term,
    asked: Asked,
    keyed: Keyed | null,
    { entries }: CommitOutcome & { kind: 'conflict' },
  ): CommandAnswer {
    const entry = keyed ? (entries[1] ?? null) : null;
    if (keyed && entry) {
      const record: AnswerRecord = parseRecord(AnswerRecordSchema, entry.key, entry.value);
      return this.#answeredBefore(term, asked, keyed, record);
    }
    return refused('CHANGED', 'what it rests on has changed meanwhile, and nothing was done: look again');
  }

  /** A transfer that was written, and whose reply was lost, is carried out by asking again. */
  #answeredBefore(term: Term, asked: Asked, { requestHash }: Keyed, record: AnswerRecord): CommandAnswer {
    const answer = answeredBefore(asked, requestHash, record);
    const isOurs = answer.kind === 'done' && answer.result.term === term.number;
    if (asked.command.kind === 'transfer' && isOurs) this.#options.handOver();
    return answer;
  }

  #auditOf(term: Term, done: Done): Unwritten<AuditRecord> {
    const { caller, kind, about, reason, text, before, after } = done;
    if (this.#written.term !== term.number) this.#written = { term: term.number, count: 0 };
    this.#written.count += 1;
    return {
      auditId: auditIdOf(term.number, this.#written.count),
      atWallMs: this.#options.clock.wallMs(),
      ...{ kind, about, who: caller.identity, from: caller.from, reason, requestId: caller.requestId, text },
      before: bounded(before),
      after: bounded(after),
    };
  }

  #tell({ command, caller, reason }: Asked, answer: CommandAnswer): void {
    const { log } = this.#options;
    const said = { command: command.kind, who: caller.identity, from: caller.from, requestId: caller.requestId };
    if (answer.kind === 'refused') log.warn('command.refused', { ...said, code: answer.code, text: answer.text });
    else if (!answer.repeated)
      log.info('command.done', { ...said, reason, text: answer.text, auditId: answer.auditId ?? '' });
  }
}

const NOBODY_LEADS = refused('UNAVAILABLE', 'nobody here leads with a fresh view of etcd: ask again');

const keyOf = (asked: Asked): Keyed | null =>
  asked.idempotencyKey === null
    ? null
    : {
        answerId: answerIdOf(asked.caller.identity, asked.idempotencyKey),
        requestHash: requestHashOf(asked),
      };

const answerOf = (
  { answerId, requestHash }: Keyed,
  { auditId, atWallMs }: Unwritten<AuditRecord>,
  { text, result }: Change,
): Unwritten<AnswerRecord> => ({ answerId, requestHash, auditId, atWallMs, result: { ...bounded(result), text } });

function bounded<T extends Change['before']>(side: T): T | { readonly leftOut: string } {
  const bytes = side === null ? 0 : Buffer.byteLength(JSON.stringify(side));
  return bytes <= SIDE_BYTES_MAX ? side : { leftOut: `${bytes} bytes, at most ${SIDE_BYTES_MAX} are kept` };
}
