import * as z from 'zod';
import {
  durationText,
  type CloudInstance,
  invariant,
  OperationError,
  type PlannedTargets,
  type RecoveryPlan,
  type TargetGroups,
  type TargetHealthSeen,
  LEVEL_OF,
} from '@understudy/shared';
import type { HeldElsewhere } from '../core/held-elsewhere.ts';
import { freshTargets, isIn, targetItem, targetMove, type TargetMove } from '../core/target-move.ts';
import type { Attempt, Call, Frozen, Move } from '../effect.ts';
import type { Run } from '../run.ts';
import { replacementOf } from '../steps/activate.ts';
import { addressHolders, type HeldMemory } from './address-holders.ts';
import { identityMove, type ItemMove } from './identity-move.ts';
import { targetCalls } from './names-calls.ts';
import { targetGroupWatch } from './target-group-watch.ts';

const target = z.strictObject({
  id: z.string(),
  port: z.number(),
  az: z.string().nullable(),
  quicServerId: z.string().nullable(),
});

export const TARGET = {
  name: 'target',
  per: 'item',
  request: z.strictObject({
    targetGroupArn: z.string(),
    /** Registrations of the replacement. */
    fresh: z.array(target),
    /** Registrations of the failed instance that may be taken out. */
    old: z.array(target),
  }),
  noted: z.strictObject({}),
  /** `unused`: it is registered, and gets no traffic, for this reason. */
  result: z.union([z.strictObject({ healthy: z.literal(true) }), z.strictObject({ unused: z.string() })]),
} as const;
type Target = typeof TARGET;

interface Seen {
  readonly targets: readonly TargetHealthSeen[];
  readonly replacement: CloudInstance;
  readonly held: HeldElsewhere;
}

interface Memory extends HeldMemory {
  replacement: CloudInstance | null;
  /** When the balancer last said yes: an older picture is no reason to act. */
  changedAtMs: number | null;
  text: string;
}

export const targetsOf = (plan: RecoveryPlan): readonly PlannedTargets[] => plan.targets ?? [];

function plannedOf(run: Run, item: string): PlannedTargets {
  const planned = targetsOf(run.plan).find((one) => targetItem(one) === item);
  invariant(planned, `the plan has no target group ${item}`);
  return planned;
}

const targetGroupsOf = (run: Run): TargetGroups => {
  const { targetGroups } = run.parts;
  if (targetGroups) return targetGroups;
  throw new OperationError('CLOUD_UNAVAILABLE', 'this coordinator is not set up to ask Elastic Load Balancing');
};

/** Addresses that are registered and are to go; an id of an instance is never anybody else's. */
function goingOf({ targetType, targets: old }: PlannedTargets, seen: readonly TargetHealthSeen[]): readonly string[] {
  if (targetType === 'instance') return [];
  const within = new Set(seen.filter(isIn).map((one) => one.id));
  return [...new Set(old.map((one) => one.id))].filter((id) => within.has(id));
}

async function look(run: Run, memory: Memory, planned: PlannedTargets): Promise<Seen> {
  const instanceId = replacementOf(run);
  if (memory.replacement === null) {
    const found = await run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options));
    memory.replacement = found.find((one) => one.instanceId === instanceId) ?? null;
  }
  const { replacement } = memory;
  if (replacement === null) throw new OperationError('CLOUD_UNAVAILABLE', `EC2 does not show ${instanceId}`);
  const targets = await run.read((_, options) => targetGroupsOf(run).describeTargets(planned.targetGroupArn, options));
  return { targets, replacement, held: await addressHolders(run, memory, replacement, goingOf(planned, targets)) };
}

/** @throws CLOUD_UNAVAILABLE while EC2 does not show the address of the replacement */
function requestOf(planned: PlannedTargets, { instanceId, privateIp, az }: CloudInstance) {
  const id = planned.targetType === 'instance' ? instanceId : privateIp;
  if (id === null) throw new OperationError('CLOUD_UNAVAILABLE', `EC2 shows ${instanceId} without an address`);
  return {
    targetGroupArn: planned.targetGroupArn,
    fresh: freshTargets(planned, { id, az }).map((one) => ({ ...one })),
    old: planned.targets.map((one) => ({ ...one, quicServerId: null })),
  };
}

