import * as z from 'zod';
import {
  durationText,
  type AssignedKind,
  type CloudNetworkInterface,
  type HoldReason,
  invariant,
  type PlannedAssigned,
  type RecoveryPlan,
  LEVEL_OF,
} from '@understudy/shared';
import { type AssignedMove, assignedMove } from '../core/assigned-move.ts';
import { unlessEnded } from '../core/predecessor.ts';
import type { Attempt, Frozen, Move } from '../effect.ts';
import { type CallsOf, laterCall, plannedCall, triedOnInterface } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { LATER_PERMIT } from '../steps/attempt-calls.ts';
import { replacementInterfaceOf, replacementPlaceOf } from '../steps/replacement-place.ts';
import { type IdentityMove, identityMove, type ItemMove } from './identity-move.ts';
import { ASSIGNED_FILTERS } from './assigned-filters.ts';
import { assignedWatch } from './assigned-watch.ts';
import { giveUpText } from '../give-up.ts';

const request = z.strictObject({
  /** A kind of `AssignedKind`. */
  kind: z.enum(['secondary-ip', 'ipv6-address', 'ipv4-prefix', 'ipv6-prefix']),
  address: z.string(),
  networkInterfaceId: z.string(),
  /** The interface of a fenced instance it may be taken from. Null: it was on none. */
  from: z.string().nullable(),
});
/** `lost`: it cannot follow, in words. */
const result = z.union([z.strictObject({ networkInterfaceId: z.string() }), z.strictObject({ lost: z.string() })]);

const recordOf = (name: string) =>
  ({
    ...{ name, per: 'item' as const, request, result },
    /** A later interface of a fenced instance, recorded before it is taken from there. */
    noted: z.strictObject({ from: z.string().nullable() }),
  }) as const;

export const SECONDARY = recordOf('secondary');
export const IPV6 = recordOf('ipv6');
export const PREFIX = recordOf('prefix');
type AssignedRecord = typeof SECONDARY;

/** A prefix is an item of its step without the slash, which no journal key has. */
export const assignedItem = ({ address }: Pick<PlannedAssigned, 'address'>): string => address.replace('/', '_');

const NAMES: Readonly<Record<AssignedKind, string>> = {
  'secondary-ip': 'secondary',
  'ipv6-address': 'ipv6',
  'ipv4-prefix': 'prefix',
  'ipv6-prefix': 'prefix',
};

export const assignedStepName = ({ kind }: Pick<PlannedAssigned, 'kind'>): string => NAMES[kind];

const plannedOf = (plan: RecoveryPlan, name: string): readonly PlannedAssigned[] =>
  (plan.assigned ?? []).filter((one) => assignedStepName(one) === name);

interface Memory {
  /** When EC2 last said yes: an older picture is no reason to act until that can show. */
  assignedAtMs: number | null;
  /** First of the unbroken run of looks that showed it with somebody else. */
  heldSinceMs: number | null;
  /** First of the unbroken run of refusals because it is taken, or was refused otherwise. */
  refusedSinceMs: number | null;
  refusal: string;
}

type Seen = readonly CloudNetworkInterface[];

/**
 * Moves one assigned address or prefix: read → guarded record of the interface it may be taken from
 * → take it off that one → assign it without reassignment → see it there. No call of it, however
 * late, takes it from anybody but an instance that was fenced for this member.
 */
