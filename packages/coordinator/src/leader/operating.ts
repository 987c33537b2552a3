import {
  type Clock,
  commandsFor,
  errorText,
  type HoldReason,
  isOperationError,
  type Keyspace,
  type KvCompare,
  type Log,
  type OperatorRequestRecord,
  opIdOf,
  type RequestKind,
  type Term,
  WAYS_OUT,
} from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import type { Assessor } from './assessor.ts';
import type { OperatorAnswer, OperatorCommand, RefusalCode } from './operator-command.ts';

export interface OperatingOptions {
  readonly view: ClusterState;
  readonly assessor: Assessor;
  readonly keys: Keyspace;
  readonly clock: Clock;
  readonly log: Log;
}

/** Reasons for which a recovery is begun only when somebody asks. */
const WAITS_FOR_A_PERSON: ReadonlySet<string> = new Set(['Abandoned', 'StoppedByOwnFence', 'OperatorAsked'] satisfies (
  | HoldReason
  | 'OperatorAsked'
)[]);

const refused = (code: RefusalCode, text: string): OperatorAnswer => ({ kind: 'refused', code, text });

/**
 * Takes what operators ask for and writes it down for the recovery it is about, while we lead: one
 * guarded transaction that compares the term and the intent (or the activation) it names. Asking
 * the same again changes nothing; asking for something else takes the place of what is not carried
 * out yet.
 */
export class Operating {
  readonly #options: OperatingOptions;

  constructor(options: OperatingOptions) {
    this.#options = options;
  }

  /**
   * @throws nothing that is not a bug: a term that ends, or a store that does not answer, is a
   * refusal.
   */
  async ask(term: Term | null, command: OperatorCommand): Promise<OperatorAnswer> {
    const { view, log } = this.#options;
    const { member } = command;
    if (term === null || !view.isFresh())
      return refused('UNAVAILABLE', 'nobody here leads with a fresh view of etcd: ask again');
    const { records } = view;
    if (!records.activations.has(member) && !records.members.has(member))
      return refused('MEMBER_UNKNOWN', `no member ${member} is known here`);
    const target = this.#target(command);
    if ('code' in target) return target;
    try {
      const answer = await this.#write(term, command, target);
      if (answer.kind === 'accepted' && !answer.repeated)
        log.info('operator.asked', {
          member,
          request: answer.request.kind,
          opId: target.opId,
          by: command.by,
          why: command.why,
        });
      return answer;
    } catch (error) {
      if (!isOperationError(error)) throw error;
      return refused('UNAVAILABLE', `${errorText(error)}; asking again is harmless`);
    }
  }

  /** What the request is about, and the record that proves it is still so. */
  #target(command: OperatorCommand): Target | (OperatorAnswer & { readonly kind: 'refused' }) {
    const { view, keys } = this.#options;
    const { member, kind } = command;
    const intent = view.records.intents.get(member);
    if (intent) {
      const { opId } = intent.record;
      if (command.opId !== null && command.opId !== opId)
        return {
          kind: 'refused',
          code: 'OTHER_RECOVERY',
          text: `the open recovery of ${member} is ${opId}, not ${command.opId}`,
        };
      return { opId, kind, also: [{ key: keys.intent(member), modRevision: intent.modRevision }] };
    }
    const activation = view.records.activations.get(member);
    const waits = WAITS_FOR_A_PERSON.has(this.#options.assessor.of(member)?.assessment.reasonCode ?? '');
    const begins = kind === 'recover' || kind === 'retry';
    if (!activation || !waits || !begins) return this.#nothingToAsk(command, begins);
    const opId = opIdOf(activation.record.instanceId, activation.record.ordinal);
    if (command.opId !== null && command.opId !== opId)
      return {
        kind: 'refused',
        code: 'OTHER_RECOVERY',
        text: `the next recovery of ${member} is ${opId}, not ${command.opId}`,
      };
    return {
      opId,
      kind: 'recover',
      also: [
        { key: keys.intent(member), modRevision: 0 },
        { key: keys.activation(member), modRevision: activation.modRevision },
      ],
    };
  }

  #nothingToAsk({ member, kind }: OperatorCommand, begins: boolean): OperatorAnswer & { readonly kind: 'refused' } {
    const hold = this.#options.view.records.holds.get(member)?.record;
    const way = hold ? `. It is held: ${hold.text} (${WAYS_OUT[hold.reason].act})` : '';
    if (kind === 'recover' || (begins && !hold)) {
      const text = `${member} was not stopped by us and abandoned by nobody: it is watched, and recovered by itself when it fails${way}`;
      return { kind: 'refused', code: 'NOT_STOPPED_BY_US', text };
    }
    return {
      kind: 'refused',
      code: 'NO_OPEN_RECOVERY',
      text: `no recovery of ${member} is open: there is nothing to ${kind}${way}`,
    };
  }

  async #write(term: Term, command: OperatorCommand, target: Target): Promise<OperatorAnswer> {
    const { view, keys, clock } = this.#options;
    const { member, by, why, loss, leaveOpen } = command;
    const stored = view.records.requests.get(member);
    const { opId, kind } = target;
    const request = { member, kind, opId, by, why, atWallMs: clock.wallMs(), loss, leaveOpen };
    if (stored && isSame(stored.record, request)) return { kind: 'accepted', request: stored.record, repeated: true };
    const outcome = await term.commit({
      puts: [{ key: keys.request(member), expect: stored?.modRevision ?? 0, record: request }],
      also: target.also,
    });
    if (outcome.kind === 'committed') return { kind: 'accepted', request, repeated: false };
    return refused(
      'CHANGED',
      `${member} has changed meanwhile: look again (${commandsFor('NotReady', member).join()})`,
    );
  }
}

interface Target {
  readonly opId: string;
  readonly kind: RequestKind;
  readonly also: readonly KvCompare[];
}

const isSame = (
  stored: OperatorRequestRecord,
  asked: Pick<OperatorRequestRecord, 'kind' | 'opId' | 'loss' | 'leaveOpen'>,
): boolean =>
  stored.kind === asked.kind &&
  stored.opId === asked.opId &&
  stored.loss === asked.loss &&
  stored.leaveOpen === asked.leaveOpen;
