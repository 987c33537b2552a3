import {
  groupOf,
  type GuardedWrite,
  type Keyspace,
  opIdOf,
  type PreparationRecord,
  type PreparedKind,
  type PreparedView,
  type PreparePolicy,
  type RecoveryPlan,
  TAG,
  type Unwritten,
  type WallMs,
  LEVEL_OF,
} from '@understudy/shared';
import { inQuarantine, mostCost, type PlanInput, type PlanResult, preparable } from '@understudy/recovery';
import type { GuardAnswer } from '../judge/guard-input.ts';
import { begunToday, overSpend, spentToday, withBegun } from './preparation-ledger.ts';
import { scopesOf } from '../policy/pauses.ts';
import type { ClusterRecords, Stored } from '../store/cluster-records.ts';
import type { ClusterState } from '../store/cluster-state.ts';
import type { Judgement } from './assessor.ts';
import { wasBegunBefore } from './raise-ordinal.ts';

/** Why nothing is begun. */
export interface Refusal {
  readonly why: string;
  /** A limit of the policy is reached. */
  readonly isLimit: boolean;
}

export interface BeginPlace {
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly nowWallMs: WallMs;
  readonly termNumber: number;
}

export interface BeginFor {
  readonly suspect: Judgement;
  readonly prepare: PreparePolicy;
  readonly answer: GuardAnswer;
  readonly input: PlanInput;
  readonly plan: () => PlanResult<RecoveryPlan>;
}

export interface Beginning {
  readonly opId: string;
  readonly makes: readonly PreparedKind[];
  readonly write: GuardedWrite;
}

/** Preparations that may be taken over; of one group, or all. */
export const openIn = (
  { preparations }: Pick<ClusterRecords, 'preparations'>,
  group: string | null,
): readonly Stored<PreparationRecord>[] =>
  [...preparations.values()].filter(
    ({ record }) => record.dropped === undefined && (group === null || groupOf(record.member) === group),
  );

/** **S** (S31) Room is not asked for while a recovery is under way: that one may need it. */
const besideRecoveries = ({ intents }: ClusterRecords, makes: readonly PreparedKind[]): readonly PreparedKind[] =>
  intents.size === 0 ? makes : makes.filter((kind) => kind !== 'capacity');

const refused = (why: string): Refusal => ({ why, isLimit: false });
const limited = (why: string): Refusal => ({ why, isLimit: true });

/**
 * The write that begins a preparation, or why there is none. It compares what it was decided on: a
 * recovery that has begun meanwhile, or a pause, can only make it fail. Synchronous; changes
 * nothing.
 */
export function beginning(place: BeginPlace, about: BeginFor): Beginning | Refusal {
  const { view, keys } = place;
  const { suspect, prepare, answer, input } = about;
  const { member, instanceId } = suspect;
  const { records } = view;
  const activation = records.activations.get(member);
  if (activation?.record.instanceId !== instanceId) return refused('another instance is activated');
  if (view.levelInForce() < LEVEL_OF.preparations) return refused('a coordinator is here that knows no preparations');
  if (answer.kind === 'hold') return refused(`nothing would be done if it was dead: ${answer.text}`);
  const mark = input.instance.tags[TAG.fencedBy];
  if (wasBegunBefore(keys, records, activation.record, mark)) return refused('an earlier recovery left a trace');
  const over = overLimit(place, about);
  if (over) return limited(over);
  const result = about.plan();
  if (result.kind === 'blocked') return refused('there is no plan for it');
  const wanted = besideRecoveries(records, prepare.makes);
  const makes = preparable(result.plan, wanted);
  if (makes.length === 0) return refused(`nothing of ${wanted.join(', ')} is of use to ${result.plan.strategy}`);
  const most = mostCost(result.plan, makes, prepare);
  const dear = most === null ? null : overSpendIn(place, about, most);
  if (dear) return limited(dear);
  const plan = makes.includes('seed') ? inQuarantine(result.plan) : result.plan;
  const record = recordOf(place, suspect, activation, plan);
  return { opId: record.opId, makes, write: writeOf(place, { ...record, makes: [...makes] }, most) };
}

/** What the group may have, and has had. `next`: what the plan that is looked at can cost. */
export function limitsOf(
  { view, nowWallMs }: Pick<BeginPlace, 'view' | 'nowWallMs'>,
  group: string,
  { atOnce, perDay, keptForMs, spend }: PreparePolicy,
  next: number | null = null,
): PreparedView['limits'] {
  const open = openIn(view.records, group).length;
  const today = begunToday(view.records, group, nowWallMs).length;
  const spent = () => spentToday(view.records, group, nowWallMs);
  return {
    ...{ atOnce, open, perDay, today, keptForMs },
    ...(spend && { spend: { perDay: spend.perDay, today: spent(), next } }),
  };
}

/** Null: it is within what the group may spend. */
function overSpendIn({ view, nowWallMs }: BeginPlace, { suspect, prepare }: BeginFor, most: number): string | null {
  if (prepare.spend === undefined) return null;
  return overSpend(prepare.spend, spentToday(view.records, groupOf(suspect.member), nowWallMs), most);
}

/** Null: it is within the limits of the policy. */
function overLimit(place: BeginPlace, { suspect, prepare }: BeginFor): string | null {
  const { open, today } = limitsOf(place, groupOf(suspect.member), prepare);
  if (open >= prepare.atOnce) return `${open} of the group are prepared for (recover.prepare.atOnce)`;
  return today < prepare.perDay ? null : `${today} were begun in the group in 24 h (recover.prepare.perDay)`;
}

function recordOf(
  { view, nowWallMs, termNumber }: BeginPlace,
  { member, instanceId, az, assessment }: Judgement,
  { record: { ordinal, incarnation }, modRevision }: Stored<{ readonly ordinal: number; readonly incarnation: number }>,
  plan: RecoveryPlan,
): Omit<Unwritten<PreparationRecord>, 'makes'> {
  return {
    opId: opIdOf(instanceId, ordinal),
    member,
    oldInstanceId: instanceId,
    ordinal,
    oldAz: az,
    oldIncarnation: incarnation,
    activationModRevision: modRevision,
    term: termNumber,
    startedAtWallMs: nowWallMs,
    lastHeardWallMs: null,
    reason: assessment.reason,
    serveContract: view.records.members.get(member)?.record.serveContract ?? null,
    serveLeaseOverAfterMs: null,
    plan,
  };
}

function writeOf(
  { view, keys, nowWallMs }: BeginPlace,
  record: Unwritten<PreparationRecord>,
  most: number | null,
): GuardedWrite {
  const { opId, member } = record;
  const group = groupOf(member);
  const { prepared, activations, pauses } = view.records;
  const ledger = withBegun(view.records, { group, nowWallMs, most });
  return {
    puts: [
      { key: keys.preparation(opId), expect: 0, record: { ...record, neededLevel: LEVEL_OF.preparations } },
      { key: keys.preparedIn(group), expect: prepared.get(group)?.modRevision ?? 0, record: ledger },
    ],
    also: [
      { key: keys.activation(member), modRevision: activations.get(member)?.modRevision ?? 0 },
      { key: keys.intent(member), modRevision: 0 },
      { key: keys.journalStep(opId, 'permit-1'), modRevision: 0 },
      { key: keys.group(group), modRevision: view.revisionOf(keys.group(group)) },
      ...scopesOf(member).map((scope) => ({
        key: keys.pause(scope),
        modRevision: pauses.get(scope)?.modRevision ?? 0,
      })),
    ],
  };
}
