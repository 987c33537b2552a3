import { type Clock, errorText, type Log } from '@understudy/shared';
import type { StateStore } from './adapters/state-file.ts';
import { nextEpoch } from './core/boot.ts';
import type { LockHolder } from './core/lock-claim.ts';

/** Keeps a second agent away from this member on this host. */
export interface AgentLock {
  /**
   * The agent that holds it instead of us. Null: we do, or nobody can tell. Bounded in time; never
   * rejects.
   */
  lostTo(): Promise<LockHolder | null>;
}

export interface EpochKeeperParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly stateStore: StateStore;
  /** Null: there is none (simulation). */
  readonly lock: AgentLock | null;
  /**
   * Storing an epoch never takes longer, because heartbeats do not wait for a disk that hangs. In
   * ms.
   */
  readonly writeLimitMs: number;
  /** Makes the sender use it from its next heartbeat on. */
  readonly use: (bootEpoch: bigint) => void;
  /** Another agent has the lock, so this one has to end. */
  readonly yieldTo: (holder: LockHolder) => void;
}

/**
 * Two agents that both own what they can see take turns. Each turn waits longer, up to the last. In
 * ms.
 */
const TURNS_MS = [0, 1_000, 2_000, 5_000, 10_000, 20_000] as const;
/** The contest is over when we were not told for this long. In ms. */
const PEACE_MS = 60_000;

/**
 * While the agent runs, a coordinator may know a newer boot epoch than ours: from a second agent,
 * or from before a clock and a state file went back. The agent that owns the lock takes an epoch
 * that is greater still; the other ends. It logs both cases.
 */
export class EpochKeeper {
  readonly #parts: EpochKeeperParts;
  #bootEpoch: bigint;
  #instanceId: string;
  #busy = false;
  #turns = 0;
  #takenAtMs = Number.NEGATIVE_INFINITY;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #saidHopeless = false;

  constructor(parts: EpochKeeperParts, instanceId: string, bootEpoch: bigint) {
    this.#parts = parts;
    this.#instanceId = instanceId;
    this.#bootEpoch = bootEpoch;
  }

  get bootEpoch(): bigint {
    return this.#bootEpoch;
  }

  /** Called when a fresh ack called our heartbeat stale. */
  told(newestEpoch: bigint, coordinator: string): void {
    // Answers to what we sent before we took an epoch are refused. This coordinator knows less than
    // we told it.
    if (newestEpoch < this.#bootEpoch) return;
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - this.#toldAtMs >= PEACE_MS) this.#turns = 0;
    this.#toldAtMs = nowMs;
    const waitMs = TURNS_MS[Math.min(this.#turns, TURNS_MS.length - 1)] ?? 0;
    if (this.#busy || nowMs - this.#takenAtMs < waitMs) return;
    this.#busy = true;
    void this.#answer(newestEpoch, coordinator).finally(() => {
      this.#busy = false;
    });
  }

  async #answer(newestEpoch: bigint, coordinator: string): Promise<void> {
    const { lock, log, use, yieldTo, clock } = this.#parts;
    const told = { coordinator, bootEpoch: String(this.#bootEpoch), newestEpoch: String(newestEpoch) };
    const holder = (await lock?.lostTo()) ?? null;
    if (holder) return yieldTo(holder);
    const next = nextEpoch(this.#bootEpoch, newestEpoch);
    if (next === null) {
      if (!this.#saidHopeless) log.error('agent.stale', { ...told, remedy: NO_GREATER_EPOCH });
      this.#saidHopeless = true;
      return;
    }
    log.error('agent.stale', { ...told, taken: String(next), remedy: TWO_AGENTS });
    this.#bootEpoch = next;
    this.#takenAtMs = clock.monotonicMs();
    this.#turns++;
    await this.#store(next);
    use(next);
  }

  async #store(bootEpoch: bigint): Promise<void> {
    const { stateStore, log, clock, writeLimitMs } = this.#parts;
    const done = new AbortController();
    const written = stateStore.write({ instanceId: this.#instanceId, bootEpoch }).catch((error: unknown) => {
      log.error('agent.state.unwritten', { error: errorText(error) });
    });
    await Promise.race([written, clock.sleep(writeLimitMs, done.signal).catch(() => undefined)]);
    done.abort();
  }
}

const TWO_AGENTS =
  'a second agent speaks for this member, or the clock and the state file went back: end the other agent if there is one; this one goes on with a new boot epoch';
const NO_GREATER_EPOCH =
  'somebody who holds the key of this member used the greatest boot epoch there is: give the member a new key, then restart the coordinators one by one';
