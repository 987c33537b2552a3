import type { AccessContext } from '@understudy/cloud-sim';

/** One question to IAM that a recovery leads to, and the condition keys on which it hangs. */
export interface UsualCall {
  readonly action: string;
  readonly resource: string;
  readonly context: AccessContext;
  /** Without any one of these, or with another value where it says so, it has to be denied. */
  readonly hangsOn: readonly string[];
}

export const ACCOUNT = '123456789012';
export const REGION = 'eu-central-1';
export const MEMBER_ROLE = `arn:aws:iam::${ACCOUNT}:role/db`;
export const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/11111111-2222-3333-4444-555555555555`;

export const ZONE = 'Z0123456789ABC';
export const DOCUMENT = `arn:aws:ssm:${REGION}:${ACCOUNT}:document/AWS-RunShellScript`;
export const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT}:understudy-events`;
export const TARGET_GROUP = `arn:aws:elasticloadbalancing:${REGION}:${ACCOUNT}:targetgroup/web/0123456789abcdef`;
export const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:understudy-notices`;
export const BUS = `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/understudy`;
export const PARAMETER = 'understudy/master';
export const SECRET = 'understudy/main';
const ZONE_ARN = `arn:aws:route53:::hostedzone/${ZONE}`;

const arn = (kind: string, id: string): string => `arn:aws:ec2:${REGION}:${ACCOUNT}:${kind}/${id}`;
const shared = (kind: string, id: string): string => `arn:aws:ec2:${REGION}::${kind}/${id}`;
const INSTANCE = arn('instance', 'i-0123456789abcdef0');
const VOLUME = arn('volume', 'vol-0123456789abcdef0');
const SNAPSHOT = shared('snapshot', 'snap-0123456789abcdef0');
const INTERFACE = arn('network-interface', 'eni-0123456789abcdef0');
const ADDRESS = arn('elastic-ip', 'eipalloc-0123456789abcdef0');

const GROUP = 'aws:ResourceTag/understudy:group';
const OP = 'aws:ResourceTag/understudy:op';
const PREPARED = 'aws:ResourceTag/understudy:prepared-for';
const RETIRED = 'aws:ResourceTag/understudy:retired-by';
const NEW_OP = 'aws:RequestTag/understudy:op';
const KEYS = 'aws:TagKeys';
const REGION_KEY = 'aws:RequestedRegion';
const everywhere = { [REGION_KEY]: REGION };

const call = (action: string, resource: string, bound: AccessContext = {}, more: AccessContext = {}): UsualCall => ({
  action,
  resource,
  context: { ...everywhere, ...bound, ...more },
  hangsOn: Object.keys(bound),
});

/** Reads: they hang on the Region only. */
const read = (action: string): UsualCall => ({ ...call(action, '*'), hangsOn: [REGION_KEY] });

const member = { [GROUP]: 'orders' };
const ours = { [OP]: 'op-1' };
const throughEc2 = { 'kms:ViaService': `ec2.${REGION}.amazonaws.com` };

const made = (kind: string, action: string): UsualCall =>
  call('ec2:CreateTags', kind, { 'ec2:CreateAction': action }, { [NEW_OP]: 'op-1', [KEYS]: ['understudy:op'] });

/** What a policy narrowed to the group, the Region and tagged resources has to allow. */
export const USUAL_CALLS: readonly UsualCall[] = [
  ...[
    ...['DescribeInstances', 'DescribeInstanceStatus', 'DescribeInstanceCreditSpecifications', 'DescribeTags'],
    ...['DescribeInstanceTypes', 'DescribeInstanceTypeOfferings', 'DescribeKeyPairs', 'DescribePlacementGroups'],
    ...['DescribeCapacityReservations', 'DescribeRouteTables', 'DescribeVolumes', 'DescribeSnapshots'],
    ...['DescribeVolumeStatus', 'DescribeSecurityGroups'],
    ...['DescribeImages', 'DescribeNetworkInterfaces', 'DescribeAddresses', 'DescribeSubnets'],
  ].map((action) => read(`ec2:${action}`)),
  call('ec2:DescribeInstanceAttribute', INSTANCE, member),
  call('ec2:GetConsoleOutput', INSTANCE, member),
  call('ec2:StopInstances', INSTANCE, member),
  call('ec2:RebootInstances', INSTANCE, member),
  call('ec2:ModifyInstanceAttribute', INSTANCE, member),
  call('ec2:ModifyInstanceMaintenanceOptions', INSTANCE, member),
  call('ec2:ModifyPrivateDnsNameOptions', INSTANCE, member),
  call('ec2:ModifyInstanceAttribute', VOLUME, ours),
  call('ec2:ModifyInstanceAttribute', VOLUME, member),
  call('ec2:StartInstances', INSTANCE, member),
  ...['ec2:AttachVolume', 'ec2:DetachVolume'].flatMap((action) => [
    call(action, INSTANCE, member),
    call(action, VOLUME, member),
  ]),
  call('ec2:ModifyNetworkInterfaceAttribute', INSTANCE, member),
  call('ec2:ModifyNetworkInterfaceAttribute', INTERFACE, ours),
  call('ec2:TerminateInstances', INSTANCE, { ...member, ...ours }),
  call('ec2:TerminateInstances', INSTANCE, { ...member, [RETIRED]: 'op-1' }),
  call('ec2:CreateSnapshots', INSTANCE, member),
  call('ec2:CreateSnapshots', VOLUME, member),
  call('ec2:CreateSnapshots', shared('snapshot', '*'), { [NEW_OP]: 'op-1' }, { [KEYS]: ['understudy:op'] }),
  call('ec2:CopyVolumes', arn('volume', '*'), { [NEW_OP]: 'op-1' }, { [KEYS]: ['understudy:op'] }),
  call('ec2:DeleteSnapshot', SNAPSHOT, ours),
  call('ec2:DeregisterImage', shared('image', 'ami-0123456789abcdef0'), ours),
  call('ec2:DeleteVolume', VOLUME, { ...member, [RETIRED]: 'op-1' }),
  call('ec2:RegisterImage', shared('image', '*'), { [NEW_OP]: 'op-1' }, { [KEYS]: ['understudy:op'] }),
  call('ec2:RegisterImage', SNAPSHOT, ours),
  call('ec2:RegisterImage', SNAPSHOT, member),
  call('ec2:CreateCapacityReservation', arn('capacity-reservation', '*'), { [NEW_OP]: 'op-1' }),
  call('ec2:CancelCapacityReservation', arn('capacity-reservation', 'cr-0123456789abcdef0'), ours),
  call('ec2:CreateNetworkInterface', arn('network-interface', '*'), { [NEW_OP]: 'op-1' }),
  call('ec2:CreateNetworkInterface', arn('subnet', 'subnet-0123456789abcdef0')),
  call('ec2:CreateNetworkInterface', arn('security-group', 'sg-0123456789abcdef0')),
  call('ec2:DeleteNetworkInterface', INTERFACE, ours),
  call('ec2:RunInstances', arn('instance', '*'), { [NEW_OP]: 'op-1' }, { 'aws:RequestTag/understudy:group': 'orders' }),
  call('ec2:RunInstances', arn('instance', '*'), { [NEW_OP]: 'dry-run' }),
  call('ec2:RunInstances', arn('volume', '*'), { [NEW_OP]: 'op-1' }),
  call('ec2:RunInstances', SNAPSHOT, ours),
  call('ec2:RunInstances', shared('image', 'ami-0123456789abcdef0')),
  call('ec2:RunInstances', INTERFACE),
  call('ec2:RunInstances', arn('subnet', 'subnet-0123456789abcdef0')),
  call('ec2:RunInstances', arn('security-group', 'sg-0123456789abcdef0')),
  call('ec2:RunInstances', arn('key-pair', 'ops')),
  call('ec2:RunInstances', arn('placement-group', 'rack')),
  call('ec2:RunInstances', arn('capacity-reservation', 'cr-0123456789abcdef0')),
  call('ec2:RunInstances', `arn:aws:license-manager:${REGION}:${ACCOUNT}:license-configuration:lic-0123456789abcdef`),
  call('ec2:AssociateAddress', ADDRESS, member),
  call('ec2:AssociateAddress', INTERFACE, ours),
  call('ec2:AssociateAddress', INSTANCE, member),
  call('ec2:DisassociateAddress', ADDRESS, member),
  call('ec2:DisassociateAddress', INTERFACE),
  call('ec2:AssignPrivateIpAddresses', INTERFACE, ours),
  call('ec2:UnassignPrivateIpAddresses', INTERFACE),
  call('ec2:AssignIpv6Addresses', INTERFACE, ours),
  call('ec2:UnassignIpv6Addresses', INTERFACE),
  call('ec2:AttachNetworkInterface', INTERFACE, member),
  call('ec2:AttachNetworkInterface', INSTANCE, member),
  call('ec2:DetachNetworkInterface', INTERFACE, member),
  call('ec2:DetachNetworkInterface', INSTANCE, member),
  made(arn('instance', '*'), 'RunInstances'),
  made(arn('volume', '*'), 'RunInstances'),
  made(arn('network-interface', '*'), 'CreateNetworkInterface'),
  made(arn('capacity-reservation', '*'), 'CreateCapacityReservation'),
  made(shared('snapshot', '*'), 'CreateSnapshots'),
  made(shared('image', '*'), 'RegisterImage'),
  call('ec2:CreateTags', INSTANCE, { ...member, [KEYS]: ['understudy:fenced-by', 'understudy:fenced-run'] }),
  call('ec2:CreateTags', VOLUME, { ...member, [KEYS]: ['understudy:retired-by'] }),
  call('ec2:DeleteTags', INSTANCE, { ...member, [KEYS]: ['understudy:retired-by', 'understudy:retain-until'] }),
  call('ec2:DeleteTags', VOLUME, { ...member, [KEYS]: ['understudy:retired-by', 'understudy:retain-until'] }),
  call('ec2:CreateTags', VOLUME, ours, { [KEYS]: ['Name'] }),
  call(
    'ec2:CreateTags',
    INSTANCE,
    { ...member, ...ours, [PREPARED]: 'op-1' },
    { [KEYS]: ['understudy:member', 'Name'] },
  ),
  call('iam:PassRole', MEMBER_ROLE, { 'iam:PassedToService': 'ec2.amazonaws.com' }),
  call('route53:ListResourceRecordSets', ZONE_ARN),
  call('route53:GetChange', 'arn:aws:route53:::change/C0123456789ABC'),
  call('route53:ChangeResourceRecordSets', ZONE_ARN, {
    'route53:ChangeResourceRecordSetsRecordTypes': ['A'],
    'route53:ChangeResourceRecordSetsActions': ['DELETE', 'CREATE'],
  }),
  ...['DescribeTargetGroups', 'DescribeTargetHealth', 'DescribeLoadBalancers'].map((action) =>
    read(`elasticloadbalancing:${action}`),
  ),
  ...['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'].map((action) =>
    call(`sqs:${action}`, QUEUE),
  ),
  ...['Publish', 'GetTopicAttributes'].map((action) => call(`sns:${action}`, TOPIC)),
  call('events:DescribeEventBus', BUS),
  call('events:PutEvents', BUS, { 'events:source': ['understudy'] }),
  call('ssm:SendCommand', DOCUMENT),
  call('ssm:SendCommand', INSTANCE, { 'ssm:resourceTag/understudy:group': 'db' }),
  ...['CancelCommand', 'GetCommandInvocation', 'ListCommandInvocations', 'DescribeInstanceInformation'].map((action) =>
    read(`ssm:${action}`),
  ),
  call('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/${PARAMETER}`),
  call('secretsmanager:GetSecretValue', `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${SECRET}-AbCdEf`),
  ...['ssm', 'secretsmanager'].map((store) =>
    call('kms:Decrypt', KEY, { 'kms:ViaService': `${store}.${REGION}.amazonaws.com` }),
  ),
  call('elasticloadbalancing:RegisterTargets', TARGET_GROUP),
  call('elasticloadbalancing:DeregisterTargets', TARGET_GROUP),
  call('kms:DescribeKey', KEY),
  call('kms:Decrypt', KEY, throughEc2),
  call('kms:GenerateDataKeyWithoutPlaintext', KEY, throughEc2),
  call('kms:ReEncryptFrom', KEY, throughEc2),
  call('kms:ReEncryptTo', KEY, throughEc2),
  call('kms:CreateGrant', KEY, { ...throughEc2, 'kms:GrantIsForAWSResource': 'true' }),
];
