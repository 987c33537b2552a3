import { EC2_ACTIONS, type Ec2Action, knowsDryRun } from '../ec2/actions.ts';
import { ELBV2_ACTIONS, type Elbv2Action } from '../elbv2/actions.ts';
import type { KmsAction } from '../kms/actions.ts';
import { ROUTE53_ACTIONS, type Route53Action } from '../route53/actions.ts';
import { EVENTBRIDGE_ACTIONS, type EventBridgeAction } from '../eventbridge/actions.ts';
import { SNS_ACTIONS, type SnsAction } from '../sns/actions.ts';
import { SQS_ACTIONS, type SqsAction } from '../sqs/actions.ts';
import { SECRETS_MANAGER_ACTIONS, type SecretsManagerAction } from '../secretsmanager/actions.ts';
import { SSM_ACTIONS, type SsmAction } from '../ssm/actions.ts';
import type { StatementName } from './statements.ts';

/** What is known of one action of AWS that this program sends. */
export interface CallFacts {
  /** What it is called for. */
  readonly why: string;
  /** The statements that allow it, for all types of resource that AWS asks about. */
  readonly allowedBy: readonly StatementName[];
}

/** The actions that EC2's adapter sends. A new one does not compile until it is entered here. */
const EC2: Readonly<Record<Ec2Action, CallFacts>> = {
  DescribeInstances: {
    why: 'finds members and replacements, and what became of them',
    allowedBy: ['Observe'],
  },
  DescribeInstanceStatus: { why: 'is evidence: status checks, scheduled events', allowedBy: ['Observe'] },
  DescribeInstanceAttribute: {
    why: 'carries user data, protections and shutdown behaviour to a replacement',
    allowedBy: ['LookIntoMembers'],
  },
  DescribeInstanceCreditSpecifications: { why: 'carries the CPU credits', allowedBy: ['Observe'] },
  DescribeInstanceTypes: { why: 'checks that a placement fits the image and the disks', allowedBy: ['Observe'] },
  DescribeInstanceTypeOfferings: { why: 'checks in which zones a type is sold', allowedBy: ['Observe'] },
  DescribeKeyPairs: { why: 'checks that the key pair still exists', allowedBy: ['Observe'] },
  DescribePlacementGroups: { why: 'checks that the placement group still exists', allowedBy: ['Observe'] },
  DescribeCapacityReservations: { why: 'checks that the reservation is still active', allowedBy: ['Observe'] },
  DescribeRouteTables: { why: 'finds routes that lead to a member', allowedBy: ['Observe'] },
  DescribeVolumes: { why: 'learns the disks, and that none is attached any more', allowedBy: ['Observe'] },
  DescribeVolumeStatus: { why: 'learns whether a disk can be reached at all', allowedBy: ['Observe'] },
  DescribeSnapshots: { why: 'follows the snapshots of a capture, and finds earlier ones', allowedBy: ['Observe'] },
  DescribeImages: { why: 'reads what the member was launched from', allowedBy: ['Observe'] },
  DescribeNetworkInterfaces: { why: 'looks at launch permits and at who uses them', allowedBy: ['Observe'] },
  DescribeAddresses: { why: 'finds Elastic IP addresses and who holds them', allowedBy: ['Observe'] },
  DescribeSubnets: { why: 'checks that placements exist, and their zones', allowedBy: ['Observe'] },
  DescribeSecurityGroups: { why: 'keeps the history of firewalls, where there is one', allowedBy: ['Observe'] },
  DescribeTags: { why: 'lists members without listing every instance', allowedBy: ['Observe'] },
  GetConsoleOutput: { why: 'keeps the console of a failed member for people', allowedBy: ['LookIntoMembers'] },
  StopInstances: { why: 'fences a failed member', allowedBy: ['ChangeMembers'] },
  TerminateInstances: {
    why: 'ends a replacement that failed, and a retired one: later, or at once for its address',
    allowedBy: ['EndReplacements', 'EndRetired'],
  },
  RunInstances: {
    why: 'launches the replacement, or asks whether EC2 would (DryRun)',
    allowedBy: ['LaunchAsOurs', 'LaunchWith', 'UseOurSnapshots', 'UseBackups'],
  },
  RebootInstances: { why: 'reboots a failed member, where that may mend it', allowedBy: ['ChangeMembers'] },
  StartInstances: {
    why: 'starts a replacement once it has all its disks, and a member that was stopped to mend it',
    allowedBy: ['ChangeMembers'],
  },
  AttachVolume: {
    why: 'puts the disks of a fenced member on its replacement, or back on the member',
    allowedBy: ['ChangeMembers', 'MoveVolumes'],
  },
  DetachVolume: {
    why: 'takes the disks off a fenced member, or off a replacement that failed',
    allowedBy: ['ChangeMembers', 'MoveVolumes'],
  },
  ModifyInstanceAttribute: {
    why: 'clears and sets protections, gives user data back, and says which disks go with the instance',
    allowedBy: ['ChangeMembers', 'BindOurDisks', 'MoveVolumes'],
  },
  ModifyInstanceMaintenanceOptions: {
    why: 'gives the replacement the choice of reboot migration of the failed member',
    allowedBy: ['ChangeMembers'],
  },
  ModifyPrivateDnsNameOptions: {
    why: 'gives the replacement the DNS records of its resource name',
    allowedBy: ['ChangeMembers'],
  },
  CopyVolumes: { why: 'copies the disks of a fenced member', allowedBy: ['CopyAsOurs'] },
  CreateSnapshots: {
    why: 'captures the disks of a fenced member',
    allowedBy: ['ChangeMembers', 'CaptureVolumes', 'CaptureAsOurs'],
  },
  DeleteSnapshot: { why: 'removes a capture whose time is over', allowedBy: ['RemoveOurCaptures'] },
  DeleteVolume: { why: 'removes a volume that a retired instance left', allowedBy: ['RemoveRetired'] },
  RegisterImage: {
    why: 'makes the image of the captured root disk',
    allowedBy: ['RegisterAsOurs', 'UseOurSnapshots', 'UseBackups'],
  },
  DeregisterImage: { why: 'removes the image of an ended recovery', allowedBy: ['RemoveOurCaptures'] },
  CreateCapacityReservation: {
    why: 'asks whether a zone has room for a suspect, where the policy wants that',
    allowedBy: ['ReserveAsOurs'],
  },
  CancelCapacityReservation: {
    why: 'gives a place back by which EC2 was asked for room',
    allowedBy: ['EndOurReservations'],
  },
  CreateNetworkInterface: {
    why: 'makes the permit without which an attempt cannot launch',
    allowedBy: ['MakePermitAsOurs', 'MakePermitIn'],
  },
  DeleteNetworkInterface: { why: 'revokes the permit of an attempt', allowedBy: ['UseOurPermits'] },
  ModifyNetworkInterfaceAttribute: {
    why: 'gives the permit its source/destination check, and lets interfaces go with their instance',
    allowedBy: ['UseOurPermits', 'ChangeMembers', 'MoveInterfaces'],
  },
  AssociateAddress: {
    why: 'puts an Elastic IP address on the replacement',
    allowedBy: ['MoveAddresses', 'UseOurPermits', 'ChangeMembers'],
  },
  DisassociateAddress: {
    why: 'takes an Elastic IP address off the fenced member',
    allowedBy: ['MoveAddresses', 'FreeAddresses'],
  },
  AssignPrivateIpAddresses: {
    why: 'puts a secondary private address, or an IPv4 prefix, on the replacement',
    allowedBy: ['UseOurPermits'],
  },
  UnassignPrivateIpAddresses: {
    why: 'takes a secondary private address, or an IPv4 prefix, off the fenced member',
    allowedBy: ['FreeAddresses'],
  },
  AssignIpv6Addresses: {
    why: 'puts an IPv6 address or prefix on the replacement',
    allowedBy: ['UseOurPermits'],
  },
  UnassignIpv6Addresses: {
    why: 'takes an IPv6 address or prefix off the fenced member',
    allowedBy: ['FreeAddresses'],
  },
  AttachNetworkInterface: {
    why: 'attaches a further network interface to the replacement',
    allowedBy: ['MoveInterfaces', 'ChangeMembers'],
  },
  DetachNetworkInterface: {
    why: 'takes a further network interface off the fenced member',
    allowedBy: ['MoveInterfaces', 'ChangeMembers'],
  },
  CreateTags: {
    why: 'marks what a recovery makes, fences and retires, and carries the tags of volumes',
    allowedBy: ['TagWhatIsMade', 'MarkMembers', 'MarkRetiredVolumes', 'TagOurVolumes', 'NamePrepared'],
  },
  DeleteTags: {
    why: 'takes the marks of a retired instance off, when an undo has it serve again',
    allowedBy: ['MarkMembers', 'MarkRetiredVolumes'],
  },
};

