import { DEFAULT_POLICY, type GroupPolicy, type MemberId, monotonicMs, wallMs } from '@understudy/shared';
import { guardInput, NOW, silentEverywhere, WALL } from '../judge/judge.fixtures.ts';
import { forecastFixture, planFixture } from '../readiness/readiness.fixtures.ts';
import type { WhatIfSnapshot, WhatIfSubject } from './snapshot.ts';

export const ZONES = ['us-east-1a', 'us-east-1b', 'us-east-1c'] as const;
const SERVES_MS = 100_000;

export interface FleetOfOptions {
  readonly counts: readonly [a: number, b: number, c: number];
  readonly policy?: GroupPolicy;
  /** Groups that the members of each zone are dealt to. Default: one each. */
  readonly groupOf?: (at: number) => string;
}

function subjectFixture(member: MemberId, az: string, policy: GroupPolicy): WhatIfSubject {
  const instanceId = `i-${member}`;
  const evidence = { ...silentEverywhere({ member, instanceId, az }), opinions: [] };
  const guard = guardInput({ member, group: member.split('/')[0] ?? '', az, policy, quorum: null });
  const places = [{ instanceType: 'm6i.large', az: az === ZONES[0] ? ZONES[1] : ZONES[0], subnetId: 'subnet-b' }];
  const forecast = forecastFixture(2 * SERVES_MS);
  const plan = {
    ...planFixture({
      member,
      instanceId,
      candidates: [{ instanceType: 'm6i.large', az, subnetId: 'subnet-a' }],
      forecast,
    }),
    calls: { RunInstances: 1, CreateTags: 2 },
    ifZoneLost: {
      ...{ strategy: 'snapshot-and-replace', candidates: places, problems: [], forecast },
      calls: { RunInstances: 1, CreateTags: 2 },
    },
  };
  return { evidence, guard, plan };
}

/** A fleet that is well, with a coordinator in each zone; the one in the first zone leads. */
export function snapshotFixture(
  { counts, policy = DEFAULT_POLICY, groupOf = (at) => `g${at}` }: FleetOfOptions,
  change: Partial<WhatIfSnapshot> = {},
): WhatIfSnapshot {
  let at = 0;
  const subjects = ZONES.flatMap((az, zone) =>
    Array.from({ length: counts[zone] ?? 0 }, () => subjectFixture(`${groupOf(at++)}/m`, az, policy)),
  );
  return {
    ...{ nowMs: monotonicMs(NOW), nowWallMs: wallMs(WALL), subjects, recovering: [], recoveries: [] },
    fleet: subjects.map(({ evidence }) => ({
      ...{ member: evidence.member, az: evidence.az, failedSinceWallMs: null, heard: true },
    })),
    coordinators: ZONES.map((az, zone) => ({ coordinatorId: `c${zone + 1}`, az, isDrained: false })),
    ...{ leaderId: 'c1', calledLost: [], recoveriesMax: 200, leaseTtlMs: 10_000 },
    limitOf: () => ({ burst: 100, refillPerSecond: 10 }),
    ...change,
  };
}
