import {
  type CloudInstanceType,
  type CloudVolume,
  numberOf,
  type PlannedVolume,
  rawListOf,
  rawOf,
} from '@understudy/shared';
import type { PlanInput } from '../plan-input.ts';
import type { PathChoice } from '../paths/choose-paths.ts';
import { isShared } from '../paths/disk-facts.ts';
import { disksToKeep } from '../planned-volumes.ts';
import { roughly } from '../predict/duration.ts';
import { initializationMs } from '../predict/figures.ts';
import { lockedTexts, uncheckedTexts, unaskedTexts } from '../volume-keys.ts';
import { type FidelityTheme, type Refusal, when } from './row.ts';

/** What EC2 says of the type of the failed instance; null: nothing. */
export const ownTypeOf = ({ instance, typeFacts }: PlanInput): CloudInstanceType | null =>
  typeFacts.types.get(instance.instanceType) ?? null;

/** DescribeVolumes reports a computed figure for the others; sending it back is an error. */
const TAKES_IOPS: ReadonlySet<string> = new Set(['gp3', 'io1', 'io2']);

/** The disks that EC2 shows attached, each with what DescribeVolumes says of it. */
const disksOf = ({ instance, volumes }: PlanInput): readonly [volumeId: string, volume: CloudVolume | undefined][] => {
  const byId = new Map(volumes.map((volume) => [volume.volumeId, volume]));
  return instance.volumes.map(({ volumeId }) => [volumeId, byId.get(volumeId)]);
};

const pathProblems = (disks: PathChoice, code: string): readonly string[] =>
  disks.kind === 'chosen' ? [] : disks.problems.filter((one) => one.code === code).map((one) => one.text);

const VOLUME_REFUSALS: readonly Refusal[] = [
  {
    code: 'RootVolumeMissing',
    text: ({ input: { instance } }) =>
      when(
        !instance.volumes.some((attachment) => attachment.deviceName === instance.rootDeviceName),
        `no volume is attached as root device ${instance.rootDeviceName ?? '(unknown)'}`,
      ),
    remedy: 'Attach the root volume under the root device name again.',
  },
  {
    code: 'VolumeUnknown',
    text: ({ input }) =>
      disksOf(input).flatMap(([volumeId, volume]) => {
        if (!volume) return [`EC2 does not show the attached volume ${volumeId}`];
        const isVague = volume.sizeGiB <= 0 || volume.volumeType === '';
        return isVague && !isShared(volume) ? [`EC2 does not say size and type of volume ${volumeId}`] : [];
      }),
    remedy: 'It passes by itself where EC2 lags behind. Otherwise the role may lack ec2:DescribeVolumes.',
  },
  {
    code: 'VolumeMultiAttach',
    text: ({ disks }) => pathProblems(disks, 'VolumeMultiAttach'),
    remedy: 'Take the shared volume off the member, or keep its data elsewhere.',
  },
  {
    code: 'VolumePathImpossible',
    text: ({ disks }) => pathProblems(disks, 'VolumePathImpossible'),
    remedy: 'Do what the text says of the path that you want, or allow another one in recover.volumes.',
  },
];

/**
 * Where the disks are NVMe they come by themselves, empty; elsewhere only with a mapping, which EC2
 * does not tell of a running instance.
 */
function instanceStoreOf(input: PlanInput): 'none' | 'comes-empty' | 'wants-mapping' {
  const type = ownTypeOf(input);
  if (type?.instanceStorage !== true) return 'none';
  const { instanceStoreNvme: nvme, hypervisor } = type;
  return nvme !== 'unsupported' && (nvme !== null || hypervisor !== 'xen') ? 'comes-empty' : 'wants-mapping';
}

/** Paths on which a disk comes from S3, block by block. */
const isRestored = ({ path }: PlannedVolume): boolean => path === undefined || path === 'latest-snapshot';

function slowReadsText(volumes: readonly PlannedVolume[]): string | null {
  const restored = volumes.filter(isRestored);
  const [rate] = restored.flatMap((one) => one.initializationRateMiBps ?? []);
  if (restored.length === 0) return null;
  const largestGiB = Math.max(...restored.map((one) => one.sizeGiB));
  const untilMs = initializationMs(largestGiB, rate ?? null);
  return untilMs === null
    ? 'volumes made from snapshots are slow until each block was read once (minutes to hours; volume initialization)'
    : `volumes made from snapshots are slow for up to ${roughly(untilMs)}, while they are filled at ${rate} MiB/s`;
}

