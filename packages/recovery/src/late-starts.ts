import {
  type Clock,
  type Cloud,
  type CloudInstance,
  errorText,
  isOperationError,
  type Keyspace,
  type LateStart,
  type Log,
  type MemberId,
  OperationError,
  type Revision,
  TAG,
  type Term,
  unwritten,
} from '@understudy/shared';
import { lateStartMove, openLateStartOf } from './core/undo/late-start.ts';
import type { StoredHistory } from './failure-hooks.ts';

/** An undo that was called off, with what decides whether its retired instance may be stopped. */
export interface CalledOff extends StoredHistory {
  /** The activation of the member, as the view shows it. */
  readonly activation: { readonly modRevision: Revision };
  /** An activation names the retired instance, of whatever member. */
  readonly isInCharge: boolean;
  /** A recovery of the member is open. */
  readonly isRecovering: boolean;
}

export interface LateStartsOptions {
  readonly cloud: Cloud;
  readonly keys: Keyspace;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Log;
  /** What the term must still hold for before a call begins, ms. */
  readonly callTimeoutMs: number;
}

/**
 * Nobody has given it away since: it has the mark that retired it, and names the member. Whoever
 * makes another member of it takes the mark off and changes the name, before it is enrolled as
 * that.
 */
const isRetiredOf = (member: MemberId, { tags }: CloudInstance): boolean =>
  tags[TAG.retiredBy] !== undefined && `${tags[TAG.group]}/${tags[TAG.member]}` === member;

const MODE = { force: true, skipOsShutdown: false } as const;

/**
 * Sees to it that no retired instance runs on by a Start of ours that landed after its undo was
 * called off. It is owed by the history of that undo until no such call can land any more, so a
 * leader that follows goes on with it. **S** (S30) Each Stop is on record before it is sent, in a
 * transaction that compares the activation and that no recovery of the member is open: what is in
 * charge of any member, or is about to be, or was given away, is never stopped, and no later undo
 * begins while such a Stop may land.
 */
export class LateStarts {
  readonly #options: LateStartsOptions;

  constructor(options: LateStartsOptions) {
    this.#options = options;
  }

  /** One look. What conflicts is looked at again in the next. @throws LEASE_LOST, STORE_* */
  async look(term: Term, histories: readonly CalledOff[]): Promise<void> {
    const open = histories.flatMap((one) => {
      const late = openLateStartOf(one.record);
      return late ? [{ ...one, late }] : [];
    });
    if (open.length === 0) return;
    const shown = await this.#shown(
      term,
      open.map(({ late }) => late.instanceId),
    );
    if (shown === null) return;
    for (const one of open) await this.#settle(term, one, shown.get(one.late.instanceId) ?? null);
  }

  /** Those that EC2 shows. Null: it does not answer. */
  async #shown(term: Term, ids: readonly string[]): Promise<ReadonlyMap<string, CloudInstance> | null> {
    try {
      const found = await this.#options.cloud.describeInstances({ 'instance-id': [...ids] }, { signal: term.signal });
      return new Map(found.map((one) => [one.instanceId, one]));
    } catch (error) {
      if (!isOperationError(error) || term.signal.aborted) throw error;
      return null;
    }
  }

  async #settle(term: Term, one: CalledOff & { readonly late: LateStart }, shown: CloudInstance | null): Promise<void> {
    const { clock, log } = this.#options;
    const { late, isInCharge, isRecovering, record } = one;
    const nowWallMs = clock.wallMs();
    const isRetired = shown !== null && isRetiredOf(record.member, shown);
    const state = shown?.state ?? null;
    const move = lateStartMove(late, { state, isInCharge, isRetired, isRecovering, nowWallMs });
    const facts = { member: record.member, opId: record.opId, instanceId: late.instanceId };
    if (move === 'settle' && (await this.#write(term, one, { ...late, settledAtWallMs: nowWallMs })))
      log.info('undo.late_start.settled', { ...facts, state, isRetired, isInCharge });
    if (move !== 'stop' || !(await this.#write(term, one, { ...late, stoppedAtWallMs: nowWallMs }))) return;
    log.warn('undo.late_start.stopped', facts);
    try {
      await this.#options.cloud.stopInstance(late.instanceId, MODE, this.#sending(term));
    } catch (error) {
      if (!isOperationError(error) || error.code === 'LEASE_LOST') throw error;
      log.warn('undo.late_start.not_stopped', { ...facts, error: errorText(error) });
    }
  }

  async #write(term: Term, { key, modRevision, record, activation }: CalledOff, lateStart: LateStart) {
    const { keys } = this.#options;
    const outcome = await term.commit({
      puts: [{ key, expect: modRevision, record: { ...unwritten(record), lateStart } }],
      also: [
        { key: keys.activation(record.member), modRevision: activation.modRevision },
        { key: keys.intent(record.member), modRevision: 0 },
      ],
    });
    return outcome.kind === 'committed';
  }

  #sending(term: Term) {
    const mayStart = () => term.holdsFor(this.#options.callTimeoutMs);
    if (!mayStart()) throw new OperationError('LEASE_LOST', 'the term does not hold long enough for another call');
    return { signal: term.signal, mayStart };
  }
}
