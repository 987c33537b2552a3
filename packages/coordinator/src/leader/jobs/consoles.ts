import type { Term } from '@understudy/shared';
import type { ConsoleCapture } from '../console-capture.ts';
import type { Assessor } from '../assessor.ts';
import type { LeaderJob } from './leader-job.ts';

/** Takes the last words of whoever was found failed. */
export class ConsolesJob implements LeaderJob {
  readonly name = 'console';
  readonly everyMs: number;
  readonly #console: ConsoleCapture;
  readonly #assessor: Assessor;

  constructor(options: { readonly everyMs: number; readonly console: ConsoleCapture; readonly assessor: Assessor }) {
    this.everyMs = options.everyMs;
    this.#console = options.console;
    this.#assessor = options.assessor;
  }

  /** Nothing: what was captured belongs to the instance, whoever led then. */
  beginTerm(): void {}

  async run(term: Term): Promise<void> {
    const failed = [...this.#assessor.all.values()].filter((one) => one.assessment.act && this.#console.wants(one));
    await Promise.all(failed.map((one) => this.#console.note(one, term.signal)));
  }
}
