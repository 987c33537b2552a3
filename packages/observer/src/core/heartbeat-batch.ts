import { type Endpoint, HEARTBEAT_BYTES, type MonotonicMs } from '@understudy/shared';
import type { ObserverTable } from './observer-table.ts';
import { LANE_COUNT } from './sha256-lanes.ts';
import { TagLanes } from './tag-lanes.ts';
import type { ReceiveResult } from './types.ts';

/**
 * Collects up to four heartbeats and checks their tags together. What is collected is judged as of
 * its own arrival. Whoever adds must call {@link flush} soon after, because the last one to three
 * wait for company.
 */
export class HeartbeatBatch {
  readonly #table: ObserverTable;
  readonly #lanes: TagLanes | null;
  readonly #onResult: (result: ReceiveResult, from: Endpoint) => void;
  readonly #bytes = Array.from({ length: LANE_COUNT }, () => new Uint8Array(HEARTBEAT_BYTES));
  readonly #from: Endpoint[] = [];
  readonly #heardAtMs = new Float64Array(LANE_COUNT);
  readonly #takenAtMs = new Float64Array(LANE_COUNT);
  #count = 0;

  constructor(
    table: ObserverTable,
    onResult: (result: ReceiveResult, from: Endpoint) => void,
    lanes: TagLanes | null = table.hasHmacTags ? TagLanes.create() : null,
  ) {
    this.#table = table;
    this.#onResult = onResult;
    this.#lanes = lanes;
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
    if (!this.#lanes || payload.length !== HEARTBEAT_BYTES)
      return this.#onResult(this.#table.receive(payload, from, heardAtMs, nowMs), from);
    const lane = this.#count++;
    this.#takenAtMs[lane] = nowMs;
    this.#bytes[lane]?.set(payload);
    this.#from[lane] = from;
    this.#heardAtMs[lane] = heardAtMs;
    if (this.#count === LANE_COUNT) this.flush();
  }

  flush(): void {
    const count = this.#count;
    this.#count = 0;
    if (count < 2 || !this.#lanes) this.#receiveSingly(count);
    else this.#receiveTogether(this.#lanes, count);
  }

  #receiveSingly(count: number): void {
    for (let lane = 0; lane < count; lane++) {
      const from = this.#from[lane] as Endpoint;
      const bytes = this.#bytes[lane] as Uint8Array;
      const heardAtMs = this.#heardAtMs[lane] as MonotonicMs;
      this.#onResult(this.#table.receive(bytes, from, heardAtMs, this.#takenAtMs[lane] as MonotonicMs), from);
    }
  }

  /** Slots are looked up here, not in {@link add}: the roster may change in between. */
  #receiveTogether(lanes: TagLanes, count: number): void {
    const { ingest, keyStates } = this.#table;
    const slots: (number | ReceiveResult)[] = [];
    for (let lane = 0; lane < count; lane++) {
      const bytes = this.#bytes[lane] as Uint8Array;
      const from = this.#from[lane] as Endpoint;
      const slot = ingest.admit(bytes, from, this.#heardAtMs[lane] as number);
      slots[lane] = slot;
      if (typeof slot === 'number') lanes.load(lane, bytes, keyStates, ingest.keyOffset(slot, bytes));
    }
    const right = lanes.verify();
    for (let lane = 0; lane < count; lane++) {
      const slot = slots[lane] as number | ReceiveResult;
      const from = this.#from[lane] as Endpoint;
      const heardAtMs = this.#heardAtMs[lane] as number;
      const takenAtMs = this.#takenAtMs[lane] as number;
      const bytes = this.#bytes[lane] as Uint8Array;
      this.#onResult(
        typeof slot === 'number'
          ? ingest.settle(slot, bytes, (right & (1 << lane)) !== 0, from, heardAtMs, takenAtMs)
          : slot,
        from,
      );
    }
  }
}
