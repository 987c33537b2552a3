import { carriedTags, limitTags } from '../launch-tags.ts';
import type { PlanInput } from '../plan-input.ts';
import { flagOf, numberOf, rawListOf, rawOf, textOf } from '@understudy/shared';
import { assignedLoss, assignedOf, interfacesLoss, interfacesOf, mustFollow, targetOf } from './identity.ts';
import { primaryInterfaceOf, rawPrimaryInterfaceOf } from './primary-interface.ts';
import {
  cannotFollow,
  followingOf,
  predecessorEnds,
  primaryAddressLoss,
  primaryAddressMustStay,
} from './primary-address.ts';
import { skippedWith } from './placement-rules.ts';
import { isPutBackAt } from './put-back-level.ts';
import { type Circumstances, type FidelityTheme, when } from './row.ts';

const countOf = (value: unknown): number => rawListOf(value).length;

/** The primary interface of the instance as DescribeNetworkInterfaces shows it. */
const describedPrimary = ({ instance, networkInterfaces }: PlanInput) =>
  networkInterfaces.find((one) => one.networkInterfaceId === primaryInterfaceOf(instance)?.networkInterfaceId);

/** A primary interface of these types can be made for a launch. Others belong to a service. */
const MADE: ReadonlySet<string> = new Set(['efa']);

const typeOf = ({ instance }: PlanInput): string =>
  textOf(rawPrimaryInterfaceOf(instance).InterfaceType) ?? 'interface';

const carriedTypeOf = (input: PlanInput): string | undefined => (MADE.has(typeOf(input)) ? typeOf(input) : undefined);

