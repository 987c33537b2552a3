import {
  type Clock,
  errorText,
  type FailureHook,
  type HistoryRecord,
  type HookOutcome,
  type Log,
  type RunHook,
  type Term,
  unwritten,
} from '@understudy/shared';
import { hookMessage } from './core/hook-message.ts';

/** A history record, as it was read. */
export interface StoredHistory {
  readonly key: string;
  readonly record: HistoryRecord;
  readonly modRevision: number;
}

export interface FailureHooksOptions {
  /** Absent: this coordinator is not set up to run hooks, and says so in the history. */
  readonly runHook?: RunHook | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** What the term must still hold for before one is begun, ms. */
  readonly callTimeoutMs: number;
}

interface Work {
  readonly beganAtMs: number;
  outcome: HookOutcome | null;
}

/** Beyond a hook's own time, for it to be ended. */
const AROUND_MS = 30_000;
/** One id, whoever runs it: a hook on failure is never tried again for having failed. */
const ATTEMPT = 1;

const NOT_SET_UP: HookOutcome = { kind: 'refused', text: 'this coordinator is not set up to run hooks' };
const NOT_KNOWN: HookOutcome = { kind: 'refused', text: 'how it ended is not known' };

/** Hooks of ended recoveries that nobody has seen the end of. */
const openHooksOf = ({ failureHooks = [] }: HistoryRecord): readonly FailureHook[] =>
  failureHooks.filter((one) => one.ended === undefined);

/**
 * Runs the hooks `on-failure` of recoveries that brought nothing back, from their history, where
 * they are owed until one is seen to end. Nothing waits for them. At least once: a leader that
 * follows begins what is open again, under the same id.
 */
export class FailureHooks {
  readonly #options: FailureHooksOptions;
  /** By recovery and hook. What has ended stays until the history shows it. */
  readonly #works = new Map<string, Work>();

  constructor(options: FailureHooksOptions) {
    this.#options = options;
  }

  /** A term begins: what an earlier one began has been ended with it. */
  beginTerm(): void {
    this.#works.clear();
  }

  /**
   * Begins what is open in these, and writes down what has ended. It waits for no hook. A write
   * that conflicts is made again from what is there then. @throws LEASE_LOST, STORE_*
   */
  async look(term: Term, histories: readonly StoredHistory[]): Promise<void> {
    const open = histories.filter(({ record }) => openHooksOf(record).length > 0);
    const ids = new Set(open.flatMap(({ record }) => openHooksOf(record).map((hook) => idOf(record, hook))));
    for (const id of this.#works.keys()) if (!ids.has(id)) this.#works.delete(id);
    for (const history of open) await this.#lookAt(term, history);
  }

  async #lookAt(term: Term, { key, record, modRevision }: StoredHistory): Promise<void> {
    const { clock, log } = this.#options;
    for (const hook of openHooksOf(record)) if (!this.#works.has(idOf(record, hook))) this.#begin(term, record, hook);
    const ended = new Map(
      openHooksOf(record).flatMap((hook) => {
        const outcome = this.#outcomeOf(record, hook);
        return outcome ? [[hook.name, outcome] as const] : [];
      }),
    );
    if (ended.size === 0) return;
    const failureHooks = (record.failureHooks ?? []).map((hook): FailureHook => {
      const outcome = ended.get(hook.name);
      if (!outcome || hook.ended) return hook;
      return { ...hook, ended: { passed: outcome.kind === 'passed', text: outcome.text, atWallMs: clock.wallMs() } };
    });
    const written = await term.commit({
      puts: [{ key, expect: modRevision, record: { ...unwritten(record), failureHooks } }],
    });
    if (written.kind !== 'committed') return;
    const { opId, member } = record;
    for (const [name, { kind, text }] of ended)
      log[kind === 'passed' ? 'info' : 'warn']('recovery.hook.ended', {
        ...{ opId, member, hook: name, at: 'on-failure', attempt: ATTEMPT, outcome: kind, text },
      });
  }

  /** null: it runs, or was not begun yet. */
  #outcomeOf(record: HistoryRecord, hook: FailureHook): HookOutcome | null {
    const work = this.#works.get(idOf(record, hook));
    if (!work) return null;
    const isOver = this.#options.clock.monotonicMs() - work.beganAtMs >= hook.timeoutMs + AROUND_MS;
    return work.outcome ?? (isOver ? NOT_KNOWN : null);
  }

  /** It is on record already, as owed. */
  #begin(term: Term, record: HistoryRecord, { name, timeoutMs, begunAtWallMs, ...runs }: FailureHook): void {
    const { runHook, clock, callTimeoutMs } = this.#options;
    if (!term.holdsFor(callTimeoutMs)) return;
    const work: Work = { beganAtMs: clock.monotonicMs(), outcome: runHook ? null : NOT_SET_UP };
    this.#works.set(idOf(record, { name }), work);
    if (!runHook) return;
    const { program, webhook, command } = runs;
    const hook = { name, at: 'on-failure', program, webhook, command, timeoutMs } as const;
    const facts = { ...record, strategy: record.strategy ?? 'snapshot-and-replace' };
    const begun = { begunAtWallMs: begunAtWallMs ?? record.endedAtWallMs };
    const message = hookMessage(facts, hook, { attempt: ATTEMPT, ...begun, nowWallMs: clock.wallMs() });
    void ended(runHook, hook, message, term.signal).then((outcome) => (work.outcome = outcome));
  }
}

const idOf = ({ opId }: HistoryRecord, { name }: Pick<FailureHook, 'name'>): string => `${opId} ${name}`;

/** How a hook ended. It never rejects: nobody waits for it. */
export async function ended(runHook: RunHook, ...asked: Parameters<RunHook>): Promise<HookOutcome> {
  try {
    return await runHook(...asked);
  } catch (error) {
    return { kind: 'refused', text: `it could not be run: ${errorText(error)}` };
  }
}
