import type { PreparedKind, PreparePolicy, RecoveryPlan, SpendPolicy } from '@understudy/shared';
import { LATE_CALL_MS } from './late-calls.ts';
import { launchPlan } from './launch-plan.ts';
import { placesToAsk } from './places-to-reserve.ts';
import { preparable } from './preparation.ts';

const HOUR_MS = 3_600_000;
/** By which AWS turns a price for a month into one for an hour. */
const MONTH_MS = 730 * HOUR_MS;
/** A reservation that nobody is left to end: EC2 ends it within an hour of its end (10 minutes). */
const RESERVED_MS = 4_200_000;
/** Amounts are told, and compared, in millionths. */
const GRAIN = 1_000_000;

/** So that no sum of amounts says more or less than they do. */
export const amountOf = (value: number): number => Math.round(value * GRAIN) / GRAIN;

type Limits = Pick<PreparePolicy, 'keptForMs'> & { readonly spend: SpendPolicy };

const hourOf = (type: string, { instanceHour, instanceHourOf = {} }: SpendPolicy): number =>
  Object.hasOwn(instanceHourOf, type) ? (instanceHourOf[type] ?? instanceHour) : instanceHour;

/** The dearest of these types for so long. */
const instancesFor = (types: readonly string[], forMs: number, spend: SpendPolicy): number =>
  (Math.max(0, ...types.map((type) => hourOf(type, spend))) * forMs) / HOUR_MS;

/**
 * The most that each kind can cost, where nothing is left to chance but EC2's own clock. A seed
 * runs until it is seen stopped, or has failed to (`launchTimeoutMs`); its root counts as large as
 * the member's. Snapshots count in full, though EBS charges for what has changed. All are there
 * until `keptForMs` is over and what lands late has been looked for.
 */
const MOST: Readonly<Record<PreparedKind, (plan: RecoveryPlan, limits: Limits) => number>> = {
  seed: (plan, { keptForMs, spend }) => {
    const [first] = launchPlan(plan)?.candidates ?? [];
    const runs = instancesFor(first ? [first.instanceType] : [], plan.policy.recover.launchTimeoutMs, spend);
    const rootGiB = plan.volumes.find(({ isRoot }) => isRoot)?.sizeGiB ?? 0;
    return runs + (rootGiB * spend.volumeGibMonth * (keptForMs + LATE_CALL_MS)) / MONTH_MS;
  },
  snapshot: (plan, { keptForMs, spend }) => {
    const sizeGiB = plan.volumes.reduce((sum, one) => sum + one.sizeGiB, 0);
    return (sizeGiB * spend.snapshotGibMonth * (keptForMs + LATE_CALL_MS)) / MONTH_MS;
  },
  capacity: (plan, { spend }) => {
    const launching = launchPlan(plan);
    const places = launching === null ? [] : placesToAsk(launching).places;
    return instancesFor(
      places.map(({ instanceType }) => instanceType),
      RESERVED_MS,
      spend,
    );
  },
};

/**
 * The most that making these for a recovery by this plan can cost, in the currency of the prices,
 * rounded up. Null: the policy names no prices. Pure.
 */
export function mostCost(
  plan: RecoveryPlan,
  makes: readonly PreparedKind[],
  { keptForMs, spend }: Pick<PreparePolicy, 'keptForMs' | 'spend'>,
): number | null {
  if (spend === undefined) return null;
  const sum = makes.reduce((total, kind) => total + MOST[kind](plan, { keptForMs, spend }), 0);
  return Math.ceil(amountOf(sum * GRAIN)) / GRAIN;
}

/**
 * What the policy wants made can never be made for a recovery by this plan: it costs more than a
 * day's limit. Null: it can. Pure.
 */
export function tooDear(plan: RecoveryPlan, prepare: PreparePolicy | null): { code: string; text: string } | null {
  const { spend } = prepare ?? {};
  if (prepare === null || spend === undefined) return null;
  const makes = preparable(plan, prepare.makes);
  const most = mostCost(plan, makes, prepare) ?? 0;
  if (most <= spend.perDay) return null;
  const text = `what recover.prepare names (${makes.join(', ')}) can cost ${most}, and the group may spend ${spend.perDay} in 24 h (recover.prepare.spend.perDay): nothing is ever made for it`;
  return { code: 'PreparationTooDear', text };
}
