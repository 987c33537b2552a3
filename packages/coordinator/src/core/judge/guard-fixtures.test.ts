import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GroupPolicySchema, type MemberId, wallMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';
import type { Assessment, MemberEvidence } from './evidence.ts';
import { explain } from './explain.ts';
import { guard } from './guard.ts';
import type { GateResult, GuardInput, GuardLimits } from './guard-input.ts';
import { guardInput, NOW, opinion, silentEverywhere } from './judge.fixtures.ts';
import { guardQuorum } from './quorum.ts';

/** `test/fixtures/guard/<case>/input.json`: what is left out is fine, or the default. Moments are how long ago, in ms. */
interface Input {
  readonly title: string;
  readonly source: string;
  readonly now: string;
  /** What it was judged to be: silent everywhere, at one observer only, failing for too long, or nothing is wrong. */
  readonly judged?: 'dead' | 'silent for one' | 'degraded for long' | 'healthy';
  readonly member?: MemberId;
  readonly policy?: object;
  readonly limits?: Partial<GuardLimits>;
  readonly pauses?: readonly {
    readonly scope: string;
    readonly who: string;
    readonly why: string;
    readonly until: string | null;
  }[];
  readonly objections?: GuardInput['objections'];
  readonly ownTrouble?: string;
  readonly protectedByTag?: boolean;
  readonly launchedAgoMs?: number;
  /** By zone: how many are fine, and how long the others have failed. The member in question is the first failed one of its own zone. */
  readonly az?: string;
  readonly fleet?: Readonly<Record<string, { readonly fine: number; readonly failedAgoMs?: readonly number[] }>>;
  readonly recoveries?: readonly {
    readonly member: MemberId;
    readonly az: string | null;
    readonly startedAgoMs: number;
    readonly endedAgoMs: number | null;
  }[];
}

/** `expected.json` beside it. */
interface Expected {
  readonly answer: string;
  readonly until: string | null;
  readonly text: string | null;
  readonly leaveAz: string | null;
  readonly decision: string;
  readonly wouldFlip: readonly string[];
  /** Every gate: `ok` or `HOLDS`, what is, what is wanted. */
  readonly gates: readonly string[];
}

const FOLDER = join(import.meta.dirname, '../../../../../test/fixtures/guard');
const read = <T>(name: string, file: string) => JSON.parse(readFileSync(join(FOLDER, name, file), 'utf8')) as T;
const cases = readdirSync(FOLDER).map((name) => [name, read<Input>(name, 'input.json')] as const);

function evidenceOf({ judged, now }: Input): Partial<MemberEvidence> {
  const wallNowMs = wallMs(Date.parse(now));
  const heard = ['c1', 'c2', 'c3'].map((id) => opinion(id, 'alive', 'Heard'));
  if (judged === 'healthy') return { wallNowMs, opinions: heard };
  if (judged === 'silent for one') return { wallNowMs, opinions: [opinion('c1', 'dead', 'ProbesFailed')] };
  if (judged !== 'degraded for long') return { wallNowMs };
  const check = { status: 'fail' as const, code: 22, ageSeconds: 1, failingSinceMs: 0 as typeof NOW };
  return { wallNowMs, opinions: heard, workload: { lastHeardAtMs: NOW, checks: [check] } };
}

/** In boot grace, say, nothing would be judged: the launch is the guard's alone here. */
function assessmentOf(input: Input, az: string): Assessment {
  const policy = GroupPolicySchema.parse({ ...input.policy, degradedFailsAfterMs: 60_000, bootGraceMs: 0 });
  return assess(silentEverywhere({ ...evidenceOf(input), az }), policy, NOW);
}

function fleetOf({ fleet, now, member = 'db/a' }: Input, az: string): GuardInput['fleet'] {
  const nowMs = Date.parse(now);
  let count = 0;
  return Object.entries(fleet ?? {}).flatMap(([zone, { fine, failedAgoMs = [] }]) => {
    const failed = failedAgoMs.map((agoMs, i) => ({
      member: zone === az && i === 0 ? member : (`db/f${++count}` as MemberId),
      az: zone,
      failedSinceWallMs: nowMs - agoMs,
      heard: false,
    }));
    const well = Array.from({ length: fine }, () => ({
      member: `db/m${++count}` as MemberId,
      az: zone,
      failedSinceWallMs: null,
      heard: true,
    }));
    return [...failed, ...well];
  });
}

function inputOf(input: Input, assessment: Assessment, az: string): GuardInput {
  const nowMs = Date.parse(input.now);
  const member = input.member ?? 'db/a';
  const groupOf = (one: MemberId) => one.slice(0, one.indexOf('/'));
  return {
    ...guardInput({ ...(input.fleet && { fleet: fleetOf(input, az) }) }),
    ...{ member, az, group: groupOf(member), wallNowMs: wallMs(nowMs) },
    policy: GroupPolicySchema.parse(input.policy ?? {}),
    limits: { ...guardInput().limits, ...input.limits },
    pauses: (input.pauses ?? []).map(({ until, ...one }) => ({
      ...one,
      untilWallMs: until === null ? null : Date.parse(until),
    })),
    objections: input.objections ?? [],
    ownTrouble: input.ownTrouble ?? null,
    quorum: guardQuorum(assessment, az),
    protectedByTag: input.protectedByTag ?? false,
    launchedAtWallMs: nowMs - (input.launchedAgoMs ?? 86_400_000),
    recoveries: (input.recoveries ?? []).map((one) => ({
      ...{ member: one.member, group: groupOf(one.member), az: one.az },
      startedAtWallMs: nowMs - one.startedAgoMs,
      endedAtWallMs: one.endedAgoMs === null ? null : nowMs - one.endedAgoMs,
    })),
  };
}

const isoOf = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
const gateLine = ({ gate, passes, value, limit }: GateResult) =>
  `${passes ? 'ok' : 'HOLDS'} ${gate}: ${value}; wanted: ${limit}`;

function answerTo(input: Input): Expected {
  const az = input.az ?? 'us-east-1a';
  const assessment = assessmentOf(input, az);
  const answer = guard(inputOf(input, assessment, az));
  const { decision, wouldFlip } = explain(assessment, answer, null);
  const held = answer.kind === 'hold';
  return {
    answer: held ? `hold, ${answer.reason}` : 'go',
    until: held ? isoOf(answer.untilWallMs) : null,
    text: held ? answer.text : null,
    leaveAz: held ? null : answer.leaveAz,
    decision:
      decision.kind === 'hold' ? `hold, ${decision.reason}: ${decision.text}` : `${decision.kind}: ${decision.text}`,
    wouldFlip,
    gates: answer.gates.map(gateLine),
  };
}

describe('recorded cases of the guard', () => {
  it('are all there, and every gate refuses in one of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(35);
    const gates = new Set(
      answerTo({ title: '', source: '', now: '2026-01-01T00:00:00Z' }).gates.map((one) => one.split(/[ :]/)[1]),
    );
    const held = new Set(cases.map(([name]) => read<Expected>(name, 'expected.json').answer.replace('hold, ', '')));
    expect([...gates].filter((gate) => gate !== undefined && !held.has(gate))).toEqual([]);
  });

  it.each(cases)('%s', (name, input) => {
    expect(answerTo(input)).toEqual(read<Expected>(name, 'expected.json'));
  });
});