function assignedAddressMove(run: Run, record: AssignedRecord, item: string): ItemMove<AssignedRecord, Seen> {
  const planned = plannedOf(run.plan, record.name).find((one) => assignedItem(one) === item);
  invariant(planned, `${item} is not in the plan`);
  const memory: Memory = { assignedAtMs: null, heldSinceMs: null, refusedSinceMs: null, refusal: '' };
  const scene: Scene = { run, planned, memory, loss: `${record.name}:${planned.address}` };
  return {
    limitMs: run.policy.recover.launchTimeoutMs,
    floorMs: run.settings.resumeFloorMs + run.settings.lagGraceMs,
    look: () => look(scene),
    request: (seen) => {
      const networkInterfaceId = replacementInterfaceOf(run);
      const { kind, address } = planned;
      const move = wanted(scene, seen, networkInterfaceId, null);
      return { kind, address, networkInterfaceId, from: move.kind === 'record' ? move.from : null };
    },
    answered: (frozen, last) => answered(scene, frozen, last),
    next: (frozen, seen) => next(scene, frozen, seen),
    onTimeout: () => ({
      kind: 'hold',
      reason: memory.heldSinceMs === null && memory.refusedSinceMs === null ? 'CloudUnavailable' : HELD,
      text: `${planned.address} was not seen on the replacement within ${durationText(run.policy.recover.launchTimeoutMs)}. ${giveUpText(run, scene.loss)}`,
    }),
  };
}

interface Scene {
  readonly run: Run;
  readonly planned: PlannedAssigned;
  readonly memory: Memory;
  readonly loss: string;
}

const HELD: HoldReason = 'AddressHeldElsewhere';

const wanted = (
  { planned: { kind, address, holders } }: Scene,
  seen: Seen,
  networkInterfaceId: string,
  recordedFrom: string | null,
): AssignedMove => assignedMove(seen, { kind, address, networkInterfaceId, holders, recordedFrom });

/**
 * The interfaces that matter, by their ids. Who else has the address is asked only once EC2 has
 * said that somebody has: that listing fails while any zone is impaired.
 */
async function look({ run, planned, memory }: Scene): Promise<Seen> {
  const own = replacementInterfaceOf(run);
  const ids = [...new Set([own, ...planned.holders.map((one) => one.networkInterfaceId)])];
  const known = await run.read((cloud, options) =>
    cloud.describeNetworkInterfaces({ 'network-interface-id': ids }, options),
  );
  const filter = ASSIGNED_FILTERS[planned.kind];
  if (memory.refusedSinceMs === null || filter === undefined) return known;
  const filters = { [filter]: [planned.address], 'subnet-id': [planned.subnetId] };
  const having = await run.read((cloud, options) => cloud.describeNetworkInterfaces(filters, options));
  return [...known, ...having.filter((one) => !ids.includes(one.networkInterfaceId))];
}

function answered({ run, memory }: Scene, frozen: Frozen<AssignedRecord>, last: Attempt | null) {
  if (last === null) return null;
  const { name, error } = last;
  if (name === 'assign' && error === null) {
    memory.assignedAtMs = run.nowMs();
    memory.refusedSinceMs = null;
  }
  if (name === 'assign' && (error?.code === 'CLOUD_CONFLICT' || error?.code === 'CLOUD_REJECTED')) {
    memory.refusedSinceMs ??= run.nowMs();
    memory.refusal = error.message;
  }
  // EC2 has said that it is off. The next call takes it from nobody, so it needs no look before.
  return name === 'unassign' && error === null ? assign(frozen) : null;
}

function next(scene: Scene, frozen: Frozen<AssignedRecord>, seen: Seen): Move<AssignedRecord> {
  const { run, planned, memory } = scene;
  const { networkInterfaceId } = frozen.request;
  const elsewhere = subnetOf(run) !== planned.subnetId;
  if (elsewhere)
    return {
      kind: 'done',
      result: {
        lost: `${planned.address} exists in ${planned.subnetId} only, and the replacement is in ${subnetOf(run)}`,
      },
    };
  const move = wanted(scene, seen, networkInterfaceId, frozen.noted?.from ?? frozen.request.from);
  if (move.kind === 'done') return { kind: 'done', result: { networkInterfaceId } };
  const { confirmSpacingMs } = run.settings;
  if (memory.assignedAtMs !== null && run.nowMs() - memory.assignedAtMs < confirmSpacingMs)
    return { kind: 'wait', text: `waiting to see ${planned.address} on the replacement` };
  memory.heldSinceMs = move.kind === 'held' ? (memory.heldSinceMs ?? run.nowMs()) : null;
  switch (move.kind) {
    case 'unseen':
      return { kind: 'wait', text: `EC2 does not show ${networkInterfaceId}` };
    case 'held':
      return held(scene, move.text, memory.heldSinceMs ?? run.nowMs(), confirmSpacingMs);
    case 'record':
      return { kind: 'note', noted: { from: move.from } };
    case 'unassign':
      return unassign(frozen, move.from);
    case 'assign':
      return again(scene, frozen);
  }
}

