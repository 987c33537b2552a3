import * as z from 'zod';
import {
  durationText,
  type CloudInstance,
  type DnsChangeStatus,
  type DnsRecords,
  type DnsRecordSet,
  hasCode,
  invariant,
  OperationError,
  type PlannedRecord,
  type RecoveryPlan,
  LEVEL_OF,
} from '@understudy/shared';
import type { HeldElsewhere } from '../core/held-elsewhere.ts';
import { type Becomes, freshOf, recordItem, recordMove } from '../core/record-move.ts';
import type { Attempt, Frozen, Move } from '../effect.ts';
import type { Run } from '../run.ts';
import { replacementOf } from '../steps/activate.ts';
import { addressHolders, type HeldMemory } from './address-holders.ts';
import { dnsRecordWatch } from './dns-record-watch.ts';
import { identityMove, type ItemMove } from './identity-move.ts';
import { recordCalls } from './names-calls.ts';

const exact = z.record(z.string(), z.unknown());

export const RECORD = {
  name: 'record',
  per: 'item',
  request: z.strictObject({
    zoneId: z.string(),
    /** Value of the record → what takes its place. */
    becomes: z.record(z.string(), z.string()),
    /** The set that may be taken away; all of it, as a DELETE has to repeat it. */
    old: exact,
    fresh: exact,
  }),
  /** A later picture of the set, recorded before it is taken away; the change that was made. */
  noted: z.strictObject({ old: exact, fresh: exact, changeId: z.string().nullable() }),
  /** `insync`: Route 53 has said that it has spread it. `lost`: why it was left, in words. */
  result: z.union([z.strictObject({ insync: z.boolean() }), z.strictObject({ lost: z.string() })]),
} as const;
type Record = typeof RECORD;

/** "Generally within 60 seconds": how long a change is given whose reply was lost. */
const SPREAD_MS = 60_000;

interface Seen {
  readonly record: DnsRecordSet | null;
  readonly replacement: CloudInstance;
  /** Null: no change of ours is known, or Route 53 has forgotten it. */
  readonly status: DnsChangeStatus | null;
  readonly held: HeldElsewhere;
}

interface Memory extends HeldMemory {
  replacement: CloudInstance | null;
  changeId: string | null;
  /** First of the unbroken run of looks that showed it changed by somebody else. */
  elsewhereSinceMs: number | null;
  /** When the record was first seen as it is to be. */
  thereSinceMs: number | null;
  swappedAtMs: number | null;
  /** Refusals in a row of a set that was just seen as it was asked for. */
  conflicts: number;
  conflictText: string;
}

export const recordsOf = (plan: RecoveryPlan): readonly PlannedRecord[] => plan.records ?? [];

function plannedOf(run: Run, item: string): PlannedRecord {
  const planned = recordsOf(run.plan).find((one) => recordItem(one) === item);
  invariant(planned, `the plan has no record ${item}`);
  return planned;
}

const dnsOf = (run: Run): DnsRecords => {
  const { dns } = run.parts;
  if (dns) return dns;
  throw new OperationError('CLOUD_UNAVAILABLE', 'this coordinator is not set up to ask Route 53');
};

/** @throws CLOUD_UNAVAILABLE while EC2 does not show the replacement, or not with the address */
function becomesOf({ values }: PlannedRecord, replacement: CloudInstance): Becomes {
  return Object.fromEntries(
    values.map(({ value, becomes }) => {
      const address = becomes === 'public-ip' ? replacement.publicIp : replacement.privateIp;
      if (address !== null) return [value, address];
      throw new OperationError('CLOUD_UNAVAILABLE', `EC2 shows ${replacement.instanceId} without a ${becomes}`);
    }),
  );
}

async function describeReplacement(run: Run): Promise<CloudInstance> {
  const instanceId = replacementOf(run);
  const found = await run.read((cloud, options) => cloud.describeInstances({ 'instance-id': [instanceId] }, options));
  const instance = found.find((one) => one.instanceId === instanceId);
  if (instance) return instance;
  throw new OperationError('CLOUD_UNAVAILABLE', `EC2 does not show ${instanceId}`);
}

