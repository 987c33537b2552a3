import { rawListOf, rawOf, textOf } from '@understudy/shared';
import { ACCOUNT_ID, type Region } from '../region.ts';
import type { AccessContext, AccessRequest } from './access-request.ts';
import {
  arnOf,
  type AskedResource,
  existing,
  existingAll,
  made,
  mappedSnapshots,
  requestTags,
  tagsGiven,
} from './asked-resources.ts';

type Input = Readonly<Record<string, unknown>>;

/** Which resources IAM is asked about (Service Authorization Reference, EC2), by action. */
const RESOURCES: Readonly<Record<string, (region: Region, input: Input) => readonly AskedResource[]>> = {
  DescribeInstanceAttribute: (region, input) => existing(region, input['InstanceId']),
  GetConsoleOutput: (region, input) => existing(region, input['InstanceId']),
  ModifyInstanceAttribute: (region, input) => [
    ...existing(region, input['InstanceId']),
    ...boundVolumes(region, input),
  ],
  ModifyInstanceMaintenanceOptions: (region, input) => existing(region, input['InstanceId']),
  ModifyPrivateDnsNameOptions: (region, input) => existing(region, input['InstanceId']),
  StartInstances: (region, input) => existingAll(region, input['InstanceIds']),
  StopInstances: (region, input) => existingAll(region, input['InstanceIds']),
  RebootInstances: (region, input) => existingAll(region, input['InstanceIds']),
  TerminateInstances: (region, input) => existingAll(region, input['InstanceIds']),
  CreateSnapshots: (region, input) => capturedResources(region, input),
  DeleteSnapshot: (region, input) => existing(region, input['SnapshotId']),
  CreateVolume: (region, input) => [made(region, input, 'volume'), ...existing(region, input['SnapshotId'])],
  AttachVolume: (region, input) => [...existing(region, input['VolumeId']), ...existing(region, input['InstanceId'])],
  DetachVolume: (region, input) => [...existing(region, input['VolumeId']), ...existing(region, input['InstanceId'])],
  DeleteVolume: (region, input) => existing(region, input['VolumeId']),
  CopyVolumes: (region, input) => [made(region, input, 'volume')],
  EnableVolumeIO: (region, input) => existing(region, input['VolumeId']),
  CreateReplaceRootVolumeTask: (region, input) => [
    ...existing(region, input['InstanceId']),
    ...existing(region, input['VolumeId']),
    ...existing(region, input['SnapshotId']),
    ...existing(region, input['ImageId']),
    made(region, input, 'replace-root-volume-task'),
  ],
  RegisterImage: (region, input) => [made(region, input, 'image'), ...mappedSnapshots(region, input)],
  DeregisterImage: (region, input) => existing(region, input['ImageId']),
  CreateCapacityReservation: (region, input) => [made(region, input, 'capacity-reservation')],
  CancelCapacityReservation: (region, input) => existing(region, input['CapacityReservationId']),
  CreateNetworkInterface: (region, input) => [
    made(region, input, 'network-interface'),
    ...existing(region, input['SubnetId']),
    ...existingAll(region, input['Groups']),
  ],
  DeleteNetworkInterface: (region, input) => existing(region, input['NetworkInterfaceId']),
  ModifyNetworkInterfaceAttribute: (region, input) => existing(region, input['NetworkInterfaceId']),
  AttachNetworkInterface: (region, input) => [
    ...existing(region, input['NetworkInterfaceId']),
    ...existing(region, input['InstanceId']),
  ],
  DetachNetworkInterface: (region, input) => detached(region, input),
  AssignPrivateIpAddresses: (region, input) => existing(region, input['NetworkInterfaceId']),
  UnassignPrivateIpAddresses: (region, input) => existing(region, input['NetworkInterfaceId']),
  AssignIpv6Addresses: (region, input) => existing(region, input['NetworkInterfaceId']),
  UnassignIpv6Addresses: (region, input) => existing(region, input['NetworkInterfaceId']),
  AssociateAddress: (region, input) => [
    ...existing(region, input['AllocationId']),
    ...existing(region, input['NetworkInterfaceId']),
    ...existing(region, input['InstanceId']),
  ],
  DisassociateAddress: (region, input) => associated(region, input),
  CreateTags: (region, input) => changedTags(region, input),
  DeleteTags: (region, input) => changedTags(region, input),
  RunInstances: (region, input) => launchedResources(region, input),
  'ssm:GetParameter': (region, input) => [parameterResource(region, textOf(input['Name']) ?? '')],
  'ssm:SendCommand': (region, input) => commandedResources(region, input),
  'secretsmanager:GetSecretValue': (region, input) => [secretResource(region, textOf(input['SecretId']) ?? '')],
  'route53:ListResourceRecordSets': (_region, input) => [zoneResource(input)],
  'route53:ChangeResourceRecordSets': (_region, input) => [changedZone(input)],
  'route53:GetChange': (_region, input) => [{ arn: `arn:aws:route53:::change/${bareId(input['Id'])}`, context: {} }],
  'elasticloadbalancing:RegisterTargets': (_region, input) => [targetGroupResource(input)],
  'elasticloadbalancing:DeregisterTargets': (_region, input) => [targetGroupResource(input)],
  'sqs:ReceiveMessage': (region, input) => [queueResource(region, input)],
  'sqs:DeleteMessage': (region, input) => [queueResource(region, input)],
  'sqs:ChangeMessageVisibility': (region, input) => [queueResource(region, input)],
  'sqs:GetQueueAttributes': (region, input) => [queueResource(region, input)],
  'sns:Publish': (_region, input) => [topicResource(input)],
  'sns:GetTopicAttributes': (_region, input) => [topicResource(input)],
  'events:PutEvents': (region, input) => busResources(region, input),
  'events:DescribeEventBus': (region, input) => [{ arn: busArn(region, input['Name']), context: {} }],
  'kms:DescribeKey': (region, input) => [keyResource(region, textOf(input['KeyId']) ?? '')],
};

