import { GroupPolicySchema } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { CoordinatorConfigSchema } from '../config.ts';
import { policyFaults, slowAgentText } from './policy-limits.ts';

const base = {
  id: 'c1',
  az: 'a',
  udp: { host: 'x' },
  etcd: { hosts: ['http://e:2379'] },
  keys: [{ id: 1, file: 'k' }],
};
const LIMITS = { heartbeatMs: 1_000, warmUpMs: 20_000, tickMs: 250 };

describe('a policy is refused alike, from the configuration and from etcd', () => {
  it.each<[string, object, object, readonly string[]]>([
    ['faster than two heartbeats', { suspectAfterMs: 500 }, {}, ['500', '2000']],
    ['longer than the warm-up', { suspectAfterMs: 30_000 }, {}, ['30000', '20000']],
    ['a confirmation shorter than a tick', { confirmForMs: 300 }, { tickMs: 400 }, ['300', '400']],
    [
      'slower heartbeats than it knows',
      { suspectAfterMs: 5_000, heartbeatIntervalMs: 3_000 },
      { heartbeatMs: 3_000 },
      ['5000', '6000'],
    ],
  ])('%s: with both numbers', (_, policy, over, numbers) => {
    const limits = { ...LIMITS, ...over };
    const faults = policyFaults(GroupPolicySchema.parse({ detect: policy }), limits);
    expect(faults).toHaveLength(1);
    for (const number of numbers) expect(faults[0]?.text).toContain(number);
    const { heartbeatMs, warmUpMs, tickMs } = limits;
    const parsed = CoordinatorConfigSchema.safeParse({
      ...base,
      observer: { heartbeatMs, warmUpMs },
      loop: { tickMs },
      policy: { detect: policy },
    });
    expect(parsed.error?.issues.map((issue) => issue.message)).toEqual(faults.map(({ text }) => text));
  });

  it('one that fits is not', () => {
    expect(policyFaults(GroupPolicySchema.parse({ detect: { profile: 'fast' } }), LIMITS)).toEqual([]);
    expect(policyFaults(GroupPolicySchema.parse({ detect: { profile: 'calm' } }), LIMITS)).toEqual([]);
    expect(policyFaults(GroupPolicySchema.parse({}), LIMITS)).toEqual([]);
    expect(
      policyFaults(GroupPolicySchema.parse({ detect: { suspectAfterMs: 2_000, confirmForMs: 250 } }), LIMITS),
    ).toEqual([]);
  });

  it('one that needs exactly the warm-up is not either', () => {
    const limits = { ...LIMITS, warmUpMs: 20_000 };
    expect(policyFaults(GroupPolicySchema.parse({ detect: { suspectAfterMs: 20_000 } }), limits)).toEqual([]);
  });
});

it('a slow agent is named, with what it is suspected after and why', () => {
  const slow = { member: 'prod/db1', intervalMs: 4_000, suspectAfterMs: 5_000, usedMs: 8_000 };
  expect(slowAgentText(slow)).toBe(
    'the agent of prod/db1 speaks every 4.0 s, its policy suspects after 5.0 s (at least 2 intervals are needed): it is suspected after 8.0 s instead',
  );
});
