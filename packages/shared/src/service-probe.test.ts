import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, GroupPolicySchema } from './policy.ts';
import { probeName, ServiceProbeSchema, statusPasses } from './service-probe.ts';

const messages = (detect: object): string[] =>
  GroupPolicySchema.safeParse({ detect }).error?.issues.map((issue) => issue.message) ?? [];
const tcp = { kind: 'tcp', port: 5_432 } as const;

describe('a service probe', () => {
  it('takes the documented defaults', () => {
    expect(ServiceProbeSchema.parse(tcp)).toEqual({ ...tcp, intervalMs: 5_000, timeoutMs: 1_000, rise: 2, fall: 3 });
    expect(ServiceProbeSchema.parse({ kind: 'tls', port: 636 })).toMatchObject({ verify: true, warnExpiryDays: 14 });
    expect(ServiceProbeSchema.parse({ kind: 'http', port: 80 })).toMatchObject({
      path: '/',
      tls: false,
      expectStatus: ['200-299'],
    });
  });

  it('is called by its kind and port unless it has a name', () => {
    expect(probeName(ServiceProbeSchema.parse(tcp))).toBe('tcp-5432');
    expect(probeName(ServiceProbeSchema.parse({ ...tcp, name: 'postgres' }))).toBe('postgres');
  });

  it.each([
    [{ kind: 'udp', port: 1 }],
    [{ kind: 'tcp', port: 0 }],
    [{ kind: 'tcp', port: 65_536 }],
    [{ ...tcp, path: '/' }],
    [{ ...tcp, name: 'Postgres' }],
    [{ ...tcp, fall: 1 }],
    [{ ...tcp, intervalMs: 999 }],
    [{ kind: 'http', port: 80, path: 'health' }],
    [{ kind: 'http', port: 80, path: '/a b' }],
    [{ kind: 'http', port: 80, path: '/a\r\nX: y' }],
    [{ kind: 'http', port: 80, expectStatus: [] }],
    [{ kind: 'http', port: 80, expectStatus: ['299-200'] }],
    [{ kind: 'http', port: 80, bodyContains: 'x'.repeat(257) }],
    [{ kind: 'tls', port: 443, serverName: '10.0.0.1' }],
    [{ kind: 'tls', port: 443, serverName: 'a\r\nb' }],
    [{ kind: 'tls', port: 443, verify: false, caFile: '/ca.pem' }],
    [{ kind: 'http', port: 80, caFile: '/ca.pem' }],
  ])('%j is refused', (probe) => {
    expect(ServiceProbeSchema.safeParse(probe).success).toBe(false);
  });

  it('statuses and ranges, both ends included', () => {
    const expected = [204, '300-302'];
    expect([200, 204, 299, 300, 302, 303].filter((status) => statusPasses(status, expected))).toEqual([204, 300, 302]);
  });
});

describe('the rules between fields refuse with both numbers', () => {
  it.each([
    [{ serviceProbes: [{ ...tcp, intervalMs: 1_000 }] }, 'timeoutMs 1000 must be shorter than intervalMs 1000'],
    [
      { confirmForMs: 1_999, serviceProbes: [tcp] },
      'timeoutMs 1000 of tcp-5432 must fit twice into detect.confirmForMs 1999',
    ],
    [
      { serviceFailsAfterMs: 14_999, serviceProbes: [tcp] },
      'detect.serviceFailsAfterMs 14999 must be at least fall × intervalMs of tcp-5432, which is 15000',
    ],
    [
      { serviceFailsAfterMs: 60_000 },
      'detect.serviceFailsAfterMs is 60000, but there are 0 detect.serviceProbes to act on',
    ],
    [{ serviceProbes: [tcp, tcp] }, 'detect.serviceProbes 0 and 1 are both called tcp-5432'],
  ])('%j', (policy, message) => {
    expect(messages(policy)).toContain(message);
  });

  it('more than four probes are refused', () => {
    const five = [1, 2, 3, 4, 5].map((port) => ({ ...tcp, port }));
    expect(messages({ serviceProbes: five })).not.toEqual([]);
    expect(messages({ serviceProbes: five.slice(1) })).toEqual([]);
  });

  it('a policy that names no probes has none', () => {
    const { serviceProbes: _p, serviceFailsAfterMs: _f, answeredProbesHoldForMs: _a, ...old } = DEFAULT_POLICY.detect;
    expect(GroupPolicySchema.parse({ detect: old })).toEqual(DEFAULT_POLICY);
    expect(DEFAULT_POLICY.detect).toMatchObject({ serviceProbes: [], serviceFailsAfterMs: 0 });
  });
});
