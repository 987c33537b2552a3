import { NOTICE_EVENT_SOURCE, TAG } from '@understudy/shared';
import type { PolicyScope } from './policy-scope.ts';
import { parameterArn, secretArn } from './secret-arns.ts';

/** The conditions of a statement: operator → key → values, in IAM's own words. */
export type IamCondition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/** What a statement is about and what bounds it. The actions come from the table of calls. */
export interface StatementFacts {
  /** Why it is needed, and why it is no narrower. */
  readonly why: string;
  readonly resources: (scope: PolicyScope) => readonly string[];
  readonly condition?: (scope: PolicyScope) => IamCondition;
}

const arns =
  (...kinds: readonly string[]) =>
  ({ partition, region, account }: PolicyScope): readonly string[] =>
    kinds.map((kind) => `arn:${partition}:ec2:${region}:${account}:${kind}/*`);

/** The ARNs of images and snapshots name no account. */
const shared =
  (...kinds: readonly string[]) =>
  ({ partition, region }: PolicyScope): readonly string[] =>
    kinds.map((kind) => `arn:${partition}:ec2:${region}::${kind}/*`);

type Of<T> = (scope: PolicyScope) => T;

const both =
  (...lists: readonly Of<readonly string[]>[]): Of<readonly string[]> =>
  (scope) =>
    lists.flatMap((list) => list(scope));

/** All of them have to hold. No two of them may name the same operator and key. */
const all =
  (...conditions: readonly Of<IamCondition>[]): Of<IamCondition> =>
  (scope) => {
    const merged: Record<string, Record<string, string | readonly string[]>> = {};
    for (const [operator, keys] of conditions.flatMap((one) => Object.entries(one(scope))))
      merged[operator] = { ...merged[operator], ...keys };
    return merged;
  };

const has =
  (key: string): Of<IamCondition> =>
  () => ({ Null: { [key]: 'false' } });

/** The resource carries this tag. */
const tagged = (tag: string) => has(`aws:ResourceTag/${tag}`);
/** The request gives this tag to what it makes. */
const tagging = (tag: string) => has(`aws:RequestTag/${tag}`);
const isOurs = tagged(TAG.op);
const asOurs = tagging(TAG.op);

/** The resource belongs to a member of the groups. */
const isMembers: Of<IamCondition> = (scope) =>
  scope.groups.length === 0
    ? tagged(TAG.group)(scope)
    : { StringEquals: { [`aws:ResourceTag/${TAG.group}`]: scope.groups } };

/** What is made is of no other group. A trial of a launch names none. */
const ofNoOtherGroup: Of<IamCondition> = ({ groups }) =>
  groups.length === 0 ? {} : { StringEqualsIfExists: { [`aws:RequestTag/${TAG.group}`]: groups } };

const belongsToMember: Of<IamCondition> = (scope) => (scope.areResourcesTagged ? isMembers(scope) : {});

/** Only these tags are written. The first condition holds for a request without tags, too. */
const onlyTags =
  (...keys: readonly string[]): Of<IamCondition> =>
  () => ({ 'ForAllValues:StringEquals': { 'aws:TagKeys': keys }, Null: { 'aws:TagKeys': 'false' } });

/** The tag of an instance, as Systems Manager asks about it. */
const COMMAND_TAG = `ssm:resourceTag/${TAG.group}`;

const inRegion: Of<IamCondition> = ({ region }) =>
  region === '*' ? {} : { StringEquals: { 'aws:RequestedRegion': region } };

