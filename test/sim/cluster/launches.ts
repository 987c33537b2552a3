import type { CloudSim } from '@understudy/cloud-sim';
import { TAG } from '@understudy/shared';

/** Instances that recoveries have launched, by the recovery's operation; each launch counts. */
export function launchesByOperation(cloud: CloudSim): ReadonlyMap<string, readonly string[]> {
  const launched = new Map<string, readonly string[]>();
  for (const { tags, instanceId } of cloud.log.launches()) {
    const opId = tags[TAG.op];
    if (opId !== undefined) launched.set(opId, [...(launched.get(opId) ?? []), instanceId]);
  }
  return launched;
}
