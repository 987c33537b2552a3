import { policyWith } from '@understudy/shared/testing';
import { GroupPolicySchema, type MemberId, wallMs, groupOf } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { assess } from './assess.ts';
import type { Assessment, MemberEvidence } from './evidence.ts';
import { type Explanation, explain } from './explain.ts';
import { guard } from './guard.ts';
import { type GateResult, type GuardAnswer, type GuardInput, OBJECTION_REASONS } from './guard-input.ts';
import { guardInput, NOW, opinion, silentEverywhere } from './judge.fixtures.ts';
import { guardQuorum } from './quorum.ts';
import { gist, recordedCases } from './recorded-cases.fixtures.ts';

const id = z.string().min(1);
const memberId = z
  .string()
  .includes('/')
  .transform((text) => text as MemberId);
const ms = z.number();

/**
 * A field that is left out is fine, or has the default. Moments are given as how long ago, in ms.
 */
const InputSchema = z.strictObject({
  now: z.iso.datetime(),
  /** What the member was judged to be. Left out: silent everywhere. */
  judged: z.enum(['silent for one', 'degraded for long', 'healthy']).optional(),
  policy: z.record(z.string(), z.unknown()).optional(),
  limits: z.strictObject({ massRatio: z.number() }).optional(),
  pauses: z.array(z.strictObject({ scope: id, who: id, why: id, until: z.iso.datetime().nullable() })).optional(),
  objections: z.array(z.strictObject({ reason: z.enum(OBJECTION_REASONS), text: id })).optional(),
  ownTrouble: id.optional(),
  protectedByTag: z.boolean().optional(),
  launchedAgoMs: ms.optional(),
  az: id.optional(),
  /**
   * By zone: how many members are fine, and how long ago the others failed. The member in question
   * is the first failed one of its own zone.
   */
  fleet: z.record(id, z.strictObject({ fine: z.number(), failedAgoMs: z.array(ms).optional() })).optional(),
  recoveries: z
    .array(z.strictObject({ member: memberId, az: id.nullable(), startedAgoMs: ms, endedAgoMs: ms.nullable() }))
    .optional(),
});
type Input = z.infer<typeof InputSchema>;

const ExpectSchema = z.strictObject({
  /** `go`, or `hold, reason` with the gist of its text. */
  answer: id,
  until: z.iso.datetime().nullable(),
  leaveAz: id.nullable(),
  decision: z.enum(['none', 'replace', 'hold']),
  /**
   * Gists of what would change the verdict; `…` stands for one without. The gates that hold are not
   * here but below.
   */
  wouldFlip: z.array(id),
  /** Every gate: `ok` or `HOLDS`, and the gists of what is found and what is wanted. */
  gates: z.record(id, id),
});

const CaseSchema = z.strictObject({
  ...{ name: id, source: id, why: id },
  input: InputSchema,
  expect: ExpectSchema,
  /** Word by word. */
  inFull: z.strictObject({ text: id.nullable(), decision: id, wouldFlip: z.array(id), gates: z.array(id) }).optional(),
});
type Case = z.infer<typeof CaseSchema>;

const MEMBER: MemberId = 'db/a';
const cases = recordedCases('guard', CaseSchema);

function evidenceOf({ judged, now }: Input): Partial<MemberEvidence> {
  const wallNowMs = wallMs(Date.parse(now));
  const heard = ['c1', 'c2', 'c3'].map((id) => opinion(id, 'alive', 'Heard'));
  if (judged === 'healthy') return { wallNowMs, opinions: heard };
  if (judged === 'silent for one') return { wallNowMs, opinions: [opinion('c1', 'dead', 'ProbesFailed')] };
  if (judged === undefined) return { wallNowMs };
  const check = { status: 'fail' as const, code: 22, ageSeconds: 1, failingSinceMs: 0 as typeof NOW };
  return { wallNowMs, opinions: heard, workload: { lastHeardAtMs: NOW, checks: [check] } };
}

/** The launch is for the guard alone here: in boot grace, for example, nothing would be judged. */
function assessmentOf(input: Input, az: string): Assessment {
  const ownPolicy = GroupPolicySchema.parse(input.policy ?? {});
  const policy = policyWith({ detect: { degradedFailsAfterMs: 60_000 }, guard: { bootGraceMs: 0 } }, ownPolicy);
  return assess(silentEverywhere({ ...evidenceOf(input), az }), policy, NOW);
}