export const DISKS: FidelityTheme = {
  theme: 'Disks and memory',
  rows: [
    {
      number: 43,
      attribute: 'state',
      read: ['Instance.State', 'Instance.LaunchTime'],
      carry: { plan: { oldLaunchedAtWallMs: ({ input }) => input.instance.launchedAtWallMs } },
      refuse: [
        {
          code: 'InstanceGone',
          text: ({ input: { instance } }) =>
            when(
              instance.state === 'terminated' || instance.state === 'shutting-down',
              `the instance is ${instance.state}: there is no disk left to take a snapshot of`,
            ),
          remedy: 'Restore the data from another backup. What was terminated cannot be captured.',
        },
      ],
      why: 'A replacement is made from the disks of the failed instance. A later start than the one in the plan means that somebody has started it since.',
    },
    {
      number: 19,
      attribute: 'instance store',
      read: ['Instance.RootDeviceType', 'InstanceType.InstanceStorageSupported', 'InstanceType.InstanceStorageInfo'],
      loss: [
        {
          code: 'InstanceStoreLost',
          text: ({ input }) => when(instanceStoreOf(input) === 'comes-empty', 'instance store disks come back empty'),
        },
        {
          code: 'InstanceStoreNotMapped',
          text: ({ input }) =>
            when(
              instanceStoreOf(input) === 'wants-mapping',
              `instance store disks do not come back at all: ${ownTypeOf(input)?.instanceType} wants ephemeralN mappings at the launch, which are not carried`,
            ),
        },
      ],
      refuse: [
        {
          code: 'InstanceStoreRoot',
          text: ({ input }) =>
            when(
              input.instance.raw.RootDeviceType === 'instance-store',
              'the root device is instance store: it cannot be stopped and no snapshot of it exists',
            ),
          remedy: 'Move the member to an instance that boots from EBS.',
        },
      ],
      why: 'There is no snapshot of such a disk.',
    },
    {
      number: 42,
      attribute: 'default encryption and key',
      read: ['Volume.Encrypted', 'Volume.KmsKeyId', 'KeyMetadata.KeyState', 'KeyMetadata.KeyManager'],
      carry: {
        disk: {
          Encrypted: (volume) => (hasNamedKey(volume) ? true : undefined),
          KmsKeyId: (volume) => (hasNamedKey(volume) ? volume.kmsKeyId : undefined),
        },
      },
      loss: [
        {
          code: 'KmsKeyNotChecked',
          text: ({ input: { volumes, references } }) => [
            ...unaskedTexts(volumes, references.keys),
            ...uncheckedTexts(volumes, references.keys),
          ],
        },
        {
          code: 'KmsKeyUnnamed',
          text: ({ input }) => {
            const { length } = input.volumes.filter((volume) => volume.encrypted && volume.kmsKeyId === null);
            return when(length > 0, `${length} encrypted volumes name no key: the snapshot's key is used`);
          },
        },
      ],
      notice: [
        {
          code: 'KmsKeyNotChecked',
          text: ({ input: { volumes, references } }) => uncheckedTexts(volumes, references.keys),
        },
      ],
      refuse: [
        {
          code: 'KmsKeyUnusable',
          text: ({ input: { volumes, references } }) => lockedTexts(volumes, references.keys),
          remedy: 'Do what the text says of the key: enable it, cancel its deletion, or import its material again.',
        },
      ],
      why: 'A key is always named: encryption alone would take the default key of the account instead of the key of the snapshot.',
    },
    {
      number: 44,
      attribute: 'memory',
      read: [],
      loss: [
        {
          code: 'MemoryLost',
          text: () => 'what was in memory and not yet on disk when the instance was fenced',
        },
      ],
      why: 'It is on no disk.',
    },
    {
      number: 18,
      attribute: 'block devices',
      read: [
        'Instance.BlockDeviceMappings[].DeviceName',
        'Instance.BlockDeviceMappings[].Ebs.VolumeId',
        'Instance.BlockDeviceMappings[].Ebs.DeleteOnTermination',
        'Instance.BlockDeviceMappings[].Ebs.EbsCardIndex',
        'Instance.RootDeviceName',
        'Volume.Size',
        'Volume.VolumeType',
        'Volume.Iops',
        'Volume.Throughput',
        'Volume.MultiAttachEnabled',
        'Volume.Attachments[]',
      ],
      carry: {
        plan: { volumes: ({ disks }) => (disks.kind === 'chosen' ? [...disks.volumes] : []) },
        disk: {
          VolumeSize: (volume) => volume.sizeGiB,
          VolumeType: (volume) => volume.volumeType,
          Iops: ({ iops, volumeType }) => (TAKES_IOPS.has(volumeType) ? (iops ?? undefined) : undefined),
          Throughput: ({ throughputMiBps, volumeType }) =>
            volumeType === 'gp3' ? (throughputMiBps ?? undefined) : undefined,
          VolumeInitializationRate: ({ initializationRateMiBps }) => initializationRateMiBps,
        },
        image: { rootDeviceName: ({ instance }) => instance.rootDeviceName },
      },
      reapply: [{ step: 'verify', call: 'ModifyInstanceAttribute', disksToKeep }],
      loss: [
        {
          code: 'FirstReadsSlow',
          text: ({ disks }) => (disks.kind === 'chosen' ? slowReadsText(disks.volumes) : null),
        },
        {
          code: 'DeviceNamesMayChange',
          text: ({ input }) =>
            when(
              ownTypeOf(input)?.hypervisor !== 'xen' && input.volumes.length > 1,
              'NVMe device names (/dev/nvme1n1) may come in another order: mount by UUID or label',
            ),
        },
        {
          code: 'EbsCardIndexLost',
          text: ({ input }) => {
            const disks = rawListOf(input.instance.raw.BlockDeviceMappings);
            const { length } = disks.filter((item) => numberOf(rawOf(item.Ebs).EbsCardIndex));
            return when(length > 0, `${length} volumes return to EBS card 0`);
          },
        },
      ],
      refuse: VOLUME_REFUSALS,
      why: 'Every disk is made from its snapshot, under its device name. All go with an attempt that dies, and are kept as before once one has passed.',
    },
    {
      number: 20,
      attribute: 'EBS optimization',
      read: ['Instance.EbsOptimized'],
      carry: {
        launch: {
          EbsOptimized: { value: ({ input }) => (input.instance.ebsOptimized ? true : undefined), boundTo: 'type' },
        },
      },
      why: 'Another type may refuse it. Present types have it by default.',
    },
  ],
};

/**
 * `Encrypted` is never sent without its key, nor as `false`, which is refused where encryption by
 * default is on.
 */
const hasNamedKey = ({ encrypted, kmsKeyId }: { encrypted: boolean; kmsKeyId: string | null }): boolean =>
  encrypted && kmsKeyId !== null;