const KMS: Readonly<Record<KmsAction, CallFacts>> = {
  DescribeKey: { why: 'checks that the keys of volumes can be used', allowedBy: ['LookAtKeys'] },
};

const ROUTE53: Readonly<Record<Route53Action, CallFacts>> = {
  ListResourceRecordSets: { why: 'finds the records of a member, and what they say', allowedBy: ['LookAtRecords'] },
  ChangeResourceRecordSets: {
    why: 'makes a record that named a failed member name its replacement',
    allowedBy: ['MoveRecords'],
  },
  GetChange: { why: 'follows a change until it has taken effect', allowedBy: ['FollowRecords'] },
};

const ELBV2: Readonly<Record<Elbv2Action, CallFacts>> = {
  DescribeTargetGroups: { why: 'finds target groups and their balancers', allowedBy: ['LookAtTargets'] },
  DescribeTargetHealth: { why: 'finds where a member is registered, and its health', allowedBy: ['LookAtTargets'] },
  DescribeLoadBalancers: { why: 'learns in which zones a balancer takes traffic', allowedBy: ['LookAtTargets'] },
  RegisterTargets: { why: 'registers the replacement where the member was', allowedBy: ['MoveTargets'] },
  DeregisterTargets: { why: 'takes the failed member out of its target groups', allowedBy: ['MoveTargets'] },
};