/** One look may be outdated. */
function held({ run, loss }: Scene, text: string, sinceMs: number, forMs: number): Move<AssignedRecord> {
  if (run.nowMs() - sinceMs < forMs)
    return { kind: 'wait', text: `${text}: looking once more`, forMs: run.settings.confirmSpacingMs };
  return { kind: 'hold', reason: HELD, text: `${text}. ${giveUpText(run, loss)}` };
}

/**
 * It is on none of the interfaces that matter. Where EC2 refuses it all the same, somebody has it
 * who is not shown, or the last change is not through everywhere: that is given its time.
 */
function again(scene: Scene, frozen: Frozen<AssignedRecord>): Move<AssignedRecord> {
  const { memory, run } = scene;
  const { refusedSinceMs } = memory;
  if (refusedSinceMs === null) return assign(frozen);
  if (run.nowMs() - refusedSinceMs >= run.settings.lagGraceMs)
    return held(scene, memory.refusal, refusedSinceMs, run.settings.lagGraceMs);
  return assign(frozen);
}

const called = ({ request: { kind, address } }: Frozen<AssignedRecord>, networkInterfaceId: string) => ({
  ...{ kind, address, networkInterfaceId },
});

function assign(frozen: Frozen<AssignedRecord>): Move<AssignedRecord> {
  const request = called(frozen, frozen.request.networkInterfaceId);
  return {
    kind: 'act',
    text: `putting ${request.address} on the replacement`,
    calls: [{ name: 'assign', run: (cloud, options) => cloud.assignAddress(request, options) }],
  };
}

function unassign(frozen: Frozen<AssignedRecord>, from: string): Move<AssignedRecord> {
  const request = called(frozen, from);
  return {
    kind: 'act',
    text: `taking ${request.address} off the fenced instance`,
    calls: [{ name: 'unassign', run: (cloud, options) => cloud.unassignAddress(request, options) }],
  };
}

/** The subnet of the replacement's interface. */
const subnetOf = (run: Run): string => replacementPlaceOf(run).subnetId;

/** What the moves of this record make. */
const assignedCallsOf =
  (name: string): CallsOf =>
  (about) => {
    const {
      intent: { plan },
      key: { item },
    } = about;
    const planned = plannedOf(plan, name).find((one) => assignedItem(one) === item);
    if (!planned) return [];
    const { kind, address, holders } = planned;
    const at = (networkInterfaceId: string) => ({ kind, address, networkInterfaceId });
    const [from] = holders;
    return [
      ...(from === undefined
        ? []
        : [
            plannedCall(
              'unassign',
              (cloud, options) => cloud.unassignAddress(at(from.networkInterfaceId), options),
              unlessEnded(plan),
            ),
          ]),
      triedOnInterface(
        laterCall(
          'assign',
          (cloud, options) => cloud.assignAddress(at(LATER_PERMIT), options),
          'it puts the address on the interface of the replacement, which the recovery makes',
        ),
        about,
        (id) => (cloud, options) => cloud.assignAddress(at(id), options),
      ),
    ];
  };

/** The moves of the kinds that have this record. */
export const assignedMoveOf = (record: AssignedRecord): IdentityMove =>
  identityMove(
    record,
    (plan) => plannedOf(plan, record.name).map(assignedItem),
    (run, item) => assignedAddressMove(run, record, item),
    assignedCallsOf(record.name),
    { level: LEVEL_OF.identity, watch: assignedWatch },
  );