/** Timeouts that differ from EC2's own. Undefined: none. */
function trackingOf({ instance }: PlanInput): Record<string, number> | undefined {
  const seen = rawOf(rawPrimaryInterfaceOf(instance).ConnectionTrackingConfiguration);
  const found = ['TcpEstablishedTimeout', 'UdpStreamTimeout', 'UdpTimeout'].flatMap((name): [string, number][] => {
    const seconds = numberOf(seen[name]);
    return seconds === null ? [] : [[name, seconds]];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

function interfaceTypeLost({ input, placements }: Circumstances): string | null {
  const type = typeOf(input);
  if (type === 'interface') return null;
  if (carriedTypeOf(input) === undefined || !isPutBackAt(input.level))
    return `the primary interface is of type ${type}; the new one is plain`;
  const isOther = placements.candidates.some((one) => one.instanceType !== input.instance.instanceType);
  return when(isOther, `at candidates of another type the primary interface is plain, and not of type ${type}`);
}

/** Undefined: DNS answers for its address only. */
function dnsRecordsOf({ instance }: PlanInput): { readonly a: boolean; readonly aaaa: boolean } | undefined {
  const options = rawOf(instance.raw.PrivateDnsNameOptions);
  const [a, aaaa] = [flagOf(options.EnableResourceNameDnsARecord), flagOf(options.EnableResourceNameDnsAAAARecord)];
  return a || aaaa ? { a, aaaa } : undefined;
}

const ELSEWHERE = skippedWith([
  {
    code: 'PlacementLosesPrimaryAddress',
    remedy: 'Name its own subnet in `recover.placements` of the policy; or set identity.primaryAddress to may-change.',
  },
]);

const MUST_FOLLOW = 'Name placements in its subnet (its zone) only, or take the kind out of identity.mustFollow.';

export const NETWORK: FidelityTheme = {
  theme: 'Network',
  rows: [
    {
      number: 6,
      attribute: 'primary private IPv4',
      read: [
        'Instance.PrivateIpAddress',
        'Instance.PrivateDnsName',
        'Instance.NetworkInterfaces[].PrivateIpAddress',
        'Instance.NetworkInterfaces[].PrivateDnsName',
        'Instance.NetworkInterfaces[].MacAddress',
      ],
      carry: { plan: { primaryAddress: followingOf } },
      reapply: [{ step: 'permit', call: 'CreateNetworkInterface', planned: 'primaryAddress' }],
      loss: [
        {
          code: 'PrivateIpChanges',
          text: primaryAddressLoss,
        },
        { code: 'PredecessorEnds', text: predecessorEnds },
        ...ELSEWHERE.loss,
      ],
      notice: ELSEWHERE.notice,
      refuse: [
        ...ELSEWHERE.refuse,
        {
          code: 'PrimaryAddressCannotFollow',
          text: cannotFollow,
          remedy: 'Upgrade every coordinator; or set identity.primaryAddress to may-change.',
        },
        {
          code: 'PrimaryAddressMustStay',
          text: primaryAddressMustStay,
          remedy:
            'Let the policy take a way that keeps the instance (reboot, stop-start); or set identity.primaryAddress to may-change, and put what clients connect to on an Elastic IP, a secondary address, a further interface, a record or a target group.',
        },
      ],
      why: 'The old interface stays on the stopped instance, which keeps its address until it is terminated. With `identity.primaryAddress: follow` that is done before the launch, once the data is secured (S32), and the permit is made with the address.',
    },
    {
      number: 7,
      attribute: 'secondary private IPv4s',
      read: ['Instance.NetworkInterfaces[].PrivateIpAddresses[]'],
      carry: { plan: { assigned: assignedOf } },
      reapply: [{ step: 'secondary', call: 'AssignPrivateIpAddresses', planned: 'assigned' }],
      loss: [{ code: 'SecondaryPrivateIpsLost', text: (from) => assignedLoss(from, 'secondary-ips') }],
      refuse: [
        { code: 'SecondaryIpsMustFollow', text: (from) => mustFollow(from, 'secondary-ips'), remedy: MUST_FOLLOW },
      ],
      why: "They are taken off the old interface and assigned to the new one, which must be in the same subnet. That they are there is EC2's word; the guest sees them seconds later.",
    },
    {
      number: 8,
      attribute: 'IPv6 addresses',
      read: ['Instance.Ipv6Address', 'Instance.NetworkInterfaces[].Ipv6Addresses[]'],
      reapply: [{ step: 'ipv6', call: 'AssignIpv6Addresses', planned: 'assigned' }],
      loss: [{ code: 'Ipv6AddressesLost', text: (from) => assignedLoss(from, 'ipv6-addresses') }],
      refuse: [{ code: 'Ipv6MustFollow', text: (from) => mustFollow(from, 'ipv6-addresses'), remedy: MUST_FOLLOW }],
      why: 'As secondary addresses. EC2 does not take a primary IPv6 address off its interface: that one is lost.',
    },
    {
      number: 9,
      attribute: 'delegated prefixes',
      read: ['Instance.NetworkInterfaces[].Ipv4Prefixes[]', 'Instance.NetworkInterfaces[].Ipv6Prefixes[]'],
      reapply: [{ step: 'prefix', call: 'AssignPrivateIpAddresses', planned: 'assigned' }],
      loss: [{ code: 'PrefixesLost', text: (from) => assignedLoss(from, 'prefixes') }],
      refuse: [{ code: 'PrefixesMustFollow', text: (from) => mustFollow(from, 'prefixes'), remedy: MUST_FOLLOW }],
      why: 'As secondary addresses, IPv6 prefixes by AssignIpv6Addresses.',
    },
    {
      number: 10,
      attribute: 'extra network interfaces, interface type',
      read: [
        'Instance.NetworkInterfaces[].NetworkInterfaceId',
        'Instance.NetworkInterfaces[].InterfaceType',
        'Instance.NetworkInterfaces[].ConnectionTrackingConfiguration',
        'Instance.NetworkInterfaces[].Attachment.DeviceIndex',
        'Instance.NetworkInterfaces[].Attachment.NetworkCardIndex',
      ],
      loss: [
        { code: 'ExtraNetworkInterfacesLost', text: interfacesLoss },
        { code: 'InterfaceTypeLost', text: interfaceTypeLost },
        {
          code: 'ConnectionTrackingLost',
          text: ({ input }) =>
            when(
              trackingOf(input) !== undefined && !isPutBackAt(input.level),
              'connection tracking timeouts of the interface fall back to the defaults until every coordinator is upgraded',
            ),
        },
      ],
      carry: {
        plan: {
          primaryInterfaceId: ({ input }) => primaryInterfaceOf(input.instance)?.networkInterfaceId ?? null,
          interfaces: interfacesOf,
          interfaceType: ({ input }) => (isPutBackAt(input.level) ? carriedTypeOf(input) : undefined),
          connectionTracking: ({ input }) => (isPutBackAt(input.level) ? trackingOf(input) : undefined),
        },
      },
      reapply: [{ step: 'interface', call: 'AttachNetworkInterface', planned: 'interfaces' }],
      refuse: [
        { code: 'InterfacesMustFollow', text: (from) => mustFollow(from, 'interfaces'), remedy: MUST_FOLLOW },
        {
          code: 'NoNetworkInterface',
          text: ({ input }) =>
            when(primaryInterfaceOf(input.instance) === null, 'the instance shows no primary network interface'),
          remedy: 'Look at the instance in EC2. A terminated one shows no interface.',
        },
      ],
      why: 'A launch has one interface, the permit of its attempt, at index 0 of network card 0, made with its type and timeouts. Further plain interfaces move whole, with all that is on them, to a replacement in the same zone.',
    },
    {
      number: 11,
      attribute: 'source/destination check',
      read: [
        'Instance.SourceDestCheck',
        'Instance.NetworkInterfaces[].SourceDestCheck',
        'NetworkInterface.SourceDestCheck',
      ],
      carry: { plan: { sourceDestCheck: ({ input }) => describedPrimary(input)?.sourceDestCheck ?? true } },
      reapply: [{ step: 'permit', call: 'ModifyNetworkInterfaceAttribute', planned: 'sourceDestCheck' }],
      why: 'No create call takes it, so it is set on the permit before anything uses that.',
    },
    {
      number: 12,
      attribute: 'automatic public IPv4',
      read: ['Instance.PublicIpAddress', 'Instance.PublicDnsName', 'Instance.NetworkInterfaces[].Association'],
      loss: [
        {
          code: 'PublicIpLost',
          text: ({ input: { instance, addresses } }) => {
            const { publicIp } = instance;
            const isElastic = addresses.some((address) => address.publicIp === publicIp);
            return when(
              publicIp !== null && !isElastic,
              `automatic public address ${publicIp ?? ''}: the replacement has none`,
            );
          },
        },
      ],
      why: 'It is the property of the VPC and cannot be had again.',
    },
    {
      number: 13,
      attribute: 'Elastic IPs',
      read: ['Address.AllocationId', 'Address.AssociationId', 'Address.PrivateIpAddress'],
      carry: {
        plan: {
          addresses: (from) =>
            from.input.addresses.flatMap((address) => {
              const target = targetOf(address, from);
              const { allocationId, publicIp, associationId } = address;
              return target === null ? [] : { allocationId, publicIp, associationId, ...(target && { target }) };
            }),
        },
      },
      reapply: [{ step: 'address', call: 'AssociateAddress', planned: 'addresses' }],
      loss: [
        {
          code: 'AddressesNotMoved',
          text: (from) => {
            const left = from.input.addresses.filter((address) => targetOf(address, from) === null);
            const named = left.map((address) => address.publicIp).join(', ');
            return when(left.length > 0, `Elastic IPs on what is not moved are not moved: ${named}`);
          },
        },
      ],
      why: 'They move once the replacement is activated, and after the secondary address or the interface that they are on.',
    },
    {
      number: 14,
      attribute: 'network interface tags',
      read: ['NetworkInterface.TagSet'],
      carry: {
        plan: { networkInterfaceTags: ({ input }) => limitTags(carriedTags(describedPrimary(input)?.tags ?? {})) },
      },
      why: 'The permit is created with them.',
    },
    {
      number: 5,
      attribute: 'security groups',
      read: ['Instance.SecurityGroups', 'Instance.NetworkInterfaces[].Groups', 'Instance.VpcId'],
      carry: {
        plan: { securityGroupIds: ({ input }) => [...(primaryInterfaceOf(input.instance)?.groupIds ?? [])] },
      },
      ...skippedWith([
        { code: 'PlacementInOtherVpc', remedy: 'Name a subnet of the same VPC: security groups belong to one VPC.' },
      ]),
      why: 'The permit is created with those of the primary interface. They belong to one VPC, so no candidate may leave it.',
    },
    {
      number: 15,
      attribute: 'secondary networks',
      read: ['Instance.SecondaryInterfaces'],
      refuse: [
        {
          code: 'SecondaryNetwork',
          text: ({ input }) =>
            when(
              countOf(input.instance.raw.SecondaryInterfaces) > 0,
              'interfaces in a secondary network cannot outlive their instance and are not carried',
            ),
          remedy: 'Take the secondary interfaces off the instance.',
        },
      ],
      why: 'An instance without them would be in another network than its users expect.',
    },
    {
      number: 32,
      attribute: 'hostname options',
      read: [
        'Instance.PrivateDnsNameOptions.HostnameType',
        'Instance.PrivateDnsNameOptions.EnableResourceNameDnsARecord',
        'Instance.PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord',
      ],
      carry: { plan: { dnsRecords: ({ input }) => (isPutBackAt(input.level) ? dnsRecordsOf(input) : undefined) } },
      reapply: [
        {
          step: 'done',
          call: 'ModifyPrivateDnsNameOptions',
          chores: ({ plan: { dnsRecords }, newInstanceId: instanceId }) =>
            dnsRecords === undefined ? [] : [{ kind: 'dns-records', instanceId, ...dnsRecords }],
        },
      ],
      loss: [
        {
          code: 'PrivateDnsOptionsLost',
          text: ({ input }) => {
            const { HostnameType } = rawOf(input.instance.raw.PrivateDnsNameOptions);
            const lost = [
              ...(HostnameType === 'resource-name' ? ['the host name is of the resource'] : []),
              ...(isPutBackAt(input.level) || dnsRecordsOf(input) === undefined ? [] : ['DNS records of its name']),
            ];
            return when(
              lost.length > 0,
              `private DNS name options (${lost.join(', ')}) follow the subnet of the new interface: put them back with ModifyPrivateDnsNameOptions, the host name while it is stopped`,
            );
          },
        },
      ],
      why: 'A launch takes them only with an interface that it creates itself, and the permit exists already. The records are put back once the replacement serves; the host name could only be while it is stopped.',
    },
  ],
};
