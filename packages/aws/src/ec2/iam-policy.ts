import { TAG } from '@understudy/shared';
import type { Ec2Action } from './actions.ts';

/** A statement of an IAM policy, in IAM's own words. */
export interface IamStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface IamPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly IamStatement[];
}

export interface IamPolicyOptions {
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition?: string;
  /**
   * Roles that members' instance profiles may hand to a replacement. Default: any role of the
   * account.
   */
  readonly passRoles?: readonly string[];
}

/** Why an action is called. Each purpose is one or more statements of {@link iamPolicyOf}. */
type Purpose =
  | 'observe'
  | 'fence'
  | 'capture'
  | 'snapshot-ours'
  | 'image'
  | 'launch'
  | 'permit'
  | 'permit-ours'
  | 'address'
  | 'retired-volume'
  | 'tag'
  | 'untag';

/** Every action this program calls. A new one does not compile until its purpose is given here. */
export const ACTION_PURPOSES: Readonly<Record<Ec2Action, Purpose>> = {
  DescribeInstances: 'observe',
  DescribeInstanceStatus: 'observe',
  DescribeInstanceAttribute: 'observe',
  DescribeInstanceCreditSpecifications: 'observe',
  DescribeInstanceTypes: 'observe',
  DescribeInstanceTypeOfferings: 'observe',
  DescribeKeyPairs: 'observe',
  DescribePlacementGroups: 'observe',
  DescribeCapacityReservations: 'observe',
  DescribeRouteTables: 'observe',
  DescribeVolumes: 'observe',
  DescribeSnapshots: 'observe',
  DescribeImages: 'observe',
  DescribeNetworkInterfaces: 'observe',
  DescribeAddresses: 'observe',
  DescribeSubnets: 'observe',
  DescribeTags: 'observe',
  GetConsoleOutput: 'observe',
  StopInstances: 'fence',
  TerminateInstances: 'fence',
  ModifyInstanceAttribute: 'fence',
  RunInstances: 'launch',
  CreateSnapshots: 'capture',
  DeleteSnapshot: 'snapshot-ours',
  DeleteVolume: 'retired-volume',
  RegisterImage: 'image',
  DeregisterImage: 'snapshot-ours',
  CreateNetworkInterface: 'permit',
  DeleteNetworkInterface: 'permit-ours',
  ModifyNetworkInterfaceAttribute: 'permit-ours',
  AssociateAddress: 'address',
  DisassociateAddress: 'address',
  CreateTags: 'tag',
  DeleteTags: 'untag',
};

const actionsFor = (purpose: Purpose): readonly string[] =>
  Object.entries(ACTION_PURPOSES).flatMap(([action, own]) => (own === purpose ? `ec2:${action}` : []));

/** Condition: the resource carries this tag. */
const tagged = (key: string) => ({ Null: { [`aws:ResourceTag/${key}`]: 'false' } });
/** Condition: the request gives this tag to what it makes. */
const tagging = (key: string) => ({ Null: { [`aws:RequestTag/${key}`]: 'false' } });

/** Actions that make something with tags in the same request. */
const CREATE_ACTIONS = ['RunInstances', 'CreateSnapshots', 'CreateNetworkInterface', 'RegisterImage'];

/**
 * The permissions of a coordinator's role, and no more. It may read everything (EC2 knows no
 * narrower resource there). It may stop, change or delete only resources with our tags, and make
 * resources only with our tags. Sources: Service Authorization Reference for EC2; EBS User Guide
 * for the keys.
 */
