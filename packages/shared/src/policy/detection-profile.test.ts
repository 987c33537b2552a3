import { describe, expect, it } from 'vitest';
import { GroupPolicySchema } from '../policy.ts';
import { DETECTION_PROFILES, HEARTBEAT_INTERVAL_STEP_MS, PROFILE_NAMES } from './detection-profile.ts';

const timesOf = (detect: object) => {
  const { heartbeatIntervalMs, suspectAfterMs, confirmForMs } = GroupPolicySchema.parse({ detect }).detect;
  return { heartbeatIntervalMs, suspectAfterMs, confirmForMs };
};

describe('a detection profile', () => {
  it.each(PROFILE_NAMES)('%s sets the times that the policy does not write down', (profile) => {
    expect(timesOf({ profile })).toEqual(DETECTION_PROFILES[profile]);
  });

  it('is `default` where none is named', () => {
    expect(GroupPolicySchema.parse({}).detect.profile).toBe('default');
    expect(timesOf({})).toEqual(DETECTION_PROFILES.default);
  });

  it('gives way to a time that is written down', () => {
    expect(timesOf({ profile: 'fast', suspectAfterMs: '4s' })).toEqual({
      ...DETECTION_PROFILES.fast,
      suspectAfterMs: 4_000,
    });
    expect(timesOf({ profile: 'calm', confirmForMs: undefined })).toEqual(DETECTION_PROFILES.calm);
  });

  it('stays what it was when the whole policy is written back', () => {
    const once = GroupPolicySchema.parse({ detect: { profile: 'calm', suspectAfterMs: 9_000 } });
    expect(GroupPolicySchema.parse(structuredClone(once))).toEqual(once);
  });

  it.each([[{ profile: 'quick' }], [{ profile: 7 }], ['fast'], [[]]])('refuses %j', (detect) => {
    expect(GroupPolicySchema.safeParse({ detect }).success).toBe(false);
  });

  it.each(PROFILE_NAMES)(
    '%s hears two heartbeats at least before it suspects, in steps an observer can keep',
    (name) => {
      const { heartbeatIntervalMs, suspectAfterMs } = DETECTION_PROFILES[name];
      expect(suspectAfterMs / heartbeatIntervalMs).toBeGreaterThanOrEqual(5);
      expect(heartbeatIntervalMs % HEARTBEAT_INTERVAL_STEP_MS).toBe(0);
    },
  );
});
