import { undecidedRecovery } from '@understudy/recovery';
import { type Clock, type Keyspace, type Log, opIdOf, type Term } from '@understudy/shared';
import { isStillAsked } from '../../commands/recoveries.ts';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

/**
 * Removes requests about recoveries that are not open, nor the next one, or whose time is over:
 * nothing will ever carry them out.
 */
export class PointlessRequestsJob implements LeaderJob {
  readonly name = 'requests';
  readonly everyMs: number;
  readonly #view: ClusterState;
  readonly #keys: Keyspace;
  readonly #log: Log;
  readonly #clock: Clock;

  constructor(options: {
    readonly everyMs: number;
    readonly view: ClusterState;
    readonly keys: Keyspace;
    readonly log: Log;
    readonly clock: Clock;
  }) {
    this.everyMs = options.everyMs;
    this.#view = options.view;
    this.#keys = options.keys;
    this.#log = options.log;
    this.#clock = options.clock;
  }

  /** Nothing: it remembers nothing. */
  beginTerm(): void {}

  /** @throws LEASE_LOST, STORE_* */
  async run(term: Term): Promise<void> {
    const { requests, intents, activations } = this.#view.records;
    for (const [member, { record, modRevision }] of requests) {
      const { instanceId = '', ordinal } = activations.get(member)?.record ?? {};
      const open = intents.get(member)?.record.opId ?? null;
      // The next one can be asked for while an activated replacement is still owed chores.
      const next = undecidedRecovery(this.#view.records, member) === null ? opIdOf(instanceId, ordinal) : null;
      const isDue = [open, next].includes(record.opId) && isStillAsked(record, this.#clock.wallMs());
      if (isDue || !this.#view.isFresh()) continue;
      const outcome = await term.remove([{ key: this.#keys.request(member), expect: modRevision }]);
      if (outcome.kind === 'committed')
        this.#log.warn('operator.request_dropped', { member, request: record.kind, opId: record.opId });
    }
  }
}
