import type { PlannedTargets, RegisteredTarget, TargetHealthSeen } from '@understudy/shared';

import type { HeldElsewhere } from './held-elsewhere.ts';

export type TargetMove =
  | { readonly kind: 'there' }
  /** Either may be empty, not both. */
  | { readonly kind: 'change'; readonly add: readonly RegisteredTarget[]; readonly remove: readonly RegisteredTarget[] }
  | { readonly kind: 'unhealthy'; readonly text: string }
  /** It is registered, and its balancer sends nothing there. */
  | { readonly kind: 'unused'; readonly text: string };

/** A step is keyed by it: the end of the ARN, which is unique in a Region and an account. */
export const targetItem = ({ targetGroupArn }: Pick<PlannedTargets, 'targetGroupArn'>): string =>
  targetGroupArn.split('/').slice(-2).join('.');

/** The zone is not part of what tells one registration from another. */
const keyOf = ({ id, port }: Pick<RegisteredTarget, 'id' | 'port'>): string => `${id}:${port}`;

/** Zone of an address outside of the VPC: the balancer sends to it from every zone. */
const EVERY_ZONE = 'all';

/** What is registered for the replacement: each port of the failed instance, once. */
export function freshTargets(
  { targets }: PlannedTargets,
  { id, az }: { readonly id: string; readonly az: string },
): readonly RegisteredTarget[] {
  const byPort = new Map(targets.map((one) => [one.port, one]));
  return [...byPort.values()].map((one) => ({
    ...{ id, port: one.port, quicServerId: null },
    az: one.az === null || one.az === EVERY_ZONE ? one.az : az,
  }));
}

/** It is registered, and is not on its way out. */
export const isIn = ({ state, reason }: TargetHealthSeen): boolean =>
  state !== 'draining' && state !== 'unhealthy.draining' && reason !== 'Target.NotRegistered';

const isServed = ({ state }: TargetHealthSeen): boolean => state === 'healthy' || state === 'unavailable';

/**
 * The next step of one group. **S** (S12) It registers the replacement, and takes out exactly the
 * registrations of instances that recoveries of this member have fenced. Both are idempotent. An
 * address that another machine has by now is that machine's registration, and stays.
 */
export function targetMove(
  seen: readonly TargetHealthSeen[],
  want: { readonly fresh: readonly RegisteredTarget[]; readonly old: readonly RegisteredTarget[] },
  held: HeldElsewhere,
): TargetMove {
  const within = new Map(seen.filter(isIn).map((one) => [keyOf(one), one]));
  const own = new Set(want.fresh.map(keyOf));
  const add = want.fresh.filter((one) => !within.has(keyOf(one)));
  const old = want.old.filter((one) => !held.has(one.id));
  const remove = old.filter((one) => within.has(keyOf(one)) && !own.has(keyOf(one)));
  if (add.length + remove.length > 0) return { kind: 'change', add, remove };
  const shown = want.fresh.flatMap((one) => within.get(keyOf(one)) ?? []);
  const unused = shown.find((one) => one.reason === 'Target.NotInUse');
  if (unused) return { kind: 'unused', text: unused.text ?? 'the balancer does not use it' };
  const waiting = shown.find((one) => !isServed(one));
  if (!waiting) return { kind: 'there' };
  return {
    kind: 'unhealthy',
    text: `${waiting.id}:${waiting.port} is ${waiting.state} (${waiting.text ?? waiting.reason ?? 'no reason given'})`,
  };
}