const SQS: Readonly<Record<SqsAction, CallFacts>> = {
  ReceiveMessage: { why: 'hears what EC2 and CloudTrail tell, as a hint to look', allowedBy: ['ReadEvents'] },
  DeleteMessage: { why: 'takes an event out of the queue once it was looked after', allowedBy: ['ReadEvents'] },
  ChangeMessageVisibility: { why: 'gives events back that it cannot look after', allowedBy: ['ReadEvents'] },
  GetQueueAttributes: { why: 'checks that the queue is the one that is meant', allowedBy: ['ReadEvents'] },
};

const SSM: Readonly<Record<SsmAction, CallFacts>> = {
  SendCommand: { why: 'runs a hook on an instance', allowedBy: ['RunDocument', 'RunOnMembers'] },
  CancelCommand: { why: 'calls a hook off that runs on an instance', allowedBy: ['FollowCommands'] },
  GetCommandInvocation: { why: 'learns how a hook on an instance ended', allowedBy: ['FollowCommands'] },
  ListCommandInvocations: { why: 'finds a hook again whose answer was lost', allowedBy: ['FollowCommands'] },
  DescribeInstanceInformation: {
    why: 'tells when the agent of Systems Manager was last heard, for people',
    allowedBy: ['FollowCommands', 'TellPings'],
  },
  GetParameter: { why: 'reads a key of the coordinators, where it lies there', allowedBy: ['ReadParameters'] },
};

const SECRETS_MANAGER: Readonly<Record<SecretsManagerAction, CallFacts>> = {
  GetSecretValue: { why: 'reads a key of the coordinators, where it lies there', allowedBy: ['ReadSecrets'] },
};

const SNS: Readonly<Record<SnsAction, CallFacts>> = {
  Publish: { why: 'tells of a change, where a topic is configured', allowedBy: ['PublishNotices'] },
  GetTopicAttributes: { why: 'checks that the topic is the one that is meant', allowedBy: ['LookAtSinks'] },
};

const EVENTBRIDGE: Readonly<Record<EventBridgeAction, CallFacts>> = {
  PutEvents: { why: 'tells of a change, where a bus is configured', allowedBy: ['PutNotices'] },
  DescribeEventBus: {
    why: 'sees that the bus exists: events on one that does not are dropped without a word',
    allowedBy: ['LookAtSinks'],
  },
};

/**
 * What nobody here sends, and AWS asks our role for all the same while it carries out a call. Each
 * is named with the call that needs it.
 */
