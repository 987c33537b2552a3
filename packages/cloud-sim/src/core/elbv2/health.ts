import type { TargetHealth } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Region } from '../region.ts';
import type { SimInstance } from '../model.ts';
import type { SimTarget, SimTargetGroup } from './target-groups.ts';

/** The instance behind a target, whether it is named by id or by an address. */
export function instanceBehind(region: Region, { targetType }: SimTargetGroup, id: string): SimInstance | undefined {
  if (targetType === 'instance') return region.instances.get(id);
  const holder = region.networkInterfaces.all().find((one) => one.privateIp === id)?.attachment;
  return holder ? region.instances.get(holder.instanceId) : undefined;
}

const unused = (Reason: 'Target.InvalidState' | 'Target.NotInUse', Description: string): TargetHealth => ({
  ...{ State: 'unused', Reason, Description },
});

const DRAINING: TargetHealth = {
  ...{ State: 'draining', Reason: 'Target.DeregistrationInProgress' },
  Description: 'Target deregistration is in progress',
};
const CHECKING: TargetHealth = {
  ...{ State: 'initial', Reason: 'Elb.InitialHealthChecking' },
  Description: 'Initial health checks in progress',
};
const FAILED: TargetHealth = {
  ...{ State: 'unhealthy', Reason: 'Target.FailedHealthChecks' },
  Description: 'Health checks failed',
};
export const NOT_REGISTERED: TargetHealth = {
  ...{ State: 'unused', Reason: 'Target.NotRegistered' },
  Description: 'Target is not registered to the target group',
};

/** It has been deregistered, and its last connections have had their time. */
export const isGone = ({ drainsUntilMs }: SimTarget, nowMs: number): boolean =>
  drainsUntilMs !== null && nowMs >= drainsUntilMs;

/**
 * What the balancer says of a target now. One passed check makes a new target healthy; one that was
 * healthy has to fail several (ELB user guide, target health).
 */
export function healthOf(region: Region, group: SimTargetGroup, target: SimTarget): TargetHealth {
  const { nowMs } = region;
  if (isGone(target, nowMs)) return NOT_REGISTERED;
  if (target.drainsUntilMs !== null) return DRAINING;
  const balancer = region.balancing.balancer(group.loadBalancerArn);
  if (!balancer)
    return unused('Target.NotInUse', 'Target group is not configured to receive traffic from the load balancer');
  const instance = instanceBehind(region, group, target.id);
  const az = target.az ?? instance?.az;
  if (az !== undefined && az !== 'all' && !balancer.zones.includes(az))
    return unused('Target.NotInUse', 'Target is in an Availability Zone that is not enabled for the load balancer');
  if (group.targetType === 'instance' && instance?.state !== 'running')
    return unused(
      'Target.InvalidState',
      `Target is in the ${instance?.state === 'terminated' ? 'terminated' : 'stopped'} state`,
    );
  if (!group.checks.enabled)
    return {
      ...{ State: 'unavailable', Reason: 'Target.HealthCheckDisabled' },
      Description: 'Health checks are disabled for this target group',
    };
  return checked(region, group, target, instance);
}

function checked(
  region: Region,
  { checks }: SimTargetGroup,
  target: SimTarget,
  instance: SimInstance | undefined,
): TargetHealth {
  const { nowMs, balancing } = region;
  const since = Math.max(target.registeredAtMs, instance?.runningSinceMs ?? target.registeredAtMs);
  const firstCheckMs = since + checks.intervalMs / region.latency.speed;
  const runs = instance?.state === 'running' && !balancing.failingChecks.has(target.id);
  if (runs && instance.crashedAtMs === null) return nowMs >= firstCheckMs ? { State: 'healthy' } : CHECKING;
  const failedAtMs = runs ? (instance.crashedAtMs ?? nowMs) : since;
  const lastGoodMs = failedAtMs + (checks.unhealthyAfter * checks.intervalMs) / region.latency.speed;
  if (nowMs < lastGoodMs) return failedAtMs >= firstCheckMs ? { State: 'healthy' } : CHECKING;
  return FAILED;
}

/**
 * Which targets get traffic. **Fail open**: when none is healthy, every registered one gets it, a
 * machine that nobody wants to serve among them.
 */
export function served(region: Region, group: SimTargetGroup): readonly SimTarget[] {
  const balancer = region.balancing.balancer(group.loadBalancerArn);
  const inUse = [...group.targets.values()].filter((target) => {
    const az = target.az ?? instanceBehind(region, group, target.id)?.az ?? '';
    const { State } = healthOf(region, group, target);
    return State !== 'unused' && State !== 'draining' && balancer?.shiftedZones.includes(az) !== true;
  });
  const healthy = inUse.filter((target) => {
    const { State } = healthOf(region, group, target);
    return State === 'healthy' || State === 'unavailable';
  });
  return healthy.length > 0 ? healthy : inUse;
}
