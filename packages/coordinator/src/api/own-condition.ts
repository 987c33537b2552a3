import type { AnswerWatch, ServiceLimiters } from '@understudy/aws';
import type { KeyRotation, ObserverTable } from '@understudy/observer';
import { durationText, type Clock, type Problem, problemOf } from '@understudy/shared';
import type { ObserverMinimum } from '../commands/command.ts';
import type { Leader } from '../leader/leader.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { LevelGate } from '../store/level-gate.ts';
import type { StoreGate } from '../store/store-gate.ts';
import type { WriteProof } from '../store/write-proof.ts';
import type { CoordinatorInsight } from './insight.ts';
import { drainProblems } from './drain-problems.ts';
import { type ReceiveBuffer, receiveBufferProblem } from './receive-buffer-problem.ts';
import { recordProblems, slowAgentProblems } from './record-problems.ts';

export interface OwnConditionOptions {
  readonly clock: Clock;
  readonly view: ClusterState;
  readonly gate: Pick<StoreGate, 'problem' | 'remarks'>;
  readonly writes: Pick<WriteProof, 'problems' | 'remarks' | 'trouble'>;
  /** Another process that has our id. */
  readonly presence: { readonly duplicate: Problem | null };
  readonly levelGate: Pick<LevelGate, 'problem'>;
  readonly leader: Pick<Leader, 'problems' | 'remarks'>;
  readonly observer: ObserverTable;
  readonly keyRotation: Pick<KeyRotation, 'problem'>;
  readonly answers: Pick<AnswerWatch, 'problem'> | null;
  readonly limiters: Pick<ServiceLimiters, 'problem'> | null;
  readonly receiveBuffer: ReceiveBuffer;
  readonly accessProblems: () => readonly Problem[];
  readonly minimum: ObserverMinimum;
  /** How old a proven view may be. */
  readonly freshForMs: number;
}

/** Whether this coordinator is fit for its work, and what keeps it from that. */
export class OwnCondition implements CoordinatorInsight {
  readonly #options: OwnConditionOptions;

  constructor(options: OwnConditionOptions) {
    this.#options = options;
  }

  /** etcd takes our writes, as far as was proven lately. */
  isStoreWritable(): boolean {
    const { gate, writes } = this.#options;
    return gate.problem === null && writes.problems().length === 0;
  }

  storeTrouble(): string | null {
    return this.#options.writes.trouble();
  }

  notReady(): readonly Problem[] {
    const { gate, presence, levelGate, leader } = this.#options;
    return [
      ...(gate.problem ? [gate.problem] : this.#storeProblems()),
      ...one(presence.duplicate),
      ...one(levelGate.problem()),
      ...leader.problems(),
    ];
  }

  remarks(): readonly Problem[] {
    const { gate, writes, view, clock, observer, leader } = this.#options;
    const { answers, limiters, keyRotation, receiveBuffer, minimum } = this.#options;
    return [
      ...gate.remarks,
      ...writes.remarks(),
      ...this.#options.accessProblems(),
      ...recordProblems(view, clock.wallMs()),
      ...drainProblems(view.records, minimum, clock.wallMs()),
      ...slowAgentProblems(observer),
      ...one(receiveBufferProblem(receiveBuffer, observer.watchedCount)),
      ...leader.remarks(),
      ...one(answers?.problem() ?? null),
      ...one(limiters?.problem() ?? null),
      ...one(keyRotation.problem),
    ];
  }

  #storeProblems(): readonly Problem[] {
    const { view, writes, freshForMs } = this.#options;
    const fresh = view.isFresh();
    // When etcd does not answer at all, that is not a problem of writes.
    const ofWrites = writes.problems().filter(({ code }) => fresh || code !== 'STORE_NOT_WRITABLE');
    // A refused read says better why our view is old.
    const isRefused = ofWrites.some(({ code }) => code === 'STORE_DENIED' || code === 'STORE_REJECTED');
    if (fresh || isRefused) return ofWrites;
    const text = `no proof within ${durationText(freshForMs)} that our view of etcd is current`;
    return [problemOf('STORE_UNAVAILABLE', text), ...ofWrites];
  }
}

const one = <T>(value: T | null): readonly T[] => (value === null ? [] : [value]);