export function iamPolicyOf(options: IamPolicyOptions = {}): IamPolicy {
  const { partition = 'aws', passRoles = [`arn:${partition}:iam::*:role/*`] } = options;
  const of = (...kinds: readonly string[]) => kinds.map((kind) => `arn:${partition}:ec2:*:*:${kind}/*`);
  /** The ARNs of images and snapshots name no account. */
  const shared = (...kinds: readonly string[]) => kinds.map((kind) => `arn:${partition}:ec2:*::${kind}/*`);
  const allow = (
    Sid: string,
    Action: readonly string[],
    Resource: readonly string[],
    Condition?: IamStatement['Condition'],
  ): IamStatement => ({ Sid, Effect: 'Allow', Action, Resource, ...(Condition ? { Condition } : {}) });
  return {
    Version: '2012-10-17',
    Statement: [
      allow('Observe', actionsFor('observe'), ['*']),
      allow('FenceMembers', actionsFor('fence'), of('instance'), tagged(TAG.group)),
      // An attribute of the instance says whether a disk goes with it. Permission may be asked for
      // on both.
      allow('BindDisks', ['ec2:ModifyInstanceAttribute'], of('volume')),
      allow('CaptureMembers', actionsFor('capture'), of('instance'), tagged(TAG.group)),
      allow('CaptureVolumes', actionsFor('capture'), of('volume')),
      allow('CaptureAsOurs', actionsFor('capture'), shared('snapshot'), tagging(TAG.op)),
      allow('RegisterAsOurs', actionsFor('image'), shared('image'), tagging(TAG.op)),
      allow('RegisterFromOurs', actionsFor('image'), shared('snapshot'), tagged(TAG.op)),
      allow('RemoveOurCaptures', actionsFor('snapshot-ours'), shared('snapshot', 'image'), tagged(TAG.op)),
      allow('MakePermitAsOurs', actionsFor('permit'), of('network-interface'), tagging(TAG.op)),
      allow('MakePermitIn', actionsFor('permit'), of('subnet', 'security-group')),
      allow('UseOurPermits', actionsFor('permit-ours'), of('network-interface'), tagged(TAG.op)),
      allow('LaunchAsOurs', actionsFor('launch'), of('instance', 'volume'), tagging(TAG.op)),
      allow('LaunchWith', actionsFor('launch'), [
        ...shared('image', 'snapshot'),
        ...of('network-interface', 'security-group', 'subnet', 'key-pair', 'placement-group', 'capacity-reservation'),
        `arn:${partition}:license-manager:*:*:license-configuration:*`,
        `arn:${partition}:resource-groups:*:*:group/*`,
      ]),
      allow('MoveAddresses', actionsFor('address'), of('elastic-ip', 'instance', 'network-interface')),
      allow('RemoveRetiredVolumes', actionsFor('retired-volume'), of('volume'), tagged(TAG.retiredBy)),
      allow('TagWhatIsMade', actionsFor('tag'), [`arn:${partition}:ec2:*:*:*/*`, ...shared('image', 'snapshot')], {
        StringEquals: { 'ec2:CreateAction': CREATE_ACTIONS },
      }),
      allow('MarkMembers', actionsFor('tag'), of('instance'), tagged(TAG.group)),
      allow('MarkVolumes', actionsFor('tag'), of('volume')),
      allow('RemoveOurMarks', actionsFor('untag'), of('instance', 'volume', 'network-interface'), {
        'ForAllValues:StringLike': { 'aws:TagKeys': 'understudy:*' },
      }),
      allow('PassMemberRoles', ['iam:PassRole'], passRoles, {
        StringEquals: { 'iam:PassedToService': `ec2.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}` },
      }),
      // We ask this before anything needs the key. EC2 asks the others, with our rights, when
      // volumes are made and attached.
      allow('LookAtKeys', ['kms:DescribeKey'], ['*']),
      allow('UseKeysOfVolumes', ['kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKeyWithoutPlaintext'], ['*'], {
        StringLike: { 'kms:ViaService': 'ec2.*.amazonaws.com*' },
      }),
      allow('GrantKeysToVolumes', ['kms:CreateGrant'], ['*'], { Bool: { 'kms:GrantIsForAWSResource': 'true' } }),
    ],
  };
}
