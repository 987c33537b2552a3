import { type Problem, problemOf, type Term } from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { EvidencePoller, EvidenceTarget } from '../ec2-evidence.ts';
import type { LeaderJob } from './leader-job.ts';

/** Asks EC2 about every instance that is in charge of a member. */
export class EvidenceJob implements LeaderJob {
  readonly name = 'evidence';
  readonly everyMs: number;
  readonly #evidence: EvidencePoller;
  readonly #view: ClusterState;
  readonly #statesFreshForMs: () => number;

  /** `statesFreshForMs`: how long a state that was read need not be asked for again. */
  constructor(options: {
    readonly everyMs: number;
    readonly evidence: EvidencePoller;
    readonly view: ClusterState;
    readonly statesFreshForMs: () => number;
  }) {
    this.everyMs = options.everyMs;
    this.#statesFreshForMs = options.statesFreshForMs;
    this.#evidence = options.evidence;
    this.#view = options.view;
  }

  beginTerm(): void {
    this.#evidence.beginTerm();
  }

  run(term: Term): Promise<void> {
    return this.#evidence.pass(this.#targets(), term.signal, this.#statesFreshForMs());
  }

  problems(): readonly Problem[] {
    return this.#evidence.failures().map(({ az, code, text }) => problemOf(code, `EC2 in ${az}: ${text}`));
  }

  #targets(): readonly EvidenceTarget[] {
    const { activations, members } = this.#view.records;
    return [...activations.values()].map(({ record }) => ({
      instanceId: record.instanceId,
      az: members.get(record.member)?.record.az ?? '',
    }));
  }
}