/** Where the partition's services are reached. */
export const domainOf = ({ partition }: Pick<PolicyScope, 'partition'>): string =>
  `amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;

const throughEc2: Of<IamCondition> = (scope) =>
  scope.region === '*'
    ? { StringLike: { 'kms:ViaService': `ec2.*.${domainOf(scope)}` } }
    : { StringEquals: { 'kms:ViaService': `ec2.${scope.region}.${domainOf(scope)}` } };

const throughStores: Of<IamCondition> = (scope) => {
  const stores = [
    ...(scope.parameters.length > 0 ? ['ssm'] : []),
    ...(scope.secrets.length > 0 ? ['secretsmanager'] : []),
  ];
  return { StringLike: { 'kms:ViaService': stores.map((one) => `${one}.${scope.region}.${domainOf(scope)}`) } };
};

const keys: Of<readonly string[]> = ({ partition, region, account, kmsKeys }) =>
  kmsKeys.length === 0 ? [`arn:${partition}:kms:${region}:${account}:key/*`] : kmsKeys;

const zones: Of<readonly string[]> = ({ partition, hostedZones }) =>
  hostedZones.map((id) => `arn:${partition}:route53:::hostedzone/${id}`);

const RECORD_TYPES = 'route53:ChangeResourceRecordSetsRecordTypes';
const RECORD_ACTIONS = 'route53:ChangeResourceRecordSetsActions';

/** Actions that make something with tags in the same request. */
const CREATE_ACTIONS = [
  ...['RunInstances', 'CreateSnapshots', 'CopyVolumes', 'CreateNetworkInterface', 'RegisterImage'],
  'CreateCapacityReservation',
];

