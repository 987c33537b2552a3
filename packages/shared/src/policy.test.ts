import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, GroupPolicySchema } from './policy.ts';

describe('the default policy', () => {
  it('is what the design promises', () => {
    expect(DEFAULT_POLICY).toMatchObject({
      strategy: 'snapshot-and-replace',
      suspectAfterMs: 5_000,
      confirmForMs: 3_000,
      degradedFailsAfterMs: 0,
      recoverOperatorStops: false,
      fenceSkipOsShutdown: true,
      placements: [],
      maxLaunchAttempts: 3,
    });
  });

  it('accepts itself: every default lies within its limits', () => {
    expect(GroupPolicySchema.parse(DEFAULT_POLICY)).toEqual(DEFAULT_POLICY);
  });

  it('waits longer for a replacement to settle than settling takes', () => {
    expect(DEFAULT_POLICY.verifyTimeoutMs).toBeGreaterThan(DEFAULT_POLICY.settleMs);
    expect(DEFAULT_POLICY.flapWindowMs).toBeGreaterThan(DEFAULT_POLICY.cooldownMs * DEFAULT_POLICY.flapLimit);
  });
});

describe('a group policy', () => {
  it('takes the defaults for what it does not say', () => {
    expect(GroupPolicySchema.parse({ settleMs: 10 })).toEqual({ ...DEFAULT_POLICY, settleMs: 10 });
  });

  it('refuses unknown keys, fractions and values beyond the limits', () => {
    for (const wrong of [
      { settleMS: 10 },
      { settleMs: 1.5 },
      { suspectAfterMs: 499 },
      { suspectAfterMs: 600_001 },
      { maxLaunchAttempts: 0 },
      { strategy: 'restart' },
      { placements: [{ subnetId: '' }] },
    ]) {
      expect(GroupPolicySchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });
});

describe('a policy stored before a field existed', () => {
  it('loads with the default of that field: no window, and a lost zone is held', () => {
    const { maintenanceWindows, whenZoneLost, ...stored } = DEFAULT_POLICY;
    expect([maintenanceWindows, whenZoneLost]).toEqual([[], 'hold']);
    expect(GroupPolicySchema.parse(JSON.parse(JSON.stringify(stored)))).toEqual(DEFAULT_POLICY);
  });
});

describe('what to do when a zone is lost', () => {
  it('recover needs somewhere else to go, and says so with the number', () => {
    const { error } = GroupPolicySchema.safeParse({ whenZoneLost: 'recover' });
    expect(error?.issues[0]?.message).toContain('whenZoneLost = recover with 0 placements, at least 1');
    const placements = [{ subnetId: 'subnet-b' }];
    expect(GroupPolicySchema.parse({ whenZoneLost: 'recover', placements }).whenZoneLost).toBe('recover');
  });
});