const bareId = (id: unknown): string => (textOf(id) ?? '').replace(/^.*\//, '');

const zoneResource = (input: Input): AskedResource => ({
  ...{ arn: `arn:aws:route53:::hostedzone/${bareId(input['HostedZoneId'])}`, context: {} },
});

/** What a batch changes, and how, are keys of IAM's. */
function changedZone(input: Input): AskedResource {
  const changes = rawListOf(rawOf(input['ChangeBatch'])['Changes']);
  const given = (values: readonly unknown[]): readonly string[] => [
    ...new Set(values.flatMap((one) => textOf(one) ?? [])),
  ];
  return {
    ...zoneResource(input),
    context: {
      'route53:ChangeResourceRecordSetsRecordTypes': given(
        changes.map((one) => rawOf(one['ResourceRecordSet'])['Type']),
      ),
      'route53:ChangeResourceRecordSetsActions': given(changes.map((one) => one['Action'])),
    },
  };
}

const targetGroupResource = (input: Input): AskedResource => ({
  ...{ arn: textOf(input['TargetGroupArn']) ?? '', context: {} },
});

/** By account and name, as a queue's URL ends. */
const queueResource = (region: Region, input: Input): AskedResource => ({
  arn: `arn:aws:sqs:${region.name}:${(textOf(input['QueueUrl']) ?? '').split('/').slice(-2).join(':')}`,
  context: {},
});

const topicResource = (input: Input): AskedResource => ({
  ...{ arn: textOf(input['TopicArn']) ?? textOf(input['TargetArn']) ?? '', context: {} },
});

const busArn = (region: Region, nameOrArn: unknown): string => {
  const bus = textOf(nameOrArn) ?? 'default';
  return bus.startsWith('arn:') ? bus : region.events.busArn(bus);
};

/** Each bus that entries are for, with what they say of themselves, which are keys of IAM's. */
function busResources(region: Region, input: Input): readonly AskedResource[] {
  return rawListOf(input['Entries']).map((entry) => ({
    arn: busArn(region, entry['EventBusName']),
    context: {
      'events:source': [textOf(entry['Source']) ?? ''],
      'events:detail-type': [textOf(entry['DetailType']) ?? ''],
    },
  }));
}

const keyResource = (region: Region, name: string): AskedResource => ({
  arn: region.kmsKeys.find(name)?.arn ?? name,
  context: {},
});

const parameterResource = (region: Region, name: string): AskedResource => ({
  arn: `arn:aws:ssm:${region.name}:${ACCOUNT_ID}:parameter/${name.replace(/^\//, '')}`,
  context: {},
});

/** Systems Manager has a word of its own for the tags of an instance. */
const commandedResources = (region: Region, input: Input): readonly AskedResource[] => [
  documentResource(region, input),
  ...existingAll(region, input['InstanceIds']).map(({ arn, context }) => ({
    ...{ arn },
    context: {
      ...context,
      ...Object.fromEntries(
        Object.entries(context).map(([key, value]) => [key.replace('aws:ResourceTag/', 'ssm:resourceTag/'), value]),
      ),
    },
  })),
];

/** A document of AWS itself: its ARN names no account. */
const documentResource = (region: Region, input: Input): AskedResource => ({
  arn: `arn:aws:ssm:${region.name}::document/${textOf(input['DocumentName']) ?? ''}`,
  context: {},
});

/** A secret is asked for by its name or its ARN; the ARN has six characters more. */
const secretResource = (region: Region, id: string): AskedResource => ({
  arn: id.startsWith('arn:') ? id : `arn:aws:secretsmanager:${region.name}:${ACCOUNT_ID}:secret:${id}-AbCdEf`,
  context: {},
});

/** The volumes at the devices whose fate is changed. */
function boundVolumes(region: Region, input: Input): readonly AskedResource[] {
  const devices = rawListOf(input['BlockDeviceMappings']).map((one) => one['DeviceName']);
  const instanceId = textOf(input['InstanceId']) ?? '';
  const volumes = region.instances.get(instanceId)?.volumeIds ?? [];
  const isBound = (volumeId: string): boolean =>
    region.volumes.get(volumeId)?.attachments.some((one) => devices.includes(one.device)) === true;
  return volumes.filter(isBound).flatMap((volumeId) => existing(region, volumeId));
}

function capturedResources(region: Region, input: Input): readonly AskedResource[] {
  const instanceId = textOf(rawOf(input['InstanceSpecification'])['InstanceId']) ?? '';
  const volumes = region.instances.get(instanceId)?.volumeIds ?? [];
  return [...existing(region, instanceId), ...existingAll(region, volumes), made(region, input, 'snapshot')];
}

function associated(region: Region, input: Input): readonly AskedResource[] {
  const address = region.addresses.all().find((one) => one.associationId === input['AssociationId']);
  if (address === undefined) return [];
  return [...existing(region, address.id), ...existing(region, address.networkInterfaceId)];
}

/** IAM is asked about both ends of the attachment that is undone. */
function detached(region: Region, input: Input): readonly AskedResource[] {
  const attached = region.networkInterfaces.all().find((one) => one.attachment?.attachmentId === input['AttachmentId']);
  if (attached === undefined) return [];
  return [...existing(region, attached.id), ...existing(region, attached.attachment?.instanceId)];
}

function changedTags(region: Region, input: Input): readonly AskedResource[] {
  const tags = Object.fromEntries(
    rawListOf(input['Tags']).map((tag) => [textOf(tag['Key']) ?? '', textOf(tag['Value']) ?? '']),
  );
  const asked = requestTags(tags);
  return existingAll(region, input['Resources']).map(({ arn, context }) => ({
    arn,
    context: { ...context, ...asked },
  }));
}

/** What a launch names and makes. An interface that is only described is made with it. */
function launchedResources(region: Region, input: Input): readonly AskedResource[] {
  const interfaces = rawListOf(input['NetworkInterfaces']).flatMap((one) =>
    existing(region, one['NetworkInterfaceId']),
  );
  const own = textOf(rawOf(rawListOf(input['NetworkInterfaces'])[0])['NetworkInterfaceId']) ?? '';
  const permit = region.networkInterfaces.get(own);
  const reservation = rawOf(rawOf(input['CapacityReservationSpecification'])['CapacityReservationTarget']);
  const placementGroup = textOf(rawOf(input['Placement'])['GroupName']);
  const keyName = textOf(input['KeyName']);
  const named = (type: string, name: string | null): AskedResource[] =>
    name === null ? [] : [{ arn: arnOf(region, type, name), context: {} }];
  return [
    ...existing(region, input['ImageId']),
    ...['instance', 'volume'].map((type) => made(region, input, type)),
    ...(interfaces.length === 0 ? [made(region, input, 'network-interface')] : interfaces),
    ...existing(region, input['SubnetId'] ?? permit?.subnetId),
    ...existingAll(region, input['SecurityGroupIds'] ?? permit?.groupIds),
    ...mappedSnapshots(region, input),
    ...existing(region, reservation['CapacityReservationId']),
    ...named('placement-group', placementGroup),
    ...named('key-pair', keyName),
    ...rawListOf(input['LicenseSpecifications']).map((one) => ({
      ...{ arn: textOf(one['LicenseConfigurationArn']) ?? '', context: {} },
    })),
  ];
}

interface OtherRight {
  readonly action: string;
  readonly arn: string;
  readonly context: AccessContext;
}

/** Tags that are given while something is made have to be allowed, too. */
const tagRights = (region: Region, action: string, input: Input): readonly OtherRight[] =>
  rawListOf(input['TagSpecifications']).flatMap((one) => {
    const type = textOf(one['ResourceType']) ?? '';
    const tags = tagsGiven(input, type);
    if (Object.keys(tags).length === 0) return [];
    const context = { ...requestTags(tags), 'ec2:CreateAction': action };
    return [{ action: 'ec2:CreateTags', arn: arnOf(region, type, '*'), context }];
  });

/** The role of an instance profile. IAM is not simulated, so it has the profile's name. */
function roleRights(input: Input): readonly OtherRight[] {
  const profile = rawOf(input['IamInstanceProfile']);
  const name = textOf(profile['Name']) ?? textOf(profile['Arn'])?.split('/').at(-1);
  if (name === undefined) return [];
  const arn = `arn:aws:iam::${ACCOUNT_ID}:role/${name}`;
  return [{ action: 'iam:PassRole', arn, context: { 'iam:PassedToService': 'ec2.amazonaws.com' } }];
}

const KMS_PREFIX = 'kms:';

/** Actions of other services stand with their service's name; EC2's stand alone. */
const inFull = (action: string): string => (action.includes(':') ? action : `ec2:${action}`);

/** Everything that IAM is asked before a call is carried out, in the order of asking. */
export function accessRequests(
  region: Region,
  principal: string,
  action: string,
  input: Input,
): readonly AccessRequest[] {
  const everywhere = { 'aws:RequestedRegion': region.name };
  const own = inFull(action);
  const resources = RESOURCES[action]?.(region, input) ?? [{ arn: '*', context: {} }];
  const rights = [...tagRights(region, action, input), ...(action === 'RunInstances' ? roleRights(input) : [])];
  return [...resources.map((one) => ({ action: own, ...one })), ...rights].map(({ action: asked, arn, context }) => ({
    ...{ principal, action: asked, resource: arn, context: { ...everywhere, ...context } },
  }));
}

/** What EC2 asks with the caller's rights while it makes or attaches a volume under a key. */
export function keyRequests(region: Region, principal: string, keyArn: string): readonly AccessRequest[] {
  const context = { 'aws:RequestedRegion': region.name, 'kms:ViaService': `ec2.${region.name}.amazonaws.com` };
  const grant = { ...context, 'kms:GrantIsForAWSResource': 'true' };
  const ask = (action: string, own: AccessContext): AccessRequest => ({
    ...{ principal, action: `${KMS_PREFIX}${action}`, resource: keyArn, context: own },
  });
  return [
    ask('CreateGrant', grant),
    ask('Decrypt', context),
    ask('GenerateDataKeyWithoutPlaintext', context),
    ask('ReEncryptFrom', context),
    ask('ReEncryptTo', context),
  ];
}
