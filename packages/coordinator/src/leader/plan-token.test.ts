import { readFileSync } from 'node:fs';
import { IntentRecordSchema, type PlannedVolume, type RecoveryPlan } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { planToken } from './plan-token.ts';

const KEPT = new URL('../../../../test/fixtures/records/intent.v1.1.json', import.meta.url);
const Kept = z.tuple([z.object({ record: IntentRecordSchema })], z.unknown());
const [{ record }] = Kept.parse(JSON.parse(readFileSync(KEPT, 'utf8')));
const PLAN: RecoveryPlan = record.plan;
const withVolumes = (change: Partial<PlannedVolume>): RecoveryPlan => ({
  ...PLAN,
  volumes: PLAN.volumes.map((volume) => ({ ...volume, ...change })),
});
const chosen = (reason: string) =>
  withVolumes({ choice: { reason: 'the fastest', rejected: [{ path: 'latest-snapshot', reason }] } });

describe('the token of a plan', () => {
  it('is another one for another recovery, another activation, and another deed', () => {
    const tokens = [
      planToken('op-1', 7, PLAN),
      planToken('op-2', 7, PLAN),
      planToken('op-1', 8, PLAN),
      planToken('op-1', 7, withVolumes({ sizeGiB: 9_999 })),
      planToken('op-1', 7, withVolumes({ path: 'copy' })),
    ];
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(tokens.every((token) => /^[0-9a-f]{16}$/.test(token))).toBe(true);
  });

  it('stays when only the age of a reason has changed', () => {
    expect(planToken('op-1', 7, chosen('snap-1 is 3 h old'))).toBe(planToken('op-1', 7, chosen('snap-1 is 4 h old')));
    const rung = { rung: 'reboot', said: 'skipped' as const, why: '' };
    const laddered = (why: string): RecoveryPlan => ({ ...PLAN, ladder: [{ ...rung, why }] });
    expect(planToken('op-1', 7, laddered('2 s ago'))).toBe(planToken('op-1', 7, laddered('3 s ago')));
  });
});
