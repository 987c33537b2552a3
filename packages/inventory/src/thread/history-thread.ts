import { Worker } from 'node:worker_threads';
import { type Clock, errorText, OperationError, type Timer } from '@understudy/shared';
import type { InventoryHistory } from '../history.ts';
import { errorOf, type HistoryCall, type HistoryMethod, type HistoryPlace, type HistoryReply } from './messages.ts';

const ENTRY = new URL('./main.ts', import.meta.url);
/** A call that lasts longer hangs: the first crawl of a large account takes seconds. */
const CALL_MAX_MS = 60_000;
/** Questions that are answered at once. More are refused, so that a crawl waits for few. */
const QUESTIONS_MAX = 4;
/** A thread that ended by itself is not started again sooner. */
const AGAIN_MS = 5_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: Timer;
}

const unavailable = (why: string): OperationError => new OperationError('INVENTORY_STORE_UNAVAILABLE', why);

/**
 * A history that is kept in a thread of its own. The thread is started by the first call. One that
 * hangs, or ends by itself, fails the calls that wait, and a later call starts another.
 */
export class HistoryThread implements InventoryHistory {
  readonly #place: HistoryPlace;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #calls = 0;
  #questions = 0;

  constructor(place: HistoryPlace, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
  }

  readonly page: InventoryHistory['page'] = (...parameters) => this.#call('page', parameters);
  readonly finish: InventoryHistory['finish'] = (...parameters) => this.#call('finish', parameters);
  readonly drop: InventoryHistory['drop'] = (...parameters) => this.#call('drop', parameters);
  readonly versions: InventoryHistory['versions'] = (...parameters) => this.#ask('versions', parameters);
  readonly version: InventoryHistory['version'] = (...parameters) => this.#ask('version', parameters);
  readonly differences: InventoryHistory['differences'] = (...parameters) => this.#ask('differences', parameters);
  readonly standing: InventoryHistory['standing'] = (...parameters) => this.#ask('standing', parameters);
  readonly compact: InventoryHistory['compact'] = (...parameters) => this.#call('compact', parameters);

  /** Ends the thread. Nothing that was written is lost. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    await this.#send('close', []).catch(() => undefined);
    this.#worker = null;
    await worker.terminate();
  }

  async #ask<M extends HistoryMethod>(
    method: M,
    parameters: Parameters<InventoryHistory[M]>,
  ): Promise<Awaited<ReturnType<InventoryHistory[M]>>> {
    if (this.#questions >= QUESTIONS_MAX) throw unavailable(`${QUESTIONS_MAX} questions are being answered: ask again`);
    this.#questions += 1;
    try {
      return await this.#call(method, parameters);
    } finally {
      this.#questions -= 1;
    }
  }

  /** The thread answers with what the method of the same name returns. */
  #call<M extends HistoryMethod>(
    method: M,
    parameters: Parameters<InventoryHistory[M]>,
  ): ReturnType<InventoryHistory[M]> {
    return this.#send(method, parameters) as ReturnType<InventoryHistory[M]>;
  }

  async #send(method: HistoryCall['method'], parameters: readonly unknown[]): Promise<unknown> {
    const worker = this.#started();
    const number = (this.#calls += 1);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = this.#clock.setTimer(CALL_MAX_MS, () => {
      this.#ended(worker, `the history gave no answer in ${CALL_MAX_MS} ms`);
      void worker.terminate();
    });
    this.#waiting.set(number, { resolve, reject, timer });
    const call: HistoryCall = { number, method, parameters };
    worker.postMessage(call);
    return promise;
  }

  #started(): Worker {
    if (this.#worker !== null) return this.#worker;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#notBeforeMs) throw unavailable('the thread of the history has ended, and is started again soon');
    this.#notBeforeMs = nowMs + AGAIN_MS;
    const worker = new Worker(ENTRY, { workerData: { place: this.#place }, name: 'inventory' });
    worker.unref();
    worker.on('message', (reply: HistoryReply) => this.#hear(reply));
    worker.on('error', (error) => this.#ended(worker, errorText(error)));
    worker.on('exit', () => this.#ended(worker, 'the thread of the history has ended'));
    this.#worker = worker;
    return worker;
  }

  #hear(reply: HistoryReply): void {
    const waiting = this.#waiting.get(reply.number);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.number);
    waiting.timer.cancel();
    if (reply.kind === 'value') waiting.resolve(reply.value);
    else waiting.reject(errorOf(reply));
  }

  #ended(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) {
      one.timer.cancel();
      one.reject(unavailable(why));
    }
  }
}
