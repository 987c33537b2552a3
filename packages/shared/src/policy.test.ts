import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, GroupPolicySchema } from './policy.ts';

describe('the default policy', () => {
  it('is what the design promises', () => {
    expect(DEFAULT_POLICY).toMatchObject({
      detect: { suspectAfterMs: 5_000, confirmForMs: 3_000, degradedFailsAfterMs: 0, recoverOperatorStops: false },
      guard: { cooldownMs: 600_000, whenZoneLost: 'hold' },
      recover: {
        strategy: 'snapshot-and-replace',
        fenceSkipOsShutdown: true,
        placements: [],
        maxLaunchAttempts: 3,
      },
      ...{ identity: {}, backup: {}, standby: {}, drill: {}, hooks: {}, notify: {} },
    });
  });

  it('accepts itself: every default lies within its limits', () => {
    expect(GroupPolicySchema.parse(DEFAULT_POLICY)).toEqual(DEFAULT_POLICY);
  });

  it('waits longer for a replacement to settle than settling takes', () => {
    expect(DEFAULT_POLICY.recover.verifyTimeoutMs).toBeGreaterThan(DEFAULT_POLICY.recover.settleMs);
    expect(DEFAULT_POLICY.guard.flapWindowMs).toBeGreaterThan(
      DEFAULT_POLICY.guard.cooldownMs * DEFAULT_POLICY.guard.flapLimit,
    );
  });
});

describe('a group policy', () => {
  it('takes the defaults for what it does not say', () => {
    expect(GroupPolicySchema.parse({ recover: { settleMs: 10 } })).toEqual({
      ...DEFAULT_POLICY,
      recover: { ...DEFAULT_POLICY.recover, settleMs: 10 },
    });
  });

  it('refuses unknown keys, fractions and values beyond the limits', () => {
    for (const wrong of [
      { recover: { settleMS: 10 } },
      { recover: { settleMs: 1.5 } },
      { detect: { suspectAfterMs: 499 } },
      { detect: { suspectAfterMs: 600_001 } },
      { recover: { maxLaunchAttempts: 0 } },
      { recover: { strategy: 'restart' } },
      { recover: { placements: [{ subnetId: '' }] } },
      { detect: { cooldownMs: 10 } },
      { settleMs: 10 },
      { notify: { settleMs: 10 } },
    ]) {
      expect(GroupPolicySchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });
});

describe('a policy stored before a field existed', () => {
  it('loads with the default of that field: no window, and a lost zone is held', () => {
    const { maintenanceWindows, whenZoneLost, ...guard } = DEFAULT_POLICY.guard;
    expect([maintenanceWindows, whenZoneLost]).toEqual([[], 'hold']);
    expect(GroupPolicySchema.parse({ ...DEFAULT_POLICY, guard })).toEqual(DEFAULT_POLICY);
  });
  it('loads with all defaults of a section that it does not have', () => {
    for (const section of Object.keys(DEFAULT_POLICY))
      expect(GroupPolicySchema.parse({ ...DEFAULT_POLICY, [section]: undefined })).toEqual(DEFAULT_POLICY);
  });
});

describe('what to do when a zone is lost', () => {
  it('recover needs somewhere else to go, and says so with the number', () => {
    const { error } = GroupPolicySchema.safeParse({ guard: { whenZoneLost: 'recover' } });
    expect(error?.issues[0]?.message).toContain('guard.whenZoneLost = recover with 0 recover.placements, at least 1');
    const placements = [{ subnetId: 'subnet-b' }];
    expect(
      GroupPolicySchema.parse({ guard: { whenZoneLost: 'recover' }, recover: { placements } }).guard.whenZoneLost,
    ).toBe('recover');
  });
});

it('changes the primary private address unless it is told otherwise', () => {
  for (const primaryAddress of ['keep', 'follow'])
    expect(GroupPolicySchema.parse({ identity: { primaryAddress } }).identity.primaryAddress).toBe(primaryAddress);
  expect(GroupPolicySchema.parse({}).identity.primaryAddress).toBe('may-change');
  expect(GroupPolicySchema.safeParse({ identity: { primaryAddress: 'take' } }).success).toBe(false);
});
