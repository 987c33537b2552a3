import { CHECK_SLOTS, GroupPolicySchema, type MemberId, wallMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { assess } from './assess.ts';
import { ASSESS_REASONS, type EvidenceItem, type MemberEvidence } from './evidence.ts';
import { type Explanation, explain } from './explain.ts';
import { guard } from './guard.ts';
import type { GuardInput } from './guard-input.ts';
import { guardInput, NOW, WALL, ZONES } from './judge.fixtures.ts';
import { guardQuorum } from './quorum.ts';
import { gist, recordedCases, withDelta } from './recorded-cases.fixtures.ts';

/** Moments on the wall clock, in ms from now: -3000 is three seconds ago. */
const wall = z.number().transform((fromNowMs) => WALL + fromNowMs);
/** Moments on the clock of the process, in ms from now. */
const mono = z.number().transform((fromNowMs) => NOW + fromNowMs);
const id = z.string().min(1);
const memberId = id.transform((text) => text as MemberId);

const ServiceSchema = z.strictObject({
  state: id,
  probe: z.string(),
  reason: id,
  sinceWallMs: wall,
  passedBefore: z.boolean(),
  warning: id.nullable(),
});

/** `null` stands for an observer without a word about services. */
const OpinionSchema = z
  .strictObject({
    ...{ observer: id, az: id, instanceId: id },
    ...{ verdict: id, reason: id },
    ...{ sinceWallMs: wall, lastHeardWallMs: wall },
    service: ServiceSchema.nullable().optional(),
  })
  .transform(({ service, ...opinion }) => (service ? { ...opinion, service } : opinion));

const fields = z.record(z.string(), z.unknown());
/**
 * `observers` holds what differs from the other opinions; null removes an observer of the base. An
 * array replaces the whole list, in its own order.
 */
const OpinionsSchema = z
  .strictObject({ each: fields, by: z.union([z.record(id, fields.nullable()), z.array(fields)]) })
  .transform(({ each, by }) =>
    Object.entries(by).flatMap(([key, one]) => {
      if (one === null) return [];
      const observer = typeof one['observer'] === 'string' ? one['observer'] : key;
      return [withDelta({ az: ZONES[observer], instanceId: 'i-old', ...each }, { ...one, observer })];
    }),
  )
  .pipe(z.array(OpinionSchema));

const CloudSchema = z.strictObject({
  readAtMs: mono,
  instance: z
    .strictObject({
      state: id,
      stateReasonCode: id.nullable(),
      stateReasonText: id.nullable(),
      launchedAtWallMs: wall,
    })
    .nullable(),
});

const EventSchema = z.strictObject({ code: id, description: z.string(), notBeforeWallMs: wall.nullable() });
const StatusSchema = z.strictObject({
  readAtMs: mono,
  status: z.strictObject({
    ...{ instanceId: id, state: id, system: id, instance: id, attachedEbs: id },
    events: z.array(EventSchema),
  }),
  ebsImpairedSinceMs: mono.nullable(),
});

const CheckSchema = z.strictObject({
  ...{ status: id, code: z.number(), ageSeconds: z.number() },
  failingSinceMs: mono.nullable(),
});
const ABSENT = { status: 'absent', code: 0, ageSeconds: 0, failingSinceMs: null };

/** Results by slot of the heartbeat. A slot that is left out says nothing. */
const ChecksSchema = z
  .partialRecord(z.enum(CHECK_SLOTS), CheckSchema)
  .transform((told) => CHECK_SLOTS.map((slot) => told[slot] ?? ABSENT));

/** Null removes an entry of the base. */
const EntriesSchema = z
  .record(id, id.nullable())
  .transform((told) => Object.entries(told).flatMap(([key, text]): [string, string][] => (text ? [[key, text]] : [])));
/** Live observers with their zones. */
const ObserversSchema = EntriesSchema.transform((zones) => zones.map(([coordinatorId, az]) => ({ coordinatorId, az })));

const EvidenceSchema = z.strictObject({
  ...{ member: memberId, instanceId: id, az: id },
  ...{ observers: ObserversSchema, opinions: OpinionsSchema },
  requirement: z.strictObject({ minimumObservers: z.number(), minimumZones: z.number() }),
  ...{ cloud: CloudSchema.nullable(), cloudStatus: StatusSchema.nullable() },
  workload: z.strictObject({ lastHeardAtMs: mono, checks: ChecksSchema }).nullable(),
  serviceUnreachableSinceMs: mono.nullable().optional(),
});

/**
 * What differs from a fleet of ten with one failure and no past. Only cases about gates need it.
 */
const GuardSchema = z.strictObject({
  ownTrouble: id.optional(),
  fleet: z
    .array(
      z.strictObject({
        ...{ member: memberId, az: id },
        ...{ failedSinceWallMs: wall.nullable(), heard: z.boolean().default(false) },
      }),
    )
    .optional(),
  pauses: z.array(z.strictObject({ scope: id, who: id, why: id, untilWallMs: wall.nullable() })).optional(),
  recoveries: z
    .array(
      z.strictObject({
        ...{ member: memberId, group: id, az: id },
        ...{ startedAtWallMs: wall, endedAtWallMs: wall.nullable() },
      }),
    )
    .optional(),
});

const ExpectSchema = z.strictObject({
  verdict: z.enum(['alive', 'suspect', 'dead', 'unknown', 'left']),
  reasonCode: z.enum(ASSESS_REASONS),
  ...{ act: z.boolean(), degraded: z.boolean(), lookAgainInMs: z.number() },
  /** `none`, `replace` or `hold, reason`, with the gist of its text. */
  decision: id,
  /**
   * By source; the second of one source has a 2 behind it. Each entry has the age, then as far as
   * they exist: weight, `too old`, gist of the text.
   */
  evidence: EntriesSchema.transform(Object.fromEntries<string>),
  /** Gists; `…` stands for a gate without one. */
  wouldFlip: z.array(id),
  /** Gist of the reason. */
  reason: z.string(),
});

const CaseSchema = z.strictObject({
  ...{ name: id, source: id, why: id },
  policy: z.record(z.string(), z.unknown()),
  evidence: EvidenceSchema,
  guard: GuardSchema.optional(),
  expect: ExpectSchema,
  /** Word by word. */
  inFull: z.strictObject({ reason: id, evidence: z.array(id), wouldFlip: z.array(id), decision: id }).optional(),
});
type Case = z.infer<typeof CaseSchema>;

const cases = recordedCases('assess', CaseSchema);

const weighed = ({ ageMs, weight }: EvidenceItem): readonly string[] => [
  ageMs === null ? 'age unknown' : `${ageMs} ms old`,
  ...(weight === 'neutral' ? [] : [weight]),
];
const tooOld = ({ ageMs, freshForMs }: EvidenceItem): boolean =>
  ageMs !== null && freshForMs !== null && ageMs > freshForMs;

const inFull = (one: EvidenceItem): string => `${[one.source, ...weighed(one)].join(', ')}: ${one.text}`;

function inShort(items: readonly EvidenceItem[]): Case['expect']['evidence'] {
  const seen = new Map<string, number>();
  const entries = items.map((one) => {
    const count = (seen.get(one.source) ?? 0) + 1;
    seen.set(one.source, count);
    const said = [...weighed(one), ...(tooOld(one) ? ['too old'] : []), gist(one.text)].filter((part) => part !== '');
    return [count === 1 ? one.source : `${one.source} ${count}`, said.join(', ')];
  });
  return Object.fromEntries(entries);
}

const decisionText = (decision: Explanation['decision'], say: (text: string) => string): string =>
  decision.kind === 'hold' ? `hold, ${decision.reason}: ${say(decision.text)}` : decision.kind;

function answerTo(one: Case): Required<Pick<Case, 'expect' | 'inFull'>> {
  const policy = GroupPolicySchema.parse(one.policy);
  const evidence = { ...one.evidence, wallNowMs: wallMs(WALL) } as MemberEvidence;
  const { member, az, wallNowMs } = evidence;
  const assessment = assess(evidence, policy, NOW);
  const asked = { member, az, wallNowMs, policy, quorum: guardQuorum(assessment, az) };
  const { decision, wouldFlip } = explain(
    assessment,
    guard(guardInput({ ...asked, ...(one.guard as Partial<GuardInput>) })),
    null,
  );
  const { verdict, reasonCode, act, degraded, reason, recheckInMs } = assessment;
  return {
    expect: {
      ...{ verdict, reasonCode, act, degraded, lookAgainInMs: recheckInMs, reason: gist(reason) },
      evidence: inShort(assessment.evidence),
      wouldFlip: wouldFlip.map((text) => gist(text) || '…'),
      decision: decisionText(decision, gist).replace(/: $/, ''),
    },
    inFull: {
      ...{ reason, wouldFlip: [...wouldFlip], decision: decisionText(decision, (text) => text) },
      evidence: assessment.evidence.map(inFull),
    },
  };
}

describe('recorded cases', () => {
  it('are all there, a few of them word by word', () => {
    expect(cases.size).toBeGreaterThanOrEqual(115);
    expect([...cases.values()].filter((one) => one.inFull).length).toBeGreaterThanOrEqual(6);
  });

  it('with a misspelt field are refused', () => {
    const issues = CaseSchema.safeParse({ evidence: { workload: { checks: {}, lastHaerdAtMs: 0 } } }).error?.issues;
    expect(issues).toContainEqual(expect.objectContaining({ code: 'unrecognized_keys', keys: ['lastHaerdAtMs'] }));
  });

  it.each([...cases])('%s', (_, one) => {
    const answer = answerTo(one);
    expect(answer.expect).toEqual(one.expect);
    if (one.inFull) expect(answer.inFull).toEqual(one.inFull);
  });
});