async function statusOf(run: Run, changeId: string | null): Promise<DnsChangeStatus | null> {
  if (changeId === null) return null;
  try {
    return await run.read((_, options) => dnsOf(run).describeChange(changeId, options));
  } catch (error) {
    if (hasCode(error, 'CLOUD_NOT_FOUND')) return null;
    throw error;
  }
}

/** Private addresses that the record has and is to lose. */
const goingOf = ({ values }: PlannedRecord, record: DnsRecordSet, { privateIp }: CloudInstance): readonly string[] =>
  values.flatMap(({ value, becomes }) =>
    becomes === 'private-ip' && value !== privateIp && record.values.includes(value) ? [value] : [],
  );

async function look(run: Run, memory: Memory, planned: PlannedRecord): Promise<Seen> {
  memory.replacement ??= await describeReplacement(run);
  const { zoneId, setIdentifier } = planned;
  const sets = await run.read((_, options) => dnsOf(run).describeRecords(zoneId, planned, options));
  const record = sets.find((one) => one.setIdentifier === setIdentifier) ?? null;
  const { replacement } = memory;
  const going = record === null ? [] : goingOf(planned, record, replacement);
  const held = await addressHolders(run, memory, replacement, going);
  return { record, replacement, status: await statusOf(run, memory.changeId), held };
}

const giveUp = (run: Run, item: string): string =>
  `Or leave it as it is: understudy accept-loss ${run.record.member} record:${item} --reason TEXT`;

/**
 * Moves one record set: read → guarded record of the exact set that may go → DELETE of exactly that
 * and CREATE of the new one in one batch → see it there, and in sync. After a lost reply a look
 * says whether it was applied: the batch is a compare-and-set, so sending it again harms nobody.
 */
function dnsRecordMove(run: Run, item: string): ItemMove<Record, Seen> {
  const planned = plannedOf(run, item);
  const { insyncWithinMs } = run.policy.identity.dns;
  const memory: Memory = {
    ...{ replacement: null, changeId: null, elsewhereSinceMs: null, thereSinceMs: null, swappedAtMs: null },
    ...{ conflicts: 0, conflictText: '', heldText: '' },
  };
  return {
    limitMs: insyncWithinMs,
    floorMs: run.settings.resumeFloorMs + SPREAD_MS,
    look: () => look(run, memory, planned),
    request: ({ record, replacement, held }) => {
      const becomes = { ...becomesOf(planned, replacement) };
      const asPlanned = { old: planned.exact, fresh: freshOf(planned.exact, becomes, held) };
      const move = recordMove(record, { becomes, recordedOld: asPlanned.old, recordedFresh: asPlanned.fresh }, held);
      const { old, fresh } = move.kind === 'swap' || move.kind === 'record' ? move : asPlanned;
      return { zoneId: planned.zoneId, becomes, old: { ...old }, fresh: { ...fresh } };
    },
    answered: (frozen, last) => answered(run, memory, item, { frozen, last }),
    next: (frozen, seen) => next(run, memory, item, { frozen, seen }),
    onTimeout: () => onTimeout(run, memory, item),
  };
}

function answered(
  run: Run,
  memory: Memory,
  item: string,
  { frozen, last }: { frozen: Frozen<Record>; last: Attempt | null },
): Move<Record> | null {
  memory.changeId ??= frozen.noted?.changeId ?? null;
  if (last?.error?.code === 'CLOUD_REJECTED')
    return { kind: 'hold', reason: 'CloudRejected', text: `${last.error.message}. ${giveUp(run, item)}` };
  const isConflict = last?.error?.code === 'CLOUD_CONFLICT';
  if (isConflict) memory.conflictText = last.error?.message ?? '';
  if (last) memory.conflicts = isConflict ? memory.conflicts + 1 : 0;
  if (last?.error === null) memory.swappedAtMs = run.nowMs();
  return null;
}

