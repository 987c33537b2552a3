import { type Clock, groupOf, zonesCalledLost } from '@understudy/shared';
import { undecidedRecovery } from '@understudy/recovery';
import type { WhatIfSnapshot } from '../what-if/snapshot.ts';
import type { CoordinatorConfig } from '../config.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { Assessor } from './assessor.ts';
import type { RecoveryDecider } from './decider.ts';
import type { Readiness } from './readiness.ts';

/** What is asked for the snapshot. Reads only. */
export interface WhatIfSources {
  readonly view: ClusterState;
  readonly clock: Clock;
  readonly assessor: Pick<Assessor, 'ofThisTerm' | 'evidenceOf'>;
  readonly decider: Pick<RecoveryDecider, 'known'>;
  readonly readiness: Pick<Readiness, 'summaries'>;
  readonly config: Pick<CoordinatorConfig, 'loop' | 'etcd'>;
}

/** Everything that is known at this moment, as the question what would be is asked of it. */
export function whatIfSnapshot(
  { view, clock, assessor, decider, readiness, config }: WhatIfSources,
  limitOf: WhatIfSnapshot['limitOf'],
): WhatIfSnapshot {
  const { members, coordinators } = view.records;
  const nowWallMs = clock.wallMs();
  const judgements = [...assessor.ofThisTerm()];
  const { inputs, fleet, recoveries } = decider.known(judgements);
  const plans = new Map(readiness.summaries().map((plan) => [plan.instanceId, plan]));
  const drained = view.drained(nowWallMs);
  const groups = new Set([...members.keys()].map(groupOf));
  return {
    ...{ nowMs: clock.monotonicMs(), nowWallMs, fleet, recoveries, limitOf },
    subjects: judgements.flatMap(({ member, instanceId }) => {
      const [evidence, guard] = [assessor.evidenceOf(member), inputs.get(member)];
      return evidence && guard ? [{ evidence, guard, plan: plans.get(instanceId) ?? null }] : [];
    }),
    recovering: [...members]
      .filter(([member]) => undecidedRecovery(view.records, member) !== null)
      .map(([member, { record }]) => ({ member, az: record.az })),
    coordinators: [...coordinators.values()].map(({ record: { coordinatorId, az } }) => ({
      ...{ coordinatorId, az, isDrained: drained.has(coordinatorId) },
    })),
    leaderId: view.leader()?.coordinatorId ?? null,
    calledLost: [...groups].flatMap((group) =>
      zonesCalledLost(view.policyOf(group), nowWallMs).map(({ zone }) => zone),
    ),
    recoveriesMax: config.loop.recoveriesMax,
    leaseTtlMs: config.etcd.leaseTtlMs,
  };
}
