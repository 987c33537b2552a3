import { describe, expect, test } from 'vitest';
import { mendProgress, type MendSeen } from './mend-progress.ts';

const POLICY = { recover: { settleMs: 3_000 }, detect: { suspectAfterMs: 5_000 } };
const heard = { lastHeardAtMs: 60_000, passingSinceMs: 50_000, bootEpoch: 8n };
const seen: MendSeen = {
  ...{ instance: { state: 'running' }, heartbeat: heard, bootEpochBefore: 7n, serviceFault: null, nowMs: 60_500 },
};
const kindOf = (over: Partial<MendSeen>) => mendProgress({ ...seen, ...over }, POLICY).kind;

describe('a member that is to come back on the instance it has', () => {
  test('is mended once heartbeats of a later boot have passed for the time to settle', () => {
    expect(kindOf({})).toBe('mended');
    expect(mendProgress({ ...seen, nowMs: 52_000 }, POLICY)).toMatchObject({ kind: 'wait', againInMs: 1_000 });
  });

  test.each<[string, Partial<MendSeen>]>([
    ['the boot that failed', { heartbeat: { ...heard, bootEpoch: 7n } }],
    ['an earlier boot than that', { heartbeat: { ...heard, bootEpoch: 6n } }],
    ['nobody at all', { heartbeat: null }],
    ['one that has fallen silent again', { nowMs: 65_000 }],
    ['one whose checks fail', { heartbeat: { ...heard, passingSinceMs: null } }],
    ['one whose services do not pass', { serviceFault: 'tcp 5432: refused' }],
  ])('is not mended by a word of %s', (_, over) => {
    expect(kindOf(over)).toBe('wait');
  });

  test.each(['stopping', 'stopped', 'shutting-down', 'terminated'] as const)(
    'that EC2 shows as %s is not coming back, whatever was heard',
    (state) => expect(kindOf({ instance: { state } })).toBe('not-mended'),
  );
});
