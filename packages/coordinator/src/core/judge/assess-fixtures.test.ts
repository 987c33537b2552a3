import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GroupPolicySchema, monotonicMs } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { assess } from './assess.ts';
import type { Assessment, MemberEvidence } from './evidence.ts';

/** `test/fixtures/assess/<case>/case.json`: evidence in, verdict and reason out, with the incident it comes from. */
interface Case {
  readonly title: string;
  readonly source: string;
  readonly policy: object;
  readonly nowMs: number;
  readonly evidence: MemberEvidence;
  readonly expect: Pick<Assessment, 'verdict' | 'reasonCode' | 'act' | 'degraded'> & { readonly reason: string };
}

const FOLDER = join(import.meta.dirname, '../../../../../test/fixtures/assess');
const cases = readdirSync(FOLDER).map((name) => {
  const text = readFileSync(join(FOLDER, name, 'case.json'), 'utf8');
  return [name, JSON.parse(text) as Case] as const;
});

describe('recorded cases', () => {
  it('are all there', () => {
    expect(cases.length).toBeGreaterThanOrEqual(25);
  });

  it.each(cases)('%s', (_, one) => {
    const { verdict, reasonCode, act, degraded, reason } = assess(
      one.evidence,
      GroupPolicySchema.parse(one.policy),
      monotonicMs(one.nowMs),
    );
    expect({ verdict, reasonCode, act, degraded, reason }).toEqual(one.expect);
  });
});
