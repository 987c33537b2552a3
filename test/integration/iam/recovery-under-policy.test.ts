import { AWS_CALLS } from '@understudy/aws';
import type { AccessRequest, SeededInstance } from '@understudy/cloud-sim';
import { WAYS_OUT } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished } from '../../scenarios/recovery/checks.ts';
import { type Leader, MEMBER, RecoveryFixture } from '../../scenarios/recovery/recovery-fixture.ts';
import { underGeneratedPolicy } from './generated-policy.ts';

/** A whole recovery under the policy that a coordinator's role is told to have. */
const RIGHTS = { groups: ['db'], roles: ['db'] } as const;

interface Stage {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  readonly leader: Leader;
  /** `action` of every question that was allowed. */
  readonly used: ReadonlySet<string>;
}

/** A member with a profile, an address, and an encrypted disk; its recovery is begun. */
async function staged(without?: string): Promise<Stage> {
  const scene = new RecoveryFixture({ elasticIp: true });
  const key = scene.sim.createKmsKey({ alias: 'alias/orders' }).arn;
  scene.sim.setInstanceProfile('db', true);
  const ebs = { VolumeSize: 10, VolumeType: 'gp3', Encrypted: true, KmsKeyId: key, DeleteOnTermination: false };
  const request = {
    BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: ebs }],
    IamInstanceProfile: { Arn: 'arn:aws:iam::123456789012:instance-profile/db' },
    ...{ DisableApiTermination: true, DisableApiStop: true },
  };
  const old = scene.seedMember(MEMBER, { elasticIp: true, request });
  const used = new Set<string>();
  const [all, less] = [
    underGeneratedPolicy(RIGHTS),
    underGeneratedPolicy({ ...RIGHTS, ...(without ? { without } : {}) }),
  ];
  const noting = (authorize: typeof all) => (asked: AccessRequest) => {
    const allowed = authorize(asked);
    if (allowed) used.add(asked.action);
    return allowed;
  };
  scene.sim.setAuthorize(noting(all));
  await scene.begin(old);
  scene.sim.setAuthorize(noting(less));
  return { scene, old, leader: scene.lead(), used };
}

const allow = ({ scene }: Stage): void => scene.sim.setAuthorize(underGeneratedPolicy(RIGHTS));

describe('a recovery under the generated policy', () => {
  test('gets through, with address, encrypted disk, profile and protections, and is tidied up', async () => {
    const stage = await staged();
    const { scene, old, leader } = stage;
    await scene.clock.runUntilSettled(scene.leadRun(leader));
    const newInstanceId = checkFinished(scene, old);
    expect(scene.sim.log.calls().filter((call) => call.outcome === 'UnauthorizedOperation')).toEqual([]);
    expect(await checkCollected(scene, old, leader, newInstanceId)).toEqual([]);
    expect(scene.sim.log.calls().filter((call) => call.outcome === 'UnauthorizedOperation')).toEqual([]);
  });

  test('uses what it is allowed: most of the table, in one plain recovery', async () => {
    const stage = await staged();
    await stage.scene.clock.runUntilSettled(stage.scene.leadRun(stage.leader));
    await checkCollected(stage.scene, stage.old, stage.leader, checkFinished(stage.scene, stage.old));
    const unused = AWS_CALLS.map((call) => call.action).filter((action) => !stage.used.has(action));
    // What only other members, or looks of a coordinator beside the recovery, need.
    expect(unused.toSorted()).toEqual(UNUSED);
  });
});

const UNUSED = [
  ...['ec2:AssignIpv6Addresses', 'ec2:AssignPrivateIpAddresses', 'ec2:AttachNetworkInterface', 'ec2:AttachVolume'],
  ...['ec2:CancelCapacityReservation', 'ec2:CopyVolumes', 'ec2:CreateCapacityReservation'],
  ...['ec2:DeleteNetworkInterface', 'ec2:DeleteTags', 'ec2:DeleteVolume'],
  'ec2:DescribeCapacityReservations',
  ...['ec2:DescribeKeyPairs', 'ec2:DescribePlacementGroups', 'ec2:DescribeSecurityGroups'],
  ...['ec2:DescribeTags', 'ec2:DescribeVolumeStatus'],
  ...['ec2:DetachNetworkInterface', 'ec2:DetachVolume', 'ec2:GetConsoleOutput'],
  ...['ec2:ModifyInstanceMaintenanceOptions', 'ec2:ModifyPrivateDnsNameOptions', 'ec2:RebootInstances'],
  ...['ec2:StartInstances', 'ec2:UnassignIpv6Addresses', 'ec2:UnassignPrivateIpAddresses'],
  // This member has no records, and is in no target group.
  ...['elasticloadbalancing:DeregisterTargets', 'elasticloadbalancing:DescribeLoadBalancers'],
  ...['elasticloadbalancing:DescribeTargetGroups', 'elasticloadbalancing:DescribeTargetHealth'],
  'elasticloadbalancing:RegisterTargets',
  // It tells of its changes on no bus and no topic.
  ...['events:DescribeEventBus', 'events:PutEvents'],
  ...['route53:ChangeResourceRecordSets', 'route53:GetChange', 'route53:ListResourceRecordSets'],
  // Its master secrets lie in files.
  'secretsmanager:GetSecretValue',
  ...['sns:GetTopicAttributes', 'sns:Publish'],
  // Its leader reads no queue of events.
  ...['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
  // It has no hook on an instance.
  ...['ssm:CancelCommand', 'ssm:DescribeInstanceInformation', 'ssm:GetCommandInvocation'],
  ...['ssm:GetParameter', 'ssm:ListCommandInvocations', 'ssm:SendCommand'],
];

/** What a recovery cannot do without. Each is taken out of the policy in turn. */
const NEEDED = [
  ...['ec2:StopInstances', 'ec2:CreateSnapshots', 'ec2:RegisterImage', 'ec2:CreateNetworkInterface'],
  ...['ec2:RunInstances', 'iam:PassRole', 'ec2:AssociateAddress', 'ec2:DisassociateAddress'],
];

describe('with one needed right taken away', () => {
  test.each(NEEDED)('%s: held, with its name and what to do, and goes on once it is there', async (right) => {
    const stage = await staged(right);
    const { scene, leader, old } = stage;
    expect(await scene.run(leader, scene.intent())).toBe('held');
    const hold = scene.hold();
    expect(hold?.reason).toBe('CloudDenied');
    expect(hold?.text).toContain(`is not authorized to perform: ${right} on resource: arn:aws:`);
    expect(hold?.text).not.toContain('Encoded');
    expect(WAYS_OUT.CloudDenied.act).toContain('understudy iam-policy');
    allow(stage);
    await scene.clock.runUntilSettled(scene.leadRun(leader));
    checkFinished(scene, old);
  });
});
