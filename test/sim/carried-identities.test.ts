import { expect, test } from 'vitest';
import { SPEED } from '../speeds.ts';
import type { Fault } from './faults/fault.ts';
import { failureOf } from './report.ts';
import { type RunResult, simulate } from './simulation.ts';

const crash = (member: string, atMs: number): Fault => ({
  ...{ id: `crash-${member}`, kind: 'guest-crash', when: { atMs }, forMs: 0, member },
});
/** Neighbours have different things; far enough apart that each is replaced. */
const CRASHES = ['m1', 'm2', 'm3', 'm4'].map((member, index) => crash(member, 45_000 + index * 330_000));

async function run(...faults: readonly Fault[]): Promise<RunResult> {
  const shape = { seed: 5, days: 0.01, members: 4, coordinators: 3, identities: true };
  const result = await simulate({ ...shape, faults: [faults] });
  expect(result.violations, result.violations.length > 0 ? failureOf(result) : '').toEqual([]);
  expect(result.outcomes.map((one) => [one.fault.id, one.result])).toEqual(faults.map(({ id }) => [id, 'happened']));
  return result;
}

test('everything that a member is known by follows it, and its hooks run', async () => {
  const { tally } = await run(...CRASHES);
  expect(tally.recoveriesFinished).toBe(4);
  expect(Object.fromEntries(tally.moved)).toEqual({
    ...{ address: 2, target: 2, record: 2, prefix: 1, secondary: 1, ipv6: 1, interface: 1 },
  });
  expect(tally.hooksBegun).toBeGreaterThanOrEqual(16);
});

const ACTIONS = [
  ...['AssignPrivateIpAddresses', 'UnassignPrivateIpAddresses', 'AssignIpv6Addresses', 'UnassignIpv6Addresses'],
  ...['AttachNetworkInterface', 'DetachNetworkInterface', 'route53:ChangeResourceRecordSets'],
  ...['elasticloadbalancing:RegisterTargets', 'elasticloadbalancing:DeregisterTargets'],
];

const KINDS = ['api-throttle', 'api-lost-reply', 'api-late-landing'] as const;
const SHIFTS = process.env[SPEED] === 'short' ? [1] : [0, 1, 2];

test.each(SHIFTS)(
  'also where the first call of each kind is throttled, loses its reply or lands late (%i)',
  async (shift) => {
    const struck = ACTIONS.map((action, index): Fault => {
      const fault = { id: action, when: { atMs: 45_000 }, forMs: 1_300_000, action, times: 1 };
      const kind = KINDS[(index + shift) % KINDS.length] ?? 'api-throttle';
      return kind === 'api-late-landing' ? { ...fault, kind, byMs: 60_000 } : { ...fault, kind };
    });
    const { tally } = await run(...CRASHES, ...struck);
    expect(tally.recoveriesFinished).toBe(4);
  },
);

test('a record that a person points at the replaced instance by mistake is pointed back', async () => {
  const when = { atMs: 700_000 };
  await run(crash('m2', 45_000), {
    ...{ id: 'mistake', kind: 'operator-moves-record', when, forMs: 0, member: 'm2', to: 'retired' },
  });
});
