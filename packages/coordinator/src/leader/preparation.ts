import { type Clock, errorText, isOperationError, type Log, type MemberId, type MonotonicMs } from '@understudy/shared';
import type { PlanInput } from '@understudy/recovery';
import type { Judgement } from './assessor.ts';
import type { TermTasks } from './term-tasks.ts';

/**
 * So many members are prepared for at once. With more suspects the cause is not theirs, and EC2's
 * rates are for recoveries: nothing is prepared then.
 */
const SUSPECTS_MAX = 8;
/** What was read is read anew after this long, for as long as the member stays suspect. */
const READ_AGAIN_MS = 15_000;
/** A plan is made of what was read for it only while that is younger: the limit of S5. */
const GOOD_FOR_MS = 30_000;

export interface PreparationOptions {
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Which policy it would be read for, as a number that changes with it. Null: it is not wanted.
   */
  readonly wantedFor: (member: MemberId) => number | null;
  /** Reads what a plan needs; changes nothing. @throws the errors of EC2's reads. */
  readonly read: (suspect: Suspect, signal: AbortSignal) => Promise<PlanInput>;
}

export type Suspect = Pick<Judgement, 'member' | 'instanceId'>;

interface Prepared {
  readonly member: MemberId;
  readonly policy: number;
  /** Null: it is being read for the first time. */
  readonly input: PlanInput | null;
  /** When `input` began to be read, so nothing in it is older. */
  readonly askedAtMs: MonotonicMs;
  /** When it was last begun to be read. */
  readonly triedAtMs: MonotonicMs;
  readonly abort: AbortController;
  /** A plan was made of it. */
  readonly isUsed: boolean;
}

/** What became of preparations since the start. */
export interface PreparationCounts {
  readonly used: number;
  readonly dropped: number;
  readonly failed: number;
}

/**
 * Begins for suspects what cannot hurt: reads of what their plans need, so that a recovery has its
 * plan when its member is dead. In memory only, and only reads (and a DryRun where the policy says
 * so): nothing is made, so nothing can be left behind, by a refutation, by a paused leader or by a
 * reply that is lost.
 *
 * **S** (S5) A plan is made of it for 30 s at most, for the same instance and the same policy; what
 * the recovery is decided on is asked again at the commit.
 */
export class Preparation {
  readonly #options: PreparationOptions;
  /** By instance id; at most {@link SUSPECTS_MAX} are read at once, and all are suspect. */
  readonly #prepared = new Map<string, Prepared>();
  #counts: PreparationCounts = { used: 0, dropped: 0, failed: 0 };

  constructor(options: PreparationOptions) {
    this.#options = options;
  }

  get counts(): PreparationCounts {
    return this.#counts;
  }

  /** What was prepared under an earlier term is not this term's. */
  beginTerm(): void {
    for (const instanceId of this.#prepared.keys()) this.#drop(instanceId, 'the term ended');
  }

  /** Call with all who are suspect or dead now. Synchronous: reading goes on beside. */
  pass(suspects: readonly Suspect[], signal: AbortSignal, tasks: Pick<TermTasks, 'attempt'>): void {
    const present = new Set(suspects.map((one) => one.instanceId));
    for (const instanceId of this.#prepared.keys())
      if (!present.has(instanceId)) this.#drop(instanceId, 'it is not suspect any more');
    if (suspects.length > SUSPECTS_MAX) return;
    for (const suspect of suspects) {
      const policy = this.#options.wantedFor(suspect.member);
      if (policy !== null && this.#isDue(suspect, policy))
        void tasks.attempt('prepare', () => this.#read(suspect, policy, signal));
    }
  }

  /** What was read for a plan by this policy. Null: nothing that may be used. */
  inputFor(suspect: Suspect, policy: number): PlanInput | null {
    const { instanceId } = suspect;
    const prepared = this.#prepared.get(instanceId);
    if (!prepared || this.peek(suspect, policy) === null) return null;
    if (!prepared.isUsed) this.#counts = { ...this.#counts, used: this.#counts.used + 1 };
    this.#prepared.set(instanceId, { ...prepared, isUsed: true });
    return prepared.input;
  }

  /** As {@link inputFor}, where no recovery is begun by it. */
  peek({ instanceId }: Suspect, policy: number): PlanInput | null {
    const prepared = this.#prepared.get(instanceId);
    if (!prepared?.input || prepared.policy !== policy || this.#ageOf(prepared) > GOOD_FOR_MS) return null;
    return prepared.input;
  }

  /** For people. Null: nothing is prepared for it. */
  textFor(member: MemberId): { readonly text: string; readonly ageMs: number } | null {
    const prepared = [...this.#prepared.values()].find((one) => one.member === member);
    if (!prepared) return null;
    const text = prepared.input ? 'prepared: what its plan needs is read' : 'preparing: reading what its plan needs';
    return { text, ageMs: this.#ageOf(prepared) };
  }

  #ageOf({ askedAtMs }: Prepared): number {
    return this.#options.clock.monotonicMs() - askedAtMs;
  }

  #isDue({ instanceId }: Suspect, policy: number): boolean {
    const prepared = this.#prepared.get(instanceId);
    if (!prepared || prepared.policy !== policy) return true;
    return this.#options.clock.monotonicMs() - prepared.triedAtMs >= READ_AGAIN_MS;
  }

  async #read(suspect: Suspect, policy: number, signal: AbortSignal): Promise<void> {
    const { clock, log, read } = this.#options;
    const { member, instanceId } = suspect;
    const before = this.#prepared.get(instanceId);
    before?.abort.abort(new Error('it is read anew'));
    const abort = new AbortController();
    const nowMs = clock.monotonicMs();
    const begun: Prepared = { member, policy, input: null, askedAtMs: nowMs, triedAtMs: nowMs, abort, isUsed: false };
    // What was read before stays good until this is there.
    const kept = before?.policy === policy ? { ...before, triedAtMs: nowMs, abort } : begun;
    this.#prepared.set(instanceId, kept);
    try {
      const input = await read(suspect, AbortSignal.any([signal, abort.signal]));
      if (abort.signal.aborted) return;
      this.#prepared.set(instanceId, { ...begun, input });
      if (!kept.input) log.info('prepare.ready', { member, instanceId, tookMs: this.#ageOf(begun) });
    } catch (error) {
      if (abort.signal.aborted || signal.aborted) return;
      if (!isOperationError(error)) throw error;
      // It is tried again when it is due; meanwhile a plan reads for itself.
      this.#counts = { ...this.#counts, failed: this.#counts.failed + 1 };
      log.info('prepare.failed', { member, instanceId, error: errorText(error) });
    }
  }

  #drop(instanceId: string, why: string): void {
    const prepared = this.#prepared.get(instanceId);
    if (!prepared) return;
    prepared.abort.abort(new Error(why));
    this.#prepared.delete(instanceId);
    if (prepared.isUsed) return;
    this.#counts = { ...this.#counts, dropped: this.#counts.dropped + 1 };
    this.#options.log.info('prepare.dropped', { member: prepared.member, instanceId, why });
  }
}
