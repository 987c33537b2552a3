import { OperationError } from '../errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type {
  KvEntry,
  KvRange,
  KvStore,
  KvTxn,
  KvTxnResult,
  KvWatch,
  KvWatchHandlers,
  LeaseId,
  Revision,
  StoreAlarm,
} from '../ports/kv-store.ts';
import type { SimKvState } from './sim-kv-state.ts';
import { SimKvWatch } from './sim-kv-watch.ts';

export type SimKvOperation = 'get' | 'range' | 'txn' | 'grantLease' | 'keepAlive' | 'revokeLease';

/**
 * - `refuse`: connection refused; certainly not sent.
 * - `dropRequest`: sent, never arrives; the caller times out.
 * - `loseReply`: applied, the reply is lost; the caller times out.
 * - `landLate`: arrives `delayMs` after it was sent, long after the caller may have given up.
 */
export type SimKvFaultKind = 'refuse' | 'dropRequest' | 'loseReply' | 'landLate';

export interface SimKvFault {
  readonly kind: SimKvFaultKind;
  /** Operation it hits. Default: the next one, whatever it is. */
  readonly operation?: SimKvOperation;
  /** How many calls it hits. Default 1. */
  readonly times?: number;
  /** For `landLate`. Default 5 000. */
  readonly delayMs?: number;
  /** Accepts the transactions it may hit. */
  readonly matching?: (txn: KvTxn) => boolean;
}

export type SimKvCut = 'both' | 'requests' | 'replies';

export interface SimKvClientOptions {
  /**
   * The process's own clock (see `PausableClock`). Replies, timeouts and watch events wait while it
   * is paused. Default: the store's clock.
   */
  readonly clock?: Clock;
  /** Latency each way. Default 0: calls are answered without the clock moving. */
  readonly latencyMs?: number;
  /** Default 1 500. */
  readonly callTimeoutMs?: number;
  /** Time from a change to its event. Default 1. */
  readonly watchLatencyMs?: number;
  /** How long a silent cut stays unnoticed by a watch. Default 6 000. */
  readonly silenceLimitMs?: number;
  /** Time from a noticed break to the next attempt. Default 100. */
  readonly reconnectAfterMs?: number;
}

interface ArmedFault extends SimKvFault {
  left: number;
}

interface Call<T> {
  readonly operation: SimKvOperation;
  readonly txn?: KvTxn;
  readonly apply: () => T;
}

const MAY_CHANGE_STORE: readonly SimKvOperation[] = ['txn', 'grantLease', 'revokeLease'];

/** What a client needs of the store it is connected to. */
export interface SimKvServer {
  readonly clock: Clock;
  readonly state: SimKvState;
  readonly revision: Revision;
  readonly progressEveryMs: number;
  readonly isSuspended: boolean;
  readonly versions: readonly string[];
  readonly alarms: readonly StoreAlarm[];
  applyFrom(client: SimKvClient, txn: KvTxn): KvTxnResult;
  grantTo(client: SimKvClient, ttlMs: number): { leaseId: LeaseId; ttlMs: number };
  renew(leaseId: LeaseId): { ttlMs: number } | null;
  revoke(leaseId: LeaseId): void;
  forget(client: SimKvClient): void;
}

/**
 * One process's connection to a `SimKv`. The test arms faults; `fired` counts how often each one
 * really hit.
 */
export class SimKvClient implements KvStore {
  readonly name: string;
  readonly clock: Clock;
  readonly watchLatencyMs: number;
  readonly silenceLimitMs: number;
  readonly reconnectAfterMs: number;
  readonly server: SimKvServer;
  /** How often each fault really hit something. */
  readonly fired: Record<
    SimKvFaultKind | 'refusedWrite' | 'cutRequest' | 'cutReply' | 'watchBreak' | 'watchSilence',
    number
  > = {
    refusedWrite: 0,
    refuse: 0,
    dropRequest: 0,
    loseReply: 0,
    landLate: 0,
    cutRequest: 0,
    cutReply: 0,
    watchBreak: 0,
    watchSilence: 0,
  };
  /** Calls that reached the store, per operation. */
  readonly applied: Record<SimKvOperation, number> = {
    get: 0,
    range: 0,
    txn: 0,
    grantLease: 0,
    keepAlive: 0,
    revokeLease: 0,
  };
  closed = false;
  readonly #ownClock: boolean;
  readonly #callTimeoutMs: number;
  #latencyMs: number;
  #cut: SimKvCut | null = null;
  #faults: ArmedFault[] = [];
  readonly #watches = new Set<SimKvWatch>();

  constructor(server: SimKvServer, name: string, options: SimKvClientOptions) {
    this.server = server;
    this.name = name;
    this.clock = options.clock ?? server.clock;
    this.#ownClock = options.clock !== undefined;
    this.#latencyMs = options.latencyMs ?? 0;
    this.#callTimeoutMs = options.callTimeoutMs ?? 1500;
    this.watchLatencyMs = options.watchLatencyMs ?? 1;
    this.silenceLimitMs = options.silenceLimitMs ?? 6000;
    this.reconnectAfterMs = options.reconnectAfterMs ?? 100;
  }

  // Faults
  // ------------------------------------------------------------------------------------------------------------------------

  inject(fault: SimKvFault): void {
    this.#faults.push({ ...fault, left: fault.times ?? 1 });
  }

