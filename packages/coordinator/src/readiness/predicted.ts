import { type GroupPolicy, type MemberReadiness, type PlanSummary, rungDeadlineMs } from '@understudy/shared';

type Duration = NonNullable<MemberReadiness['rto']>['detection'];

/** A judgement and the decision after `dead` take a pass each, and etcd's word. */
const DECIDED_AFTER_MS = 1_300;

/**
 * From a crash until a recovery begins, by the policy (`docs/detection.md`). On a bad day the last
 * heartbeat came just before the crash, and every pass has just been made.
 */
export function detectionOf({ detect: { suspectAfterMs, confirmForMs } }: GroupPolicy): Duration {
  const silenceMs = suspectAfterMs + confirmForMs;
  return { typicalMs: silenceMs, slowMs: silenceMs + DECIDED_AFTER_MS };
}

/** Ways that a recovery would take or come to, in order. */
const waysOf = ({ rungs }: PlanSummary): PlanSummary['rungs'] =>
  rungs.filter(({ said, problems }) => said !== 'skipped' && problems.length === 0);

/** All that the ways before the last may take, and the last one on a bad day. */
function lastWayMs(plan: PlanSummary, policy: GroupPolicy, detectionMs: number): number | null {
  const ways = waysOf(plan);
  const last = ways.at(-1)?.forecast ?? null;
  if (last === null) return null;
  const before = ways
    .slice(0, -1)
    .map(({ rung, forecast }) => rungDeadlineMs(policy, rung) ?? forecast?.servesAfter.slowMs ?? 0);
  return before.reduce((sum, one) => sum + one, detectionMs + last.servesAfter.slowMs);
}

type Predicted = Pick<
  MemberReadiness,
  'rtoMs' | 'rto' | 'rtoLastWayMs' | 'rpoMs' | 'rpoDisksLostMs' | 'losesEverythingWithDisks'
>;

const NOTHING: Predicted = {
  ...{ rtoMs: null, rto: null, rtoLastWayMs: null },
  ...{ rpoMs: null, rpoDisksLostMs: null, losesEverythingWithDisks: false },
};

/**
 * How long it would be out of service, and what it would lose, if it failed now: the forecasts of
 * its plans, with the detection before them, and their moments as ages of now. Pure.
 */
export function predicted(plan: PlanSummary | null, policy: GroupPolicy, nowWallMs: number): Predicted {
  if (plan === null || plan.forecast === null) return NOTHING;
  const detection = detectionOf(policy);
  const { servesAfter } = plan.forecast;
  const rto = {
    typicalMs: Math.round(detection.typicalMs + servesAfter.typicalMs),
    slowMs: Math.round(detection.slowMs + servesAfter.slowMs),
    detection,
  };
  const ageOf = (wallMs: number | null) => (wallMs === null ? 0 : Math.max(0, nowWallMs - wallMs));
  const lost = [plan.forecast, ...waysOf(plan).flatMap(({ forecast }) => forecast ?? [])];
  const snapshotsAt = plan.disks?.snapshotsAtWallMs ?? null;
  return {
    ...{ rtoMs: rto.slowMs, rto, rtoLastWayMs: lastWayMs(plan, policy, detection.slowMs) },
    rpoMs: Math.max(...lost.map(({ losesSinceWallMs }) => ageOf(losesSinceWallMs))),
    rpoDisksLostMs: snapshotsAt === null ? null : ageOf(snapshotsAt),
    losesEverythingWithDisks: plan.disks !== undefined && plan.disks.count > 0 && snapshotsAt === null,
  };
}