const IMPLIED = {
  'iam:PassRole': { for: 'ec2:RunInstances', allowedBy: ['PassMemberRoles'] },
  'kms:CreateGrant': { for: 'ec2:RunInstances', allowedBy: ['GrantKeys'] },
  'kms:Decrypt': { for: 'ec2:RunInstances, or of a key of the coordinators', allowedBy: ['UseKeys', 'OpenSecrets'] },
  'kms:GenerateDataKeyWithoutPlaintext': { for: 'ec2:RunInstances', allowedBy: ['UseKeys'] },
  'kms:ReEncryptFrom': { for: 'ec2:RunInstances', allowedBy: ['UseKeys'] },
  'kms:ReEncryptTo': { for: 'ec2:RunInstances', allowedBy: ['UseKeys'] },
} as const satisfies Readonly<Record<string, { readonly for: string; readonly allowedBy: readonly StatementName[] }>>;

/** One row of the table of calls. */
export interface AwsCall extends CallFacts {
  /** As IAM writes it, e.g. `ec2:StopInstances`. */
  readonly action: string;
  /** It changes something. */
  readonly mutating: boolean;
  /** AWS can be asked whether it would allow it, without doing it. */
  readonly hasDryRun: boolean;
  /** Who sends it. `aws`: the service itself, with our rights. */
  readonly sender: 'coordinator' | 'aws';
}

const impliedWhy = (call: string): string => `AWS does it with our rights during ${call}`;

/** Every action of AWS that the coordinator's role is asked for, in order of their names. */
export const AWS_CALLS: readonly AwsCall[] = [
  ...Object.entries(EC2).map(([name, facts]) => ({
    ...{ action: `ec2:${name}`, sender: 'coordinator' as const, hasDryRun: knowsDryRun(name), ...facts },
    mutating: EC2_ACTIONS[name as Ec2Action].mutating,
  })),
  ...Object.entries(KMS).map(([name, facts]) => ({
    ...{ action: `kms:${name}`, sender: 'coordinator' as const, hasDryRun: false, mutating: false, ...facts },
  })),
  ...Object.entries(ROUTE53).map(([name, facts]) => ({
    ...{ action: `route53:${name}`, sender: 'coordinator' as const, hasDryRun: false, ...facts },
    mutating: ROUTE53_ACTIONS[name as Route53Action],
  })),
  ...Object.entries(ELBV2).map(([name, facts]) => ({
    ...{ action: `elasticloadbalancing:${name}`, sender: 'coordinator' as const, hasDryRun: false, ...facts },
    mutating: ELBV2_ACTIONS[name as Elbv2Action],
  })),
  ...Object.entries(SQS).map(([name, facts]) => ({
    ...{ action: `sqs:${name}`, sender: 'coordinator' as const, hasDryRun: false, ...facts },
    mutating: SQS_ACTIONS[name as SqsAction],
  })),
  ...Object.entries(SSM).map(([name, facts]) => ({
    ...{ action: `ssm:${name}`, sender: 'coordinator' as const, hasDryRun: false, ...facts },
    mutating: SSM_ACTIONS[name as SsmAction],
  })),
  ...Object.entries(SECRETS_MANAGER).map(([name, facts]) => ({
    ...{ action: `secretsmanager:${name}`, sender: 'coordinator' as const, hasDryRun: false, ...facts },
    mutating: SECRETS_MANAGER_ACTIONS[name as SecretsManagerAction],
  })),
  ...Object.entries(SNS).map(([name, facts]) => ({
    ...{ action: `sns:${name}`, sender: 'coordinator' as const, hasDryRun: false, ...facts },
    mutating: SNS_ACTIONS[name as SnsAction],
  })),
  ...Object.entries(EVENTBRIDGE).map(([name, facts]) => ({
    ...{ action: `events:${name}`, sender: 'coordinator' as const, hasDryRun: false, ...facts },
    mutating: EVENTBRIDGE_ACTIONS[name as EventBridgeAction],
  })),
  ...Object.entries(IMPLIED).map(([action, { for: call, allowedBy }]) => ({
    ...{ action, sender: 'aws' as const, hasDryRun: false, mutating: true, why: impliedWhy(call), allowedBy },
  })),
].sort((a, b) => (a.action < b.action ? -1 : 1));

/** The actions that a statement allows, in IAM's words. */
export const actionsOf = (name: StatementName): readonly string[] =>
  AWS_CALLS.filter((call) => call.allowedBy.includes(name)).map((call) => call.action);
