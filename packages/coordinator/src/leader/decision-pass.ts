import type { Term } from '@understudy/shared';
import type { ClusterState } from '../store/cluster-state.ts';
import type { IntentWriter } from './intent-writer.ts';
import { type BeginOutcome, MOOT } from './begin-outcome.ts';
import type { RecoveryDecider } from './decider.ts';
import type { EvidencePoller } from './ec2-evidence.ts';
import type { Assessor, Judgement } from './assessor.ts';
import type { RecoveryRuns } from './runs.ts';
import type { Preparation } from './preparation.ts';
import type { PreparationKeeper } from './preparation-keeper.ts';
import type { TermTasks } from './term-tasks.ts';

/** Recoveries being planned at the same time; the guard's budget is far below in the long run. */
const BEGINNING_AT_ONCE = 8;

export interface DecisionPassOptions {
  readonly view: Pick<ClusterState, 'isFresh' | 'isBlocked' | 'records'>;
  readonly assessor: Assessor;
  readonly decider: RecoveryDecider;
  readonly evidence: EvidencePoller;
  readonly runs: RecoveryRuns;
  readonly writer: IntentWriter;
  readonly preparation: Preparation;
  readonly preparations: PreparationKeeper;
}

/**
 * One pass of the leader's decisions: judge, resume, choose, begin. It goes one way. The decider
 * chooses, the writer of intents says what became of it, and that is handed back to the decider.
 */
export class DecisionPass {
  readonly #options: DecisionPassOptions;
  readonly #beginning = new Set<Promise<void>>();

  constructor(options: DecisionPassOptions) {
    this.#options = options;
  }

  beginTerm(): void {
    const { assessor, runs, preparation, preparations } = this.#options;
    preparation.beginTerm();
    preparations.beginTerm();
    assessor.beginTerm();
    runs.beginTerm();
  }

  /** Synchronous: what takes time goes on in `tasks`, beside the next passes. */
  run(term: Term, tasks: TermTasks): void {
    const { view, assessor, decider, runs, evidence, preparation, preparations } = this.#options;
    const wanting = assessor.pass();
    // Open recoveries go on although the view is not fresh: they park by themselves when the store
    // is gone, and resume here.
    runs.sync(term, view.records, (member) => !view.isBlocked(member));
    if (wanting.length > 0) tasks.startAlone('look', () => evidence.look(wanting, term.signal));
    preparation.pass(suspects(assessor), term.signal, tasks);
    preparations.pass(term, tasks);
    if (!view.isFresh()) return;
    for (const chosen of decider.pass(BEGINNING_AT_ONCE - this.#beginning.size)) this.#start(term, tasks, chosen);
  }

  /** Resolves when nothing is being begun any more. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#beginning]);
  }

  #start(term: Term, tasks: TermTasks, chosen: Judgement): void {
    const work = tasks
      .attempt('begin', () => this.#begin(term, chosen))
      .then(() => {
        this.#beginning.delete(work);
      });
    this.#beginning.add(work);
  }

  async #begin(term: Term, chosen: Judgement): Promise<void> {
    let outcome: BeginOutcome = MOOT;
    try {
      outcome = await this.#options.writer.run(term, chosen);
    } finally {
      this.#options.decider.ended(chosen.member, outcome);
    }
  }
}

/** Whoever is likely to need a plan soon. */
const suspects = (assessor: Assessor): readonly Judgement[] =>
  [...assessor.all.values()].filter(({ assessment: { verdict, act } }) => verdict === 'suspect' || act);
