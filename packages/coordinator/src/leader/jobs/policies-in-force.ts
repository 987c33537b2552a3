import type { Keyspace, Log, Term } from '@understudy/shared';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { LeaderJob } from './leader-job.ts';

/** A policy that is good is kept that soon. */
const POLICIES_EVERY_MS = 1_000;

/**
 * Keeps `policies/<group>` equal to the last policy of a group that was good, so that one that is
 * refused later changes nothing, also not for the next leader or after a restart. A group whose
 * record is removed has the default again.
 */
export class PoliciesInForceJob implements LeaderJob {
  readonly name = 'policies';
  readonly everyMs: number;
  readonly #view: ClusterState;
  readonly #keys: Keyspace;
  readonly #log: Log;

  constructor(options: {
    readonly everyMs: number;
    readonly view: ClusterState;
    readonly keys: Keyspace;
    readonly log: Log;
  }) {
    this.everyMs = Math.min(options.everyMs, POLICIES_EVERY_MS);
    this.#view = options.view;
    this.#keys = options.keys;
    this.#log = options.log;
  }

  /** Nothing: it remembers nothing. */
  beginTerm(): void {}

  /** A write that conflicts is left to the next pass. @throws LEASE_LOST or a store error. */
  async run(term: Term): Promise<void> {
    const { groups, policies } = this.#view.records;
    for (const [group, { record, modRevision }] of groups)
      if (policies.get(group)?.record.groupRevision !== modRevision)
        await this.#keep(term, group, { group, policy: record.policy, groupRevision: modRevision });
    // Its record was removed: the default is in force, and is what stays so if the next record is
    // refused.
    for (const [group, { record }] of policies) {
      const isGone = this.#view.revisionOf(this.#keys.group(group)) === 0;
      if (isGone && record.groupRevision !== 0)
        await this.#keep(term, group, { group, policy: this.#view.policyOf(group), groupRevision: 0 });
    }
  }

  async #keep(
    term: Term,
    group: string,
    record: { readonly group: string; readonly policy: object; readonly groupRevision: number },
  ): Promise<void> {
    const key = this.#keys.policy(group);
    const outcome = await term.commit({
      puts: [{ key, record, expect: this.#view.revisionOf(key) }],
      also: [{ key: this.#keys.group(group), modRevision: record.groupRevision }],
    });
    if (outcome.kind === 'committed') this.#log.info('policy.in_force', { group, groupRevision: record.groupRevision });
  }
}