/** Every statement of a coordinator's policy, by its Sid. */
export const STATEMENTS = {
  Observe: {
    why: 'EC2 knows no narrower resource for lists than everything; they change nothing',
    resources: () => ['*'],
    condition: inRegion,
  },
  LookIntoMembers: {
    why: 'user data and consoles can hold secrets, so those of members only',
    resources: arns('instance'),
    condition: isMembers,
  },
  ChangeMembers: {
    why: 'stops, captures and changes members, and nothing that is not tagged as one',
    resources: arns('instance'),
    condition: isMembers,
  },
  EndReplacements: {
    why: 'a replacement that failed is ended; it has carried the mark of its recovery from birth',
    resources: arns('instance'),
    condition: all(isMembers, isOurs),
  },
  EndRetired: {
    why: 'a retired instance is ended later, or at once for its address, only with that mark on it',
    resources: arns('instance'),
    condition: all(isMembers, tagged(TAG.retiredBy)),
  },
  BindOurDisks: {
    why: 'says which disks go with a replacement; they have carried our mark from birth',
    resources: arns('volume'),
    condition: isOurs,
  },
  CaptureVolumes: {
    why: 'a capture asks for each volume too, and the first ones of a member carry no tag of ours',
    resources: arns('volume'),
    condition: belongsToMember,
  },
  MoveVolumes: {
    why: 'volumes that move to a replacement are the member’s own, and carry no tag of ours',
    resources: arns('volume'),
    condition: belongsToMember,
  },
  CaptureAsOurs: {
    why: 'a snapshot is made with the mark by which it is found, used and removed',
    resources: shared('snapshot'),
    condition: asOurs,
  },
  RegisterAsOurs: {
    why: 'an image is made with the mark by which it is found and removed',
    resources: shared('image'),
    condition: asOurs,
  },
  UseOurSnapshots: {
    why: 'images and disks are made of our own captures, never of a stranger’s snapshot',
    resources: shared('snapshot'),
    condition: isOurs,
  },
  UseBackups: {
    why: 'disks that cannot be reached come back from earlier snapshots that say whose they are',
    resources: shared('snapshot'),
    condition: isMembers,
  },
  CopyAsOurs: {
    why: 'a copy of a disk is made with the mark by which it is found, used and removed',
    resources: arns('volume'),
    condition: asOurs,
  },
  RemoveOurCaptures: {
    why: 'removes what a recovery made, and nothing that is not marked so',
    resources: shared('snapshot', 'image'),
    condition: isOurs,
  },
  ReserveAsOurs: {
    why: 'a place by which EC2 is asked for room has the mark by which it is found and given back',
    resources: arns('capacity-reservation'),
    condition: asOurs,
  },
  EndOurReservations: {
    why: 'gives back places that carry our mark, and never a reservation of somebody else',
    resources: arns('capacity-reservation'),
    condition: isOurs,
  },
  MakePermitAsOurs: {
    why: 'a permit is made with the mark by which it is found, used and revoked',
    resources: arns('network-interface'),
    condition: asOurs,
  },
  MakePermitIn: {
    why: 'a permit is made in the subnet, and with the security groups, of its member',
    resources: arns('subnet', 'security-group'),
  },
  UseOurPermits: {
    why: 'changes and revokes permits, and puts addresses on them; nobody else’s interfaces',
    resources: arns('network-interface'),
    condition: isOurs,
  },
  LaunchAsOurs: {
    why: 'a replacement and its disks are made with the mark of their recovery, in no other group',
    resources: arns('instance', 'volume'),
    condition: all(asOurs, ofNoOtherGroup),
  },
  LaunchWith: {
    why: 'what a launch names beside; the trial names the member’s own image and a new interface',
    resources: both(
      shared('image'),
      arns('network-interface', 'security-group', 'subnet', 'key-pair', 'placement-group', 'capacity-reservation'),
      ({ partition, region, account }) => [
        `arn:${partition}:license-manager:${region}:${account}:license-configuration:*`,
        `arn:${partition}:resource-groups:${region}:${account}:group/*`,
      ],
    ),
  },
  MoveAddresses: {
    why: 'an Elastic IP address of a member carries no tag of ours, unless you see to it',
    resources: arns('elastic-ip'),
    condition: belongsToMember,
  },
  FreeAddresses: {
    why: 'taking an address off asks for the interface too, and a member’s first one is unmarked',
    resources: arns('network-interface'),
  },
  MoveInterfaces: {
    why: 'a further interface of a member carries no tag of ours, unless you see to it',
    resources: arns('network-interface'),
    condition: belongsToMember,
  },
  RemoveRetired: {
    why: 'a volume is removed only with the mark that it was left by a retired instance',
    resources: arns('volume'),
    condition: all(tagged(TAG.retiredBy), belongsToMember),
  },
  TagWhatIsMade: {
    why: 'tags are written while something is made, by the call that makes it',
    resources: both(
      arns('instance', 'volume', 'network-interface', 'capacity-reservation'),
      shared('image', 'snapshot'),
    ),
    condition: () => ({ StringEquals: { 'ec2:CreateAction': CREATE_ACTIONS } }),
  },
  MarkMembers: {
    why: 'marks on members say whose stop it was and until when it is kept; never group or name',
    resources: arns('instance'),
    condition: all(isMembers, onlyTags(TAG.fencedBy, TAG.fencedRun, TAG.retiredBy, TAG.retainUntil)),
  },
  MarkRetiredVolumes: {
    why: 'volumes that a retired instance leaves are marked, so that people know whose they were',
    resources: arns('volume'),
    condition: all(belongsToMember, onlyTags(TAG.retiredBy, TAG.retainUntil)),
  },
  TagOurVolumes: {
    why: 'the volumes of a replacement get the tags of their predecessors back, whatever they are',
    resources: arns('volume'),
    condition: isOurs,
  },
  NamePrepared: {
    why: 'a seed that was launched for a suspect becomes the member, and gets the tags of one then',
    resources: arns('instance'),
    condition: all(isMembers, isOurs, tagged(TAG.preparedFor)),
  },
  PassMemberRoles: {
    why: 'a replacement gets its member’s instance profile: only named roles, only to EC2',
    resources: ({ passRoles }) => passRoles,
    condition: (scope) => ({ StringEquals: { 'iam:PassedToService': `ec2.${domainOf(scope)}` } }),
  },
  LookAtRecords: {
    why: 'reads the records of the hosted zones that are named',
    resources: zones,
  },
  MoveRecords: {
    why: 'swaps records that name a machine, in the hosted zones that are named; never an UPSERT',
    resources: zones,
    condition: () => ({
      'ForAllValues:StringEquals': {
        [RECORD_TYPES]: ['A'],
        [RECORD_ACTIONS]: ['CREATE', 'DELETE'],
      },
      Null: { [RECORD_TYPES]: 'false', [RECORD_ACTIONS]: 'false' },
    }),
  },
  FollowRecords: {
    why: 'asks whether a change has taken effect',
    resources: ({ partition, hostedZones }) =>
      hostedZones.length === 0 ? [] : [`arn:${partition}:route53:::change/*`],
  },
  LookAtTargets: {
    why: 'Elastic Load Balancing knows no narrower resource for lists; they change nothing',
    resources: ({ targetGroups }) => (targetGroups.length === 0 ? [] : ['*']),
    condition: inRegion,
  },
  MoveTargets: {
    why: 'registers replacements and takes failed members out, in the target groups that are named',
    resources: ({ targetGroups }) => targetGroups,
  },
  ReadEvents: {
    why: 'reads the queues of events that are named, and takes out what was looked after',
    resources: ({ eventQueues }) => eventQueues,
  },
  RunDocument: {
    why: 'hooks on instances are scripts of this document; only AWS names one so, in no account',
    resources: ({ partition, region, runsCommands }) =>
      runsCommands ? [`arn:${partition}:ssm:${region}:*:document/AWS-RunShellScript`] : [],
  },
  RunOnMembers: {
    why: 'a hook runs on members, by their tag, and on nothing else',
    resources: (scope) => (scope.runsCommands ? arns('instance')(scope) : []),
    condition: (scope) =>
      scope.groups.length === 0
        ? { Null: { [COMMAND_TAG]: 'false' } }
        : { StringEquals: { [COMMAND_TAG]: scope.groups } },
  },
  FollowCommands: {
    why: 'Systems Manager knows no narrower resource for these',
    resources: ({ runsCommands }) => (runsCommands ? ['*'] : []),
    condition: inRegion,
  },
  TellPings: {
    why: 'tells people when agents were last heard; Systems Manager knows no narrower resource',
    resources: ({ tellsPings }) => (tellsPings ? ['*'] : []),
    condition: inRegion,
  },
  PublishNotices: {
    why: 'tells of changes on the topics that are named',
    resources: ({ topics }) => topics,
  },
  PutNotices: {
    why: 'tells of changes on the buses that are named, in our own name only',
    resources: ({ eventBuses }) => eventBuses,
    condition: () => ({
      'ForAllValues:StringEquals': { 'events:source': [NOTICE_EVENT_SOURCE] },
      Null: { 'events:source': 'false' },
    }),
  },
  LookAtSinks: {
    why: 'sees that topics and buses that are named exist',
    resources: ({ topics, eventBuses }) => [...topics, ...eventBuses],
  },
  ReadParameters: {
    why: 'reads the coordinators’ own keys, of the parameters that are named',
    resources: (scope) => scope.parameters.map((name) => parameterArn(scope, name)),
  },
  ReadSecrets: {
    why: 'reads the coordinators’ own keys, of the secrets that are named',
    resources: (scope) => scope.secrets.map((name) => secretArn(scope, name)),
  },
  OpenSecrets: {
    why: 'the store opens what is read with our rights; we cannot use its key ourselves',
    resources: (scope) => (scope.parameters.length + scope.secrets.length === 0 ? [] : keys(scope)),
    condition: throughStores,
  },
  LookAtKeys: {
    why: 'asks about the keys of volumes before anything needs them',
    resources: keys,
  },
  UseKeys: {
    why: 'EC2 uses the key of a volume with our rights; we cannot use it ourselves',
    resources: keys,
    condition: throughEc2,
  },
  GrantKeys: {
    why: 'EC2 gets a grant for a volume’s key while it attaches it; nobody else gets one',
    resources: keys,
    condition: all(throughEc2, () => ({ Bool: { 'kms:GrantIsForAWSResource': 'true' } })),
  },
} as const satisfies Readonly<Record<string, StatementFacts>>;

export type StatementName = keyof typeof STATEMENTS;