function onTimeout(run: Run, memory: Memory, item: string): Move<Record> {
  // It says what it is to say; how far the world has heard is not ours to wait for.
  if (memory.thereSinceMs !== null) return { kind: 'done', result: { insync: false } };
  return {
    kind: 'hold',
    reason: memory.elsewhereSinceMs === null ? 'CloudUnavailable' : 'RecordChanged',
    text: `the record ${item} was not seen with the replacement's address within ${durationText(run.policy.identity.dns.insyncWithinMs)}. ${giveUp(run, item)}`,
  };
}

function next(
  run: Run,
  memory: Memory,
  item: string,
  { frozen, seen }: { frozen: Frozen<Record>; seen: Seen },
): Move<Record> {
  const recorded = frozen.noted ?? frozen.request;
  const { becomes } = frozen.request;
  const move = recordMove(
    seen.record,
    { becomes, recordedOld: recorded.old, recordedFresh: recorded.fresh },
    seen.held,
  );
  const nowMs = run.nowMs();
  memory.elsewhereSinceMs = move.kind === 'elsewhere' ? (memory.elsewhereSinceMs ?? nowMs) : null;
  memory.thereSinceMs = move.kind === 'there' ? (memory.thereSinceMs ?? nowMs) : null;
  if (move.kind === 'there') return settle(run, memory, frozen, seen.status);
  const { confirmSpacingMs } = run.settings;
  if (memory.swappedAtMs !== null && nowMs - memory.swappedAtMs < confirmSpacingMs)
    return { kind: 'wait', text: `waiting to see ${item} as it was changed` };
  if (move.kind === 'elsewhere') {
    if (nowMs - (memory.elsewhereSinceMs ?? nowMs) < confirmSpacingMs)
      return { kind: 'wait', text: `${item}: ${move.text}: looking once more`, forMs: confirmSpacingMs };
    return { kind: 'hold', reason: 'RecordChanged', text: `the record ${item}: ${move.text}. ${giveUp(run, item)}` };
  }
  if (move.kind === 'record') {
    memory.changeId = null;
    return { kind: 'note', noted: { old: { ...move.old }, fresh: { ...move.fresh }, changeId: null } };
  }
  if (memory.conflicts >= CONFLICTS_MAX)
    return { kind: 'hold', reason: 'CloudRejected', text: `${memory.conflictText}. ${giveUp(run, item)}` };
  return swap(run, memory, item, { ...frozen.request, ...recorded });
}

/** Refused twice although it is what was seen: the name is protected, or something forbids it. */
const CONFLICTS_MAX = 2;

function swap(
  run: Run,
  memory: Memory,
  item: string,
  { zoneId, old, fresh }: Pick<Frozen<Record>['request'], 'zoneId' | 'old' | 'fresh'>,
): Move<Record> {
  const comment = `understudy ${run.record.opId}`;
  return {
    kind: 'act',
    text: `pointing ${item} at the replacement`,
    calls: [
      {
        name: 'swap',
        run: async (_, options) => {
          const { changeId } = await dnsOf(run).swapRecord({ zoneId, old, fresh, comment }, options);
          memory.changeId = changeId;
        },
      },
    ],
  };
}

/** It says what it is to say. What was changed by us is followed until it has spread. */
function settle(run: Run, memory: Memory, frozen: Frozen<Record>, status: DnsChangeStatus | null): Move<Record> {
  const recorded = frozen.noted ?? { old: frozen.request.old, fresh: frozen.request.fresh, changeId: null };
  if (memory.changeId !== null && recorded.changeId !== memory.changeId)
    return { kind: 'note', noted: { old: recorded.old, fresh: recorded.fresh, changeId: memory.changeId } };
  if (status === 'INSYNC' || (frozen.sends.swap ?? 0) === 0) return { kind: 'done', result: { insync: true } };
  const sinceMs = run.nowMs() - (memory.thereSinceMs ?? run.nowMs());
  if (status === null && sinceMs >= SPREAD_MS) return { kind: 'done', result: { insync: false } };
  return { kind: 'wait', text: 'waiting for Route 53 to spread the change' };
}

export const dnsRecord = {
  ...identityMove(RECORD, (plan) => recordsOf(plan).map(recordItem), dnsRecordMove, recordCalls, {
    watch: dnsRecordWatch,
  }),
  level: LEVEL_OF.names,
};
