import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GroupPolicySchema, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';
import type { Assessment, EvidenceItem, MemberEvidence } from './evidence.ts';
import { explain } from './explain.ts';
import { guard } from './guard.ts';
import type { GuardInput } from './guard-input.ts';
import { guardInput } from './judge.fixtures.ts';
import { guardQuorum } from './quorum.ts';

/** `test/fixtures/assess/<case>/case.json`: evidence in, verdict and explanation out, with the incident it comes from. */
interface Case {
  readonly title: string;
  readonly source: string;
  readonly policy: object;
  readonly nowMs: number;
  readonly evidence: MemberEvidence;
  /** Where the gates matter: what differs from a fleet of ten with one failure and no past. */
  readonly guard?: Partial<GuardInput>;
  readonly expect: Pick<Assessment, 'verdict' | 'reasonCode' | 'act' | 'degraded' | 'reason'> & {
    readonly lookAgainInMs: number;
    /** `source, age: text`, with the weight where it has one. */
    readonly evidence: readonly string[];
    readonly wouldFlip: readonly string[];
    readonly decision: string;
  };
}

const FOLDER = join(import.meta.dirname, '../../../../../test/fixtures/assess');
const cases = readdirSync(FOLDER).map((name) => {
  const text = readFileSync(join(FOLDER, name, 'case.json'), 'utf8');
  return [name, JSON.parse(text) as Case] as const;
});

const line = ({ source, ageMs, weight, text }: EvidenceItem): string =>
  `${source}, ${ageMs === null ? 'age unknown' : `${ageMs} ms old`}${weight === 'neutral' ? '' : `, ${weight}`}: ${text}`;

function answerTo(one: Case): Case['expect'] {
  const policy = GroupPolicySchema.parse(one.policy);
  const { member, az, wallNowMs } = one.evidence;
  const assessment = assess(one.evidence, policy, monotonicMs(one.nowMs));
  const asked = { member, az, wallNowMs, policy, quorum: guardQuorum(assessment, az) };
  const { decision, wouldFlip } = explain(assessment, guard(guardInput({ ...asked, ...one.guard })), null);
  const { verdict, reasonCode, act, degraded, reason, recheckInMs } = assessment;
  return {
    ...{ verdict, reasonCode, act, degraded, reason, wouldFlip },
    lookAgainInMs: recheckInMs,
    evidence: assessment.evidence.map(line),
    decision: decision.kind === 'hold' ? `hold, ${decision.reason}: ${decision.text}` : decision.kind,
  };
}

describe('recorded cases', () => {
  it('are all there', () => {
    expect(cases.length).toBeGreaterThanOrEqual(85);
  });

  it.each(cases)('%s', (_, one) => {
    expect(answerTo(one)).toEqual(one.expect);
  });
});
