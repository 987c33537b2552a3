import { numberOf, rawListOf, rawOf, textOf } from '@understudy/shared';
import { type Circumstances, type FidelityTheme, when } from './row.ts';
import { primaryInterfaceOf, rawPrimaryInterfaceOf } from './primary-interface.ts';

/** Disks and interfaces of the instance that a service operates, each with the service. */
function operatedParts({ input: { instance, volumes, networkInterfaces } }: Circumstances): readonly string[] {
  const operators = [
    ...rawListOf(instance.raw.BlockDeviceMappings).map((one) => [rawOf(one.Ebs).VolumeId, rawOf(one.Ebs).Operator]),
    ...rawListOf(instance.raw.NetworkInterfaces).map((one) => [one.NetworkInterfaceId, one.Operator]),
  ];
  const shown = operators.flatMap(([id, operator]) => {
    const { Managed, Principal } = rawOf(operator);
    return Managed === true ? [[textOf(id) ?? '', textOf(Principal) ?? 'an AWS service'] as const] : [];
  });
  const described = [
    ...volumes.map((one) => [one.volumeId, one.operatedBy] as const),
    ...networkInterfaces.map((one) => [one.networkInterfaceId, one.operatedBy] as const),
  ].flatMap(([id, by]) => (by === undefined ? [] : [[id, by] as const]));
  return [...new Map([...described, ...shown])].map(([id, by]) => `${id} is operated by ${by}`);
}

const associatedResources = ({ input: { instance } }: Circumstances): readonly string[] =>
  rawListOf(instance.raw.BlockDeviceMappings).flatMap(({ Ebs }) => textOf(rawOf(Ebs).AssociatedResource) ?? []);

/** The Outposts that the instance or a part of it is on. */
function outpostsOf({ input: { instance, volumes, networkInterfaces } }: Circumstances): readonly string[] {
  const arns = [textOf(instance.raw.OutpostArn), ...[...volumes, ...networkInterfaces].map((one) => one.outpostArn)];
  return [...new Set(arns.flatMap((arn) => arn ?? []))];
}

/** What the attachment of the primary interface has beside the default of its type. */
function enaOptionsOf({ input: { instance } }: Circumstances): string | null {
  const attachment = rawOf(rawPrimaryInterfaceOf(instance).Attachment);
  const queues = numberOf(attachment.EnaQueueCount);
  const isExpress = rawOf(attachment.EnaSrdSpecification).EnaSrdEnabled === true;
  const had = [...(queues === null ? [] : [`${queues} ENA queues`]), ...(isExpress ? ['ENA Express'] : [])];
  return when(
    had.length > 0,
    `${had.join(' and ')} of the primary interface: the new one has the default of its type; put it back with ModifyNetworkInterfaceAttribute`,
  );
}

const describedPrimary = ({ input: { instance, networkInterfaces } }: Circumstances) =>
  networkInterfaces.find((one) => one.networkInterfaceId === primaryInterfaceOf(instance)?.networkInterfaceId);

/** Disks, interfaces and machines that are not ordinary ones. */
export const OPERATED: FidelityTheme = {
  theme: 'Parts that are not ordinary',
  rows: [
    {
      number: 45,
      attribute: 'Outpost',
      read: ['Instance.OutpostArn', 'Volume.OutpostArn', 'NetworkInterface.OutpostArn'],
      refuse: [
        {
          code: 'OnOutpost',
          text: (circumstances) => {
            const outposts = outpostsOf(circumstances);
            return when(
              outposts.length > 0,
              `it is on ${outposts.join(', ')}: snapshots, capacity and subnets of an Outpost follow rules of their own, and no recovery on one has been tried`,
            );
          },
          remedy:
            'Move the member into the Region. A recovery on an Outpost would need its own capacity and snapshots.',
        },
      ],
      why: 'An Outpost has its own capacity, subnets and snapshots.',
    },
    {
      number: 46,
      attribute: 'disks and interfaces that a service operates',
      read: [
        'Instance.BlockDeviceMappings[].Ebs.AssociatedResource',
        'Instance.BlockDeviceMappings[].Ebs.Operator',
        'Instance.NetworkInterfaces[].Operator',
        'NetworkInterface.RequesterId',
        'NetworkInterface.RequesterManaged',
        'Volume.Operator',
      ],
      refuse: [
        {
          code: 'OperatedPart',
          text: (circumstances) => {
            const parts = operatedParts(circumstances);
            return when(
              parts.length > 0,
              `${parts.join('; ')}: nobody else may detach, copy or change it, and its service will act on it`,
            );
          },
          remedy: 'Take it off the member, or leave the recovery to the service that operates it.',
        },
      ],
      loss: [
        {
          code: 'AssociatedResourceNotMoved',
          text: (circumstances) => {
            const arns = associatedResources(circumstances);
            return when(arns.length > 0, `${arns.join(', ')} stays with the old disk: associate it anew`);
          },
        },
      ],
      why: 'A service acts on what it operates, and refuses others.',
    },
    {
      number: 47,
      attribute: 'ENA queues and ENA Express',
      read: [
        'Instance.NetworkInterfaces[].Attachment.EnaQueueCount',
        'Instance.NetworkInterfaces[].Attachment.EnaSrdSpecification',
      ],
      loss: [{ code: 'EnaOptionsLost', text: enaOptionsOf }],
      why: 'They belong to the attachment, and the permit has the default of its type.',
    },
    {
      number: 48,
      attribute: 'volume initialization rate',
      read: ['Volume.VolumeInitializationRate'],
      loss: [
        {
          code: 'InitializationRateNotKept',
          text: ({ input: { volumes }, policy }) => {
            const given = volumes.filter((one) => one.initializationRateMiBps !== undefined);
            const named = given.map((one) => `${one.volumeId} (${one.initializationRateMiBps} MiB/s)`).join(', ');
            return when(
              given.length > 0 && policy.recover.volumes.initializationRateMiBps === null,
              `${named} was filled at a rate of its own, which is paid for by the GiB: what is made from a snapshot is filled at the default rate, unless recover.volumes.initializationRateMiBps says another`,
            );
          },
        },
      ],
      why: 'The rate was that of its own snapshot, and is paid for. The policy says which rate a recovery is worth.',
    },
    {
      number: 49,
      attribute: 'public host name, further subnets',
      read: ['NetworkInterface.PublicIpDnsNameOptions', 'NetworkInterface.AssociatedSubnets'],
      loss: [
        {
          code: 'PublicHostNameLost',
          text: (circumstances) => {
            const type = describedPrimary(circumstances)?.publicHostnameType;
            return when(
              type !== undefined,
              `the public host name type ${type ?? ''} follows the subnet of the new interface: put it back with ModifyPublicIpDnsNameOptions`,
            );
          },
        },
        {
          code: 'AssociatedSubnetsLost',
          text: (circumstances) => {
            const subnets = describedPrimary(circumstances)?.associatedSubnetIds ?? [];
            return when(subnets.length > 0, `the new interface is in one subnet only, without ${subnets.join(', ')}`);
          },
        },
      ],
      why: 'The permit is an interface of one subnet, with its defaults.',
    },
  ],
};
