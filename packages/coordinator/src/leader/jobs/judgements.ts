import type { Term } from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { JudgementPublisher } from '../judgement-publisher.ts';
import type { Assessor } from '../assessor.ts';
import type { LeaderJob } from './leader-job.ts';

/** Publishes what this leader judges, on change. */
export class JudgementsJob implements LeaderJob {
  readonly name = 'judgements';
  readonly everyMs: number;
  readonly #publisher: JudgementPublisher;
  readonly #assessor: Assessor;
  readonly #view: ClusterState;

  constructor(options: {
    readonly everyMs: number;
    readonly publisher: JudgementPublisher;
    readonly assessor: Assessor;
    readonly view: ClusterState;
  }) {
    this.everyMs = options.everyMs;
    this.#publisher = options.publisher;
    this.#assessor = options.assessor;
    this.#view = options.view;
  }

  /** Nothing: what is published names its term, and is compared with that. */
  beginTerm(): void {}

  async run(term: Term): Promise<void> {
    if (!this.#view.isFresh()) return;
    await this.#publisher.publish(term, this.#assessor.ofThisTerm(), () => this.#isEveryoneJudged());
  }

  #isEveryoneJudged(): boolean {
    const { activations, members, intents } = this.#view.records;
    for (const member of activations.keys()) {
      const isJudgedNow = members.has(member) && !intents.has(member) && !this.#view.isBlocked(member);
      if (isJudgedNow && this.#assessor.inThisTerm(member) === null) return false;
    }
    return true;
  }
}