  /** Bytes vanish silently, in one or both directions, until {@link heal}. */
  cut(direction: SimKvCut = 'both'): void {
    this.#cut = direction;
    for (const watch of this.#watches) watch.fallSilent();
  }

  heal(): void {
    this.#cut = null;
    this.#faults = [];
  }

  /** Adds to the latency, each way, from now on. */
  slowTo(latencyMs: number): void {
    this.#latencyMs = latencyMs;
  }

  /** Resets the connections of all watches, which reconnect and resume. */
  breakWatches(): void {
    for (const watch of this.#watches) watch.break();
  }

  get isCut(): boolean {
    return this.#cut !== null;
  }

  /** Called by the store after each change. */
  storeChanged(): void {
    for (const watch of this.#watches) watch.changed();
  }

  // KvStore
  // -----------------------------------------------------------------------------------------------------------------------

  get(key: string): Promise<KvEntry | null> {
    return this.#call({ operation: 'get', apply: () => this.server.state.get(key) });
  }

  range(prefix: string): Promise<KvRange> {
    return this.#call({ operation: 'range', apply: () => this.server.state.range(prefix) });
  }

  txn(txn: KvTxn): Promise<KvTxnResult> {
    return this.#call({ operation: 'txn', txn, apply: () => this.server.applyFrom(this, txn) });
  }

  grantLease(ttlMs: number): Promise<{ leaseId: LeaseId; ttlMs: number }> {
    return this.#call({ operation: 'grantLease', apply: () => this.server.grantTo(this, ttlMs) });
  }

  keepAlive(leaseId: LeaseId): Promise<{ ttlMs: number } | null> {
    return this.#call({ operation: 'keepAlive', apply: () => this.server.renew(leaseId) });
  }

  async revokeLease(leaseId: LeaseId): Promise<void> {
    await this.#call({ operation: 'revokeLease', apply: () => this.server.revoke(leaseId) });
  }

  watch(prefix: string, fromRevision: Revision, handlers: KvWatchHandlers): KvWatch {
    const watch = new SimKvWatch(this, prefix, fromRevision, handlers, () => this.#watches.delete(watch));
    this.#watches.add(watch);
    watch.attach();
    return watch;
  }

  remembers(_key: string, revision: Revision): Promise<boolean> {
    return this.#call({ operation: 'get', apply: () => revision >= this.server.state.compactedRevision });
  }

  serverVersions(): Promise<readonly string[]> {
    return this.#call({ operation: 'get', apply: () => this.server.versions });
  }

  alarms(): Promise<readonly StoreAlarm[] | null> {
    return this.#call({ operation: 'get', apply: () => this.server.alarms });
  }

  close(): Promise<void> {
    this.closed = true;
    for (const watch of [...this.#watches]) watch.cancel();
    this.server.forget(this);
    return Promise.resolve();
  }

  // One call
  // ------------------------------------------------------------------------------------------------------------------------

  #call<T>(call: Call<T>): Promise<T> {
    const fault = this.#takeFault(call);
    if (this.closed) return Promise.reject(new OperationError('STORE_UNAVAILABLE', 'the client is closed'));
    if (fault?.kind === 'refuse')
      return Promise.reject(new OperationError('STORE_UNAVAILABLE', `${call.operation}: connection refused`));
    return new Promise((resolve, reject) => {
      const timeout = this.clock.setTimer(this.#callTimeoutMs, () => reject(this.#timedOut(call.operation)));
      if (fault?.kind === 'dropRequest' || this.#losesRequest()) return;
      const delayMs = fault?.kind === 'landLate' ? (fault.delayMs ?? 5000) : this.#latencyMs;
      const arrive = () => this.#arrive(call, fault, { timeout, resolve, reject });
      if (delayMs === 0) arrive();
      else this.server.clock.setTimer(delayMs, arrive);
    });
  }

  #arrive<T>(
    call: Call<T>,
    fault: ArmedFault | null,
    caller: { timeout: Timer; resolve: (value: T) => void; reject: (error: unknown) => void },
  ): void {
    this.applied[call.operation] += 1;
    let answer: () => void;
    try {
      const value = call.apply();
      answer = () => caller.resolve(value);
    } catch (error) {
      answer = () => caller.reject(error);
    }
    if (fault?.kind === 'loseReply' || this.#losesReply()) return;
    const settle = () => {
      caller.timeout.cancel();
      answer();
    };
    if (this.#latencyMs === 0 && !this.#ownClock) settle();
    else this.clock.setTimer(this.#latencyMs, settle);
  }

  #losesRequest(): boolean {
    const lost = this.#cut === 'both' || this.#cut === 'requests' || this.server.isSuspended;
    if (lost) this.fired.cutRequest += 1;
    return lost;
  }

  #losesReply(): boolean {
    const lost = this.#cut === 'both' || this.#cut === 'replies';
    if (lost) this.fired.cutReply += 1;
    return lost;
  }

  #takeFault(call: Call<unknown>): ArmedFault | null {
    const fault = this.#faults.find(
      (armed) =>
        (armed.operation === undefined || armed.operation === call.operation) &&
        (armed.matching === undefined || (call.txn !== undefined && armed.matching(call.txn))),
    );
    if (!fault) return null;
    this.fired[fault.kind] += 1;
    fault.left -= 1;
    if (fault.left <= 0) this.#faults = this.#faults.filter((other) => other !== fault);
    return fault;
  }

  #timedOut(operation: SimKvOperation): OperationError {
    const code = MAY_CHANGE_STORE.includes(operation) ? 'STORE_OUTCOME_UNKNOWN' : 'STORE_UNAVAILABLE';
    return new OperationError(code, `${operation}: no answer within ${this.#callTimeoutMs} ms`);
  }
}
