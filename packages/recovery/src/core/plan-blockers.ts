import {
  type CloudInstance,
  type CloudVolume,
  flagOf,
  type GroupPolicy,
  rawListOf,
  rawOf,
  textOf,
} from '@understudy/shared';
import type { Placements } from './placement.ts';
import type { Finding } from './finding.ts';
import type { PlanInput } from './plan-input.ts';
import { missingProblems } from './references.ts';
import { firstBootProblems } from './plan-first-boot.ts';
import { imageOf } from './plan-launch-base.ts';
import { primaryInterfaceOf } from './plan-raw.ts';
import { lockedProblems } from './volume-keys.ts';

/** Why this instance cannot, or must not, be replaced. Empty = it can. */
export function blockersOf(input: PlanInput, placements: Placements, policy: GroupPolicy): readonly Finding[] {
  return [
    ...ownerProblems(input.instance),
    ...marketProblems(input.instance),
    ...machineProblems(input),
    ...volumeProblems(input),
    ...firstBootProblems(input, policy),
    ...lockedProblems(input.volumes, input.references.keys),
    ...missingProblems(input.instance, input.references, policy),
    ...placementProblems(placements),
  ];
}

/** Somebody else replaces this instance already; two of them would fight. */
const OWNER_TAGS: readonly { readonly prefix: string; readonly code: string; readonly owner: string }[] = [
  { prefix: 'aws:autoscaling:groupName', code: 'ManagedByAutoScaling', owner: 'an Auto Scaling group' },
  { prefix: 'eks:', code: 'ManagedByEks', owner: 'EKS' },
  { prefix: 'aws:eks:', code: 'ManagedByEks', owner: 'EKS' },
  { prefix: 'elasticbeanstalk:', code: 'ManagedByBeanstalk', owner: 'Elastic Beanstalk' },
  { prefix: 'aws:elasticmapreduce:', code: 'ManagedByEmr', owner: 'EMR' },
  { prefix: 'aws:ec2:fleet-id', code: 'ManagedByFleet', owner: 'an EC2 fleet' },
  { prefix: 'aws:ec2spot:fleet-request-id', code: 'ManagedByFleet', owner: 'a Spot fleet' },
];

function ownerProblems(instance: CloudInstance): Finding[] {
  const problems = new Map<string, Finding>();
  for (const key of Object.keys(instance.tags)) {
    const found = OWNER_TAGS.find(({ prefix }) => key.startsWith(prefix));
    if (found) problems.set(found.code, { code: found.code, text: `tag ${key}: ${found.owner} manages this instance` });
  }
  const operator = rawOf(instance.raw.Operator);
  if (flagOf(operator.Managed)) {
    const text = `${textOf(operator.Principal) ?? 'an AWS service'} operates this instance; it cannot be changed by others`;
    problems.set('ManagedByOperator', { code: 'ManagedByOperator', text });
  }
  return [...problems.values()];
}

function marketProblems(instance: CloudInstance): Finding[] {
  const lifecycle = textOf(instance.raw.InstanceLifecycle);
  if (lifecycle === null) return [];
  if (lifecycle !== 'spot') {
    return [
      { code: 'MarketUnsupported', text: `the instance is bought as ${lifecycle}, which a launch cannot repeat` },
    ];
  }
  const text =
    'a Spot instance: its request may relaunch it by itself, and a one-time request cannot be stopped; use an on-demand instance';
  return [{ code: 'SpotInstance', text }];
}

function machineProblems(input: PlanInput): Finding[] {
  const { instance } = input;
  const problems: Finding[] = [];
  const refuse = (when: boolean, code: string, text: string) => when && problems.push({ code, text });
  const gone = instance.state === 'terminated' || instance.state === 'shutting-down';
  refuse(gone, 'InstanceGone', `the instance is ${instance.state}: there is no disk left to take a snapshot of`);
  refuse(
    instance.raw.RootDeviceType === 'instance-store',
    'InstanceStoreRoot',
    'the root device is instance store: it cannot be stopped and no snapshot of it exists',
  );
  refuse(
    primaryInterfaceOf(instance) === null,
    'NoNetworkInterface',
    'the instance shows no primary network interface',
  );
  refuse(imageOf(input) === null, 'ArchitectureUnknown', 'neither instance nor image says which architecture it is');
  refuse(
    instance.raw.VirtualizationType === 'paravirtual',
    'Paravirtual',
    'paravirtual instances need their kernel image, which is not carried',
  );
  refuse(
    rawListOf(instance.raw.SecondaryInterfaces).length > 0,
    'SecondaryNetwork',
    'interfaces in a secondary network cannot outlive their instance and are not carried',
  );
  refuse(
    !PLAIN_LINUX.has(textOf(instance.raw.PlatformDetails) ?? 'Linux/UNIX') || instance.raw.Platform === 'windows',
    'PlatformUnsupported',
    `${textOf(instance.raw.PlatformDetails) ?? 'Windows'}: an image registered from a snapshot may lose its licence billing`,
  );
  return problems;
}

/**
 * Billing of every other platform hangs on the image, not on the snapshot (EC2 User Guide,
 * creating-an-ami-ebs).
 */
const PLAIN_LINUX: ReadonlySet<string> = new Set(['Linux/UNIX']);

function volumeProblems({ instance, volumes }: PlanInput): Finding[] {
  const problems: Finding[] = [];
  const byId = new Map(volumes.map((volume) => [volume.volumeId, volume]));
  if (!instance.volumes.some((attachment) => attachment.deviceName === instance.rootDeviceName)) {
    const text = `no volume is attached as root device ${instance.rootDeviceName ?? '(unknown)'}`;
    problems.push({ code: 'RootVolumeMissing', text });
  }
  for (const attachment of instance.volumes) {
    problems.push(...volumeProblem(attachment.volumeId, byId.get(attachment.volumeId)));
  }
  return problems;
}

function volumeProblem(volumeId: string, volume: CloudVolume | undefined): Finding[] {
  if (!volume) return [{ code: 'VolumeUnknown', text: `EC2 does not show the attached volume ${volumeId}` }];
  const others = volume.attachments.length > 1;
  if (volume.multiAttach || others) {
    const text = `volume ${volumeId} is a Multi-Attach volume: others may write while it is captured`;
    return [{ code: 'VolumeMultiAttach', text }];
  }
  if (volume.sizeGiB <= 0 || volume.volumeType === '') {
    return [{ code: 'VolumeUnknown', text: `EC2 does not say size and type of volume ${volumeId}` }];
  }
  return [];
}

function placementProblems({ candidates, skipped, leaveAz }: Placements): Finding[] {
  if (candidates.length > 0) return [];
  if (leaveAz !== null) return [...skipped, noPlacementOutside(leaveAz)];
  return [...skipped, { code: 'NoPlacement', text: 'there is no place left to launch the replacement in' }];
}

/** Also a readiness problem, as long as nothing is lost yet. */
export const noPlacementOutside = (az: string): Finding => ({
  code: 'NoPlacementOutsideZone',
  text: `none of the policy's placements is outside of ${az}: if that zone is lost there is nowhere to go (guard.whenZoneLost is recover)`,
});