const giveUp = (run: Run, item: string): string =>
  `Or leave it as it is: understudy accept-loss ${run.record.member} target:${item} --reason TEXT`;

/**
 * Moves one target group: read → guarded record of all registrations, old and new → register the
 * new ones, take out exactly the old ones → see the new ones healthy. Both calls are idempotent.
 */
function targetGroupMove(run: Run, item: string): ItemMove<Target, Seen> {
  const planned = plannedOf(run, item);
  const { healthyWithinMs } = run.policy.identity.targetGroups;
  const memory: Memory = { replacement: null, changedAtMs: null, text: 'nothing was seen of it', heldText: '' };
  return {
    limitMs: healthyWithinMs,
    look: () => look(run, memory, planned),
    request: ({ replacement }) => requestOf(planned, replacement),
    answered: (_, last) => answered(run, memory, item, last),
    next: (frozen, seen) => next(run, memory, { item, planned }, { frozen, seen }),
    onTimeout: () => ({
      kind: 'hold',
      reason: 'TargetNotHealthy',
      text: `the target group ${item}: ${memory.text}, after ${durationText(healthyWithinMs)}. ${giveUp(run, item)}`,
    }),
  };
}

function answered(run: Run, memory: Memory, item: string, last: Attempt | null): Move<Target> | null {
  if (last?.error?.code === 'CLOUD_REJECTED')
    return { kind: 'hold', reason: 'CloudRejected', text: `${item}: ${last.error.message}. ${giveUp(run, item)}` };
  if (last?.error === null) memory.changedAtMs = run.nowMs();
  return null;
}

function next(
  run: Run,
  memory: Memory,
  { item, planned }: { readonly item: string; readonly planned: PlannedTargets },
  { frozen, seen }: { readonly frozen: Frozen<Target>; readonly seen: Seen },
): Move<Target> {
  const move = targetMove(seen.targets, frozen.request, seen.held);
  if (move.kind === 'there') return { kind: 'done', result: { healthy: true } };
  if (move.kind === 'change') {
    memory.text = 'the replacement is not registered, or the failed instance still is';
    if (memory.changedAtMs !== null && run.nowMs() - memory.changedAtMs < run.settings.confirmSpacingMs)
      return { kind: 'wait', text: `waiting to see ${item} as it was changed` };
    return change(run, item, frozen.request.targetGroupArn, move);
  }
  memory.text = move.text;
  // The plan has said so beforehand: the balancer sends nothing to this zone, or to nobody at all.
  if (move.kind === 'unused' && planned.zones?.includes(seen.replacement.az) !== true)
    return { kind: 'done', result: { unused: move.text } };
  return { kind: 'wait', text: `${item}: ${move.text}` };
}

function change(
  run: Run,
  item: string,
  arn: string,
  { add, remove }: Extract<TargetMove, { kind: 'change' }>,
): Move<Target> {
  const groups = targetGroupsOf(run);
  const register: Call = { name: 'register', run: (_, options) => groups.registerTargets(arn, add, options) };
  const deregister: Call = { name: 'deregister', run: (_, options) => groups.deregisterTargets(arn, remove, options) };
  const more = remove.length > 0 ? [deregister] : [];
  const calls: readonly [Call, ...Call[]] = add.length > 0 ? [register, ...more] : [deregister];
  return { kind: 'act', text: `putting the replacement into ${item}, and the failed instance out of it`, calls };
}

export const targetGroup = {
  ...identityMove(TARGET, (plan) => targetsOf(plan).map(targetItem), targetGroupMove, targetCalls, {
    watch: targetGroupWatch,
  }),
  level: LEVEL_OF.names,
};
