import { type Endpoint, HEARTBEAT_BYTES, type MonotonicMs } from '@understudy/shared';
import type { Ingest } from './ingest.ts';
import type { TagVerifier } from './tag-verifier/tag-verifier.ts';
import type { ReceiveResult } from './types.ts';

/**
 * Collects heartbeats until their tags can be checked together. Each is judged as of its own
 * arrival. Whoever adds must call {@link flush} soon after, because the last ones wait for company.
 */
export class HeartbeatBatch {
  readonly #ingest: Ingest;
  readonly #verifier: TagVerifier;
  readonly #onResult: (result: ReceiveResult, from: Endpoint) => void;
  readonly #bytes: readonly Uint8Array[];
  readonly #from: Endpoint[] = [];
  readonly #heardAtMs: Float64Array;
  readonly #takenAtMs: Float64Array;
  readonly #admitted: (number | ReceiveResult)[] = [];
  readonly #keyOffsets: Int32Array;
  #count = 0;

  constructor(
    table: { readonly ingest: Ingest },
    onResult: (result: ReceiveResult, from: Endpoint) => void,
    verifier = table.ingest.verifier,
  ) {
    this.#ingest = table.ingest;
    this.#verifier = verifier;
    this.#onResult = onResult;
    const { batchSize } = verifier;
    this.#bytes = Array.from({ length: batchSize }, () => new Uint8Array(HEARTBEAT_BYTES));
    this.#heardAtMs = new Float64Array(batchSize);
    this.#takenAtMs = new Float64Array(batchSize);
    this.#keyOffsets = new Int32Array(batchSize);
  }

  /** How many wait for {@link flush}. */
  get pendingCount(): number {
    return this.#count;
  }

  /**
   * `payload` is copied; `from` is kept until the flush. `heardAtMs`: when it came in; `nowMs`
   * paces acks.
   */
  add(payload: Uint8Array, from: Endpoint, heardAtMs: MonotonicMs, nowMs = heardAtMs): void {
    if (this.#verifier.batchSize < 2 || payload.length !== HEARTBEAT_BYTES)
      return this.#onResult(this.#ingest.receive(payload, from, heardAtMs, nowMs), from);
    const at = this.#count++;
    this.#takenAtMs[at] = nowMs;
    this.#bytes[at]?.set(payload);
    this.#from[at] = from;
    this.#heardAtMs[at] = heardAtMs;
    if (this.#count === this.#verifier.batchSize) this.flush();
  }

  /** Slots are looked up here, not in {@link add}: the roster may change in between. */
  flush(): void {
    const count = this.#count;
    this.#count = 0;
    for (let i = 0; i < count; i++) this.#admit(i);
    const accepted = this.#verifier.verify(this.#bytes, this.#keyOffsets, count);
    for (let i = 0; i < count; i++)
      this.#onResult(this.#settle(i, (accepted & (1 << i)) !== 0), this.#from[i] as Endpoint);
  }

  #admit(i: number): void {
    const bytes = this.#bytes[i] as Uint8Array;
    const admitted = this.#ingest.admit(bytes, this.#from[i] as Endpoint, this.#heardAtMs[i] as number);
    this.#admitted[i] = admitted;
    this.#keyOffsets[i] = typeof admitted === 'number' ? this.#ingest.keyOffset(admitted, bytes) : -1;
  }

  #settle(i: number, authentic: boolean): ReceiveResult {
    const admitted = this.#admitted[i] as number | ReceiveResult;
    if (typeof admitted !== 'number') return admitted;
    return this.#ingest.settle(
      admitted,
      this.#bytes[i] as Uint8Array,
      authentic,
      this.#from[i] as Endpoint,
      this.#heardAtMs[i] as number,
      this.#takenAtMs[i] as number,
    );
  }
}
