import type { CarriedIdentity } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { instanceFixture } from '../plan.fixture.ts';
import type { PlanInput } from '../plan-input.ts';

const eni = (members: Record<string, unknown>): Partial<PlanInput> => ({
  instance: instanceFixture(
    {},
    { NetworkInterfaces: [{ NetworkInterfaceId: 'eni-1', Attachment: { DeviceIndex: 0 }, ...members }] },
  ),
});

const FOLLOW: PolicyChange = { identity: { primaryAddress: 'follow' } };
const followIn = (...subnetIds: readonly string[]): PolicyChange => ({
  ...FOLLOW,
  recover: { placements: subnetIds.map((subnetId) => ({ subnetId })) },
});

export const mustFollow = (kind: CarriedIdentity): PolicyChange => ({ identity: { carry: [], mustFollow: [kind] } });
const SECONDARY = eni({
  PrivateIpAddresses: [{ Primary: true }, { Primary: false, PrivateIpAddress: '10.0.1.9' }],
});
const IPV6 = eni({ Ipv6Addresses: [{ Ipv6Address: '2001:db8::1' }] });
const PREFIXED = eni({ Ipv4Prefixes: [{ Ipv4Prefix: '10.0.1.16/28' }] });
export const NOTHING_CARRIED: PolicyChange = { identity: { carry: [] } };

export const TRACKED = eni({ ConnectionTrackingConfiguration: { TcpEstablishedTimeout: 60 } });

/** What an interface has that does not follow. */
export const INTERFACE_LOST: Readonly<Record<string, readonly [Partial<PlanInput>, PolicyChange]>> = {
  PredecessorEnds: [{}, FOLLOW],
  PlacementLosesPrimaryAddress: [{}, followIn('subnet-a', 'subnet-b')],
  SecondaryPrivateIpsLost: [eni({ PrivateIpAddresses: [{ Primary: true }, { Primary: false }] }), {}],
  Ipv6AddressesLost: [IPV6, NOTHING_CARRIED],
  PrefixesLost: [PREFIXED, NOTHING_CARRIED],
  InterfaceTypeLost: [eni({ InterfaceType: 'trunk' }), {}],
  ConnectionTrackingLost: [{ ...TRACKED, level: 1 }, {}],
};

/** What refuses a recovery because the policy insists on it. */
export const MUST_FOLLOW: Readonly<Record<string, readonly [Partial<PlanInput>, PolicyChange]>> = {
  PrimaryAddressMustStay: [{}, { identity: { primaryAddress: 'keep' } }],
  PrimaryAddressCannotFollow: [{ level: 1 }, FOLLOW],
  PlacementLosesPrimaryAddress: [{}, followIn('subnet-b')],
  SecondaryIpsMustFollow: [SECONDARY, mustFollow('secondary-ips')],
  Ipv6MustFollow: [IPV6, mustFollow('ipv6-addresses')],
  PrefixesMustFollow: [PREFIXED, mustFollow('prefixes')],
};

const follows = (input: Partial<PlanInput>, kind: string, address: string) => [
  { example: [input] as const, shows: { plan: { assigned: [{ kind, address }] } } },
];

/** What is assigned to the primary interface, by the number of its row. */
export const FOLLOWS = {
  6: [
    {
      example: [{}, FOLLOW] as const,
      shows: { plan: { primaryAddress: { address: '10.0.1.10', subnetId: 'subnet-a' } } },
    },
  ],
  7: follows(SECONDARY, 'secondary-ip', '10.0.1.9'),
  8: follows(IPV6, 'ipv6-address', '2001:db8::1'),
  9: follows(PREFIXED, 'ipv4-prefix', '10.0.1.16/28'),
};