function fleetOf({ fleet, now }: Input, az: string): GuardInput['fleet'] {
  const nowMs = Date.parse(now);
  let count = 0;
  return Object.entries(fleet ?? {}).flatMap(([zone, { fine, failedAgoMs = [] }]) => {
    const failed = failedAgoMs.map((agoMs, i) => ({
      member: zone === az && i === 0 ? MEMBER : (`db/f${++count}` as MemberId),
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
  return {
    ...guardInput({ ...(input.fleet && { fleet: fleetOf(input, az) }) }),
    ...{ member: MEMBER, az, group: groupOf(MEMBER), wallNowMs: wallMs(nowMs) },
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

const isoOf = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());
const inFull = ({ gate, passes, value, limit }: GateResult): string =>
  `${passes ? 'ok' : 'HOLDS'} ${gate}: ${value}; wanted: ${limit}`;
const inShort = ({ passes, value, limit }: GateResult): string =>
  [passes ? 'ok' : 'HOLDS', gist(value), gist(limit)].filter((part) => part !== '').join(' ');

const aboutGate = (text: string): boolean => text.startsWith('gate ');

function expectedOf(answer: GuardAnswer, { decision, wouldFlip }: Explanation): Case['expect'] {
  const held = answer.kind === 'hold';
  return {
    answer: held ? `hold, ${answer.reason} ${gist(answer.text)}`.trimEnd() : 'go',
    until: held ? isoOf(answer.untilWallMs) : null,
    leaveAz: held ? null : answer.leaveAz,
    decision: decision.kind,
    wouldFlip: wouldFlip.filter((text) => !aboutGate(text)).map((text) => gist(text) || '…'),
    gates: Object.fromEntries(answer.gates.map((one) => [one.gate, inShort(one)])),
  };
}

const inFullOf = (answer: GuardAnswer, { decision, wouldFlip }: Explanation): Case['inFull'] => ({
  text: answer.kind === 'hold' ? answer.text : null,
  decision: `${decision.kind === 'hold' ? `hold, ${decision.reason}` : decision.kind}: ${decision.text}`,
  wouldFlip: [...wouldFlip],
  gates: answer.gates.map(inFull),
});

function answered({ input }: Case) {
  const az = input.az ?? 'us-east-1a';
  const assessment = assessmentOf(input, az);
  const answer = guard(inputOf(input, assessment, az));
  return { assessment, answer, explanation: explain(assessment, answer, null) };
}

describe('recorded cases of the guard', () => {
  it('are all there, a few of them word by word, and every gate refuses in one of them', () => {
    expect(cases.size).toBeGreaterThanOrEqual(43);
    const all = [...cases.values()];
    expect(all.filter((one) => one.inFull).length).toBeGreaterThanOrEqual(4);
    const gates = new Set(all.flatMap((one) => Object.keys(one.expect.gates)));
    const held = new Set(all.map((one) => one.expect.answer.split(' ')[1]));
    expect([...gates].filter((gate) => !held.has(gate))).toEqual([]);
  });

  it('with a misspelt field are refused', () => {
    const issues = CaseSchema.safeParse({ input: { now: '2026-01-01T00:00:00Z', ownTruoble: 'abstains' } }).error
      ?.issues;
    expect(issues).toContainEqual(expect.objectContaining({ code: 'unrecognized_keys', keys: ['ownTruoble'] }));
  });

  it.each([...cases])('%s', (_, one) => {
    const { answer, explanation } = answered(one);
    expect(expectedOf(answer, explanation)).toEqual(one.expect);
    if (one.inFull) expect(inFullOf(answer, explanation)).toEqual(one.inFull);
  });

  it.each([...cases])('%s: what is said of the gates agrees with them', (_, one) => {
    const { assessment, answer, explanation } = answered(one);
    const refusing = answer.gates.filter((gate) => !gate.passes).map((gate) => `gate ${gate.gate}`);
    const said = explanation.wouldFlip.filter(aboutGate).map((text) => text.slice(0, text.indexOf(':')));
    expect(said).toEqual(assessment.act ? refusing : []);
    if (explanation.decision.kind === 'hold' && answer.kind === 'hold')
      expect(explanation.decision).toMatchObject({ reason: answer.reason, text: answer.text });
  });
});
