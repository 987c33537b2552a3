import { DEFAULT_POLICY, type PlanForecast, type PlanSummary, type RungReadiness } from '@understudy/shared';
import type { MemberFacts } from './facts.ts';

export const NOW_MS = 1_800_000_000_000;
export const LOOKED_AT_MS = NOW_MS - 60_000;

export const forecastFixture = (slowMs: number, losesSinceWallMs: number | null = null): PlanForecast => ({
  ...{ servesAfter: { typicalMs: slowMs / 2, slowMs }, closedAfter: { typicalMs: slowMs, slowMs: 2 * slowMs } },
  ...{ losesSinceWallMs, undo: 'a day' },
});

const ALL_ALLOWED = { allowed: 9, unknown: 0, denied: [], refused: [], cannotBeAsked: [] };

export const rungFixture = (
  rung: string,
  forecast: PlanForecast,
  change: Partial<RungReadiness> = {},
): RungReadiness => ({
  ...{ rung, said: 'taken', why: '', problems: [], losses: [], forecast, permissions: ALL_ALLOWED },
  ...change,
});

export function planFixture(change: Partial<PlanSummary> = {}): PlanSummary {
  const forecast = forecastFixture(100_000);
  return {
    ...{ member: 'prod/db1', instanceId: 'i-1', lookedAtWallMs: LOOKED_AT_MS, strategy: 'snapshot-and-replace' },
    ...{ worst: 'snapshot-and-replace', rungs: [rungFixture('snapshot-and-replace', forecast)] },
    ...{ candidates: [], losses: [], problems: [], forecast, permissions: ALL_ALLOWED },
    disks: { count: 2, snapshotsAtWallMs: NOW_MS - 3_600_000 },
    subnets: [{ subnetId: 'subnet-a', freeAddresses: 12 }],
    ...change,
  };
}

/** A member that is heard, was looked at a minute ago, and whom nothing would hold. */
export const factsFixture = (change: Partial<MemberFacts> = {}): MemberFacts => ({
  ...{ member: 'prod/db1', instanceId: 'i-1', az: 'us-east-1a', policy: DEFAULT_POLICY, plan: planFixture() },
  ...{ planFreshForMs: 1_200_000, asksPermissions: true, guard: { kind: 'go', gates: [], leaveAz: null } },
  judged: { verdict: 'alive', reasonCode: 'Heard', reason: 'it is heard' },
  ...{ hold: null, isRecovering: false, nowWallMs: NOW_MS },
  ...change,
});
