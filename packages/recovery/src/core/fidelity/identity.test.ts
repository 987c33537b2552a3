import type { CloudAddress } from '@understudy/shared';
import { type PolicyChange, policyWith } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { instanceFixture, OLD_INSTANCE_ID, planInputFixture } from '../plan.fixture.ts';
import { makePlan } from '../plan.ts';
import type { PlanInput } from '../plan-input.ts';

const OWN = 'subnet-a';
const [first] = instanceFixture().networkInterfaces;
if (!first) throw new Error('fixture without an interface');
const holders = [{ instanceId: OLD_INSTANCE_ID, networkInterfaceId: first.networkInterfaceId }];
const further = { ...first, networkInterfaceId: 'eni-2', attachmentId: 'eni-attach-2', deviceIndex: 1 };
const rawFirst = { NetworkInterfaceId: first.networkInterfaceId, Attachment: { DeviceIndex: 0 } };

const withAll = (more: object = {}, second: object = {}): Partial<PlanInput> => ({
  instance: instanceFixture(
    { networkInterfaces: [first, further] },
    {
      NetworkInterfaces: [
        {
          ...rawFirst,
          PrivateIpAddresses: [
            { Primary: true, PrivateIpAddress: first.privateIp },
            { Primary: false, PrivateIpAddress: '10.0.1.50' },
          ],
          Ipv6Addresses: [{ Ipv6Address: '2001:db8::5' }, { Ipv6Address: '2001:db8::6', IsPrimaryIpv6: true }],
          Ipv4Prefixes: [{ Ipv4Prefix: '10.0.1.64/28' }],
          Ipv6Prefixes: [{ Ipv6Prefix: '2001:db8:0:1::/80' }],
          ...more,
        },
        { NetworkInterfaceId: 'eni-2', Attachment: { DeviceIndex: 1 }, ...second },
      ],
    },
  ),
});

function planOf(change: Partial<PlanInput>, policy: PolicyChange = {}) {
  const made = makePlan({ ...planInputFixture(), ...change }, policyWith(policy));
  if (made.kind === 'blocked') return { problems: made.problems.map((one) => one.code), plan: null, losses: null };
  return { problems: [], plan: made.plan, losses: new Map(made.plan.losses.map((one) => [one.code, one.text])) };
}
const placements = (...subnetIds: readonly string[]): PolicyChange => ({
  recover: { placements: subnetIds.map((subnetId) => ({ subnetId })) },
});

describe('what follows a member', () => {
  test('is everything on its primary interface, from there only, and further interfaces whole', () => {
    const { plan, losses } = planOf(withAll());
    expect(plan?.assigned).toEqual([
      { kind: 'secondary-ip', address: '10.0.1.50', subnetId: OWN, holders },
      { kind: 'ipv6-address', address: '2001:db8::5', subnetId: OWN, holders },
      { kind: 'ipv4-prefix', address: '10.0.1.64/28', subnetId: OWN, holders },
      { kind: 'ipv6-prefix', address: '2001:db8:0:1::/80', subnetId: OWN, holders },
    ]);
    expect(plan?.interfaces).toMatchObject([{ networkInterfaceId: 'eni-2', az: 'us-east-1a', deviceIndex: 1 }]);
    // EC2 does not take a primary IPv6 address off its interface.
    expect(losses?.get('Ipv6AddressesLost')).toContain('1 IPv6 addresses are not moved');
    for (const code of ['SecondaryPrivateIpsLost', 'PrefixesLost', 'ExtraNetworkInterfacesLost'])
      expect(losses?.has(code)).toBe(false);
  });

  test('is what the policy names', () => {
    const { plan, losses } = planOf(withAll(), { identity: { carry: ['prefixes'] } });
    expect(plan?.assigned?.map((one) => one.kind)).toEqual(['ipv4-prefix', 'ipv6-prefix']);
    expect(plan?.interfaces).toBeUndefined();
    expect(losses?.get('SecondaryPrivateIpsLost')).toContain('identity.carry');
  });

  test('is nothing while builds are in force that would leave it behind without a word', () => {
    const { plan, losses } = planOf({ ...withAll(), level: 1 });
    expect([plan?.assigned, plan?.interfaces]).toEqual([undefined, undefined]);
    expect(losses?.get('ExtraNetworkInterfacesLost')).toContain('feature level 2 is not in force');
  });

  test('is, of further interfaces, no special one', () => {
    for (const second of [{ InterfaceType: 'efa' }, { InterfaceType: 'trunk' }]) {
      const { plan, losses } = planOf(withAll({}, second));
      expect(plan?.interfaces).toBeUndefined();
      expect(losses?.get('ExtraNetworkInterfacesLost')).toContain('eni-2');
    }
  });

  test('and can follow to some placements only is told beforehand as a loss there', () => {
    const { plan, losses } = planOf(withAll(), placements(OWN, 'subnet-b'));
    expect(plan?.assigned).toHaveLength(4);
    expect(losses?.get('SecondaryPrivateIpsLost')).toContain('lost where the replacement is in subnet-b');
    expect(losses?.get('ExtraNetworkInterfacesLost')).toContain('lost where the replacement is in us-east-1b');
  });

  test('and can follow to no placement is lost, and not tried', () => {
    const { plan, losses } = planOf(withAll(), placements('subnet-b'));
    expect([plan?.assigned, plan?.interfaces]).toEqual([undefined, undefined]);
    expect(losses?.get('PrefixesLost')).toContain('no placement is in subnet-a');
    expect(losses?.get('ExtraNetworkInterfacesLost')).toContain('no placement is in us-east-1a');
  });

  test('refuses the recovery where the policy insists on it and a placement could not take it', () => {
    const insists = { identity: { mustFollow: ['secondary-ips', 'interfaces'] } } satisfies PolicyChange;
    expect(planOf(withAll(), { ...insists, ...placements(OWN, 'subnet-b') }).problems).toEqual([
      'SecondaryIpsMustFollow',
      'InterfacesMustFollow',
    ]);
    expect(planOf(withAll(), insists).problems).toEqual([]);
  });
});

describe('an Elastic IP', () => {
  const [given] = planInputFixture().addresses;
  const on = (change: Partial<CloudAddress>): Partial<PlanInput> => ({
    ...withAll(),
    addresses: given ? [{ ...given, ...change }] : [],
  });
  test('on the primary address goes to the primary address', () => {
    for (const privateIp of [first.privateIp, null])
      expect(planOf(on({ privateIp })).plan?.addresses[0]).not.toHaveProperty('target');
  });
  test('on a secondary address goes to the same one, after it', () => {
    const { plan } = planOf(on({ privateIp: '10.0.1.50' }));
    expect(plan?.addresses[0]?.target).toEqual({ networkInterfaceId: null, privateIp: '10.0.1.50' });
  });
  test('on a further interface stays there, and moves with it', () => {
    const { plan } = planOf(on({ networkInterfaceId: 'eni-2', privateIp: '10.0.1.11' }));
    expect(plan?.addresses[0]?.target).toEqual({ networkInterfaceId: 'eni-2', privateIp: '10.0.1.11' });
  });
  test('on what does not move does not move', () => {
    const { plan, losses } = planOf(on({ privateIp: '10.0.1.50' }), { identity: { carry: [] } });
    expect(plan?.addresses).toEqual([]);
    expect(losses?.get('AddressesNotMoved')).toContain('203.0.113.7');
  });
});
