import { durationText, type GroupPolicy } from '@understudy/shared';
import { BEATS_PER_SUSPICION } from '@understudy/observer';

/** Limits that a policy has to fit into, from the coordinator's configuration. */
export interface PolicyLimits {
  /** Shortest interval the agents are configured with. */
  readonly heartbeatMs: number;
  readonly warmUpMs: number;
  readonly tickMs: number;
}

export interface PolicyFault {
  readonly rule: 'warmUp' | 'heartbeat' | 'tick';
  /** Text of the fault, with both numbers. */
  readonly text: string;
}

/**
 * Rules between a policy and the coordinator that applies it. They are the same for the `policy:`
 * of its configuration and for `groups/<group>` in etcd. Empty: the policy fits. Rules within a
 * policy are its schema's.
 */
export function policyFaults(policy: GroupPolicy, limits: PolicyLimits): readonly PolicyFault[] {
  const {
    detect: { suspectAfterMs, confirmForMs, heartbeatIntervalMs },
  } = policy;
  const { heartbeatMs, warmUpMs, tickMs } = limits;
  const faults: PolicyFault[] = [];
  if (warmUpMs < suspectAfterMs)
    faults.push({
      rule: 'warmUp',
      text: `warmUpMs = ${warmUpMs} < policy.detect.suspectAfterMs = ${suspectAfterMs}: an observer would judge a silence it has not listened to`,
    });
  const spokenMs = Math.min(heartbeatMs, heartbeatIntervalMs);
  if (suspectAfterMs < spokenMs * BEATS_PER_SUSPICION)
    faults.push({
      rule: 'heartbeat',
      text: `policy.detect.suspectAfterMs = ${suspectAfterMs} < ${BEATS_PER_SUSPICION} × ${spokenMs} = ${BEATS_PER_SUSPICION * spokenMs}, the shorter of observer.heartbeatMs = ${heartbeatMs} and policy.detect.heartbeatIntervalMs = ${heartbeatIntervalMs}: one lost datagram would make a suspect`,
    });
  if (tickMs > confirmForMs)
    faults.push({
      rule: 'tick',
      text: `tickMs = ${tickMs} > policy.detect.confirmForMs = ${confirmForMs}: nothing would be probed between suspect and dead`,
    });
  return faults;
}

/** A slow agent in words, with both numbers. */
export const slowAgentText = (slow: {
  readonly member: string;
  readonly intervalMs: number;
  readonly suspectAfterMs: number;
  readonly usedMs: number;
}): string =>
  `the agent of ${slow.member} speaks every ${durationText(slow.intervalMs)}, its policy suspects after ${durationText(slow.suspectAfterMs)} (at least ${BEATS_PER_SUSPICION} intervals are needed): it is suspected after ${durationText(slow.usedMs)} instead`;
