import type { Log, Term } from '@understudy/shared';
import type { Collector } from '@understudy/recovery';
import type { LeaderJob } from './leader-job.ts';

/** Removes what ended recoveries leave behind. */
export class CollectionJob implements LeaderJob {
  readonly name = 'collect';
  readonly everyMs: number;
  readonly #collector: Collector;
  readonly #log: Log;

  constructor(options: { readonly everyMs: number; readonly collector: Collector; readonly log: Log }) {
    this.everyMs = options.everyMs;
    this.#collector = options.collector;
    this.#log = options.log;
  }

  /** Nothing: what the collector remembers holds under any leader. */
  beginTerm(): void {}

  async run(term: Term): Promise<void> {
    const report = await this.#collector.collect(term);
    if (report.removed.length > 0 || report.violations.length > 0 || report.trimmed > 0)
      this.#log.info('collector.pass', { ...report, term: term.number });
  }
}
