import type { SeededInstance } from '@understudy/cloud-sim';
import { REGISTERED, type Strategy } from '@understudy/recovery/testing';
import {
  DEFAULT_LADDER,
  DEFAULT_POLICY,
  LADDER_RUNGS,
  type LadderRung,
  type PreparedKind,
  VOLUME_PATHS,
  type VolumePathName,
} from '@understudy/shared';
import { joinedChanges, type PolicyChange } from '@understudy/shared/testing';
import { REATTACH } from '../reattach-scene.ts';
import { nameMember, NAMED } from '../names-scene.ts';
import type { RecoveryFixture, RecoveryFixtureOptions } from '../recovery-fixture.ts';

/** A recovery whose every call is to be struck. */
export interface FaultSubject {
  readonly name: string;
  /** The path that its plan has to take, by whichever strategy offers it. */
  readonly path?: string;
  readonly options: RecoveryFixtureOptions;
  /** What the member has, and what becomes of it, before its recovery is planned. */
  readonly prepare: (scene: RecoveryFixture, old: SeededInstance) => void | Promise<void>;
  /** It is about a member that was replaced, and puts that back. */
  readonly undoes?: true;
  /** Something is made while it is suspect, and taken over by its recovery, or dropped. */
  readonly prepares?: { readonly makes: readonly PreparedKind[]; readonly end: 'taken' | 'dropped' };
}

const nothing = (): void => undefined;

const isPathName = (name: string): name is VolumePathName => VOLUME_PATHS.some((one) => one === name);

/** What is there before the recovery is not what it made. */
function noteAsSeeded(scene: RecoveryFixture): void {
  for (const kind of scene.resources()) for (const one of kind) scene.seededIds.add(one.id);
}

const HOUR_MS = 3_600_000;

/**
 * Paths that are taken only in a situation of their own. The others are taken where they are asked
 * for.
 */
const PATH_SITUATIONS: Readonly<Record<string, Pick<FaultSubject, 'options' | 'prepare'>>> = {
  'latest-snapshot': {
    options: { policy: { recover: { volumes: { ...DEFAULT_POLICY.recover.volumes, maxDataLossMs: 2 * HOUR_MS } } } },
    prepare: (scene, old) => {
      scene.sim.seed('CreateSnapshots', { InstanceSpecification: { InstanceId: old.instanceId } });
      noteAsSeeded(scene);
      const { region } = scene.sim.core;
      region.volumes.update(old.volumeIds['/dev/sdf'] ?? '', { state: 'error' }, region.nowMs, true);
    },
  },
  'multi-attach': {
    options: { dataVolumes: 0 },
    prepare: (scene, old) => {
      const shape = { AvailabilityZone: old.az, Size: 8, VolumeType: 'io2', Iops: 100, MultiAttachEnabled: true };
      const { VolumeId } = scene.sim.seed('CreateVolume', shape);
      scene.sim.seed('AttachVolume', { VolumeId, InstanceId: old.instanceId, Device: '/dev/sdm' });
      noteAsSeeded(scene);
    },
  },
};

const pinned = (path: VolumePathName): RecoveryFixtureOptions => ({
  policy: { recover: { volumes: { ...DEFAULT_POLICY.recover.volumes, pin: { all: path } } } },
});

/** What a member has of each kind of identity, so that the move of that kind has work. */
const IDENTITIES: Readonly<Record<string, (scene: RecoveryFixture, old: SeededInstance) => void>> = {
  secondary: (scene, { networkInterfaceId: NetworkInterfaceId }) => {
    scene.sim.seed('AssignPrivateIpAddresses', { NetworkInterfaceId, SecondaryPrivateIpAddressCount: 1 });
  },
  ipv6: (scene, { networkInterfaceId: NetworkInterfaceId }) => {
    scene.sim.seed('AssignIpv6Addresses', { NetworkInterfaceId, Ipv6AddressCount: 1 });
  },
  prefix: (scene, { networkInterfaceId: NetworkInterfaceId }) => {
    scene.sim.seed('AssignPrivateIpAddresses', { NetworkInterfaceId, Ipv4PrefixCount: 1 });
  },
  interface: (scene, { subnetId: SubnetId, instanceId: InstanceId }) => {
    const { NetworkInterface } = scene.sim.seed('CreateNetworkInterface', { SubnetId }) as {
      NetworkInterface: { NetworkInterfaceId: string };
    };
    const { NetworkInterfaceId } = NetworkInterface;
    scene.sim.seed('AttachNetworkInterface', { NetworkInterfaceId, InstanceId, DeviceIndex: 1 });
    noteAsSeeded(scene);
  },
};

const isRung = (name: string): name is LadderRung => LADDER_RUNGS.some((rung) => rung === name);

/** By this strategy, the only way that the policy allows: it is not given up for another one. */
export const onlyBy = (strategy: Strategy, options: RecoveryFixtureOptions): RecoveryFixtureOptions => {
  const { name } = strategy;
  const ladder = isRung(name) ? { recover: { ladder: { ...DEFAULT_LADDER, rungs: [name] } } } : {};
  return { ...options, strategy, policy: joinedChanges(options.policy ?? {}, ladder) };
};

const strategySubject = (strategy: Strategy): FaultSubject => ({
  name: `strategy ${strategy.name}`,
  options: onlyBy(strategy, {}),
  prepare: nothing,
});

const pathSubject = (name: string): FaultSubject => ({
  ...{ name: `path ${name}`, path: name },
  ...(PATH_SITUATIONS[name] ?? { options: isPathName(name) ? pinned(name) : {}, prepare: nothing }),
});

/** Moves that are there only where the policy asks for them. */
const NAMES: readonly string[] = ['record', 'target'];

/** What the policy has to ask for. */
const MOVE_POLICIES: Readonly<Record<string, PolicyChange>> = {
  primary: { identity: { primaryAddress: 'follow' } },
};

const moveSubject = (name: string): FaultSubject =>
  NAMES.includes(name)
    ? { name: `move ${name}`, options: NAMED.options, prepare: nameMember }
    : {
        name: `move ${name}`,
        options: { request: { InstanceType: 'm5.large' }, policy: MOVE_POLICIES[name] ?? {} },
        prepare: IDENTITIES[name] ?? nothing,
      };

/** A recovery that begins with what was made for a suspect, and a drop of it. */
const preparedSubjects = (kind: PreparedKind, options: RecoveryFixtureOptions): readonly FaultSubject[] =>
  (['taken', 'dropped'] as const).map((end) => ({
    ...{ name: `prepared ${kind}, ${end}`, options, prepare: nothing },
    prepares: { makes: [kind], end },
  }));

/** What every member has, and every strategy does, needs no subject of its own. */
const isExtra = (name: string): boolean => name !== 'snapshot' && name !== 'address';

/**
 * All that is registered: each strategy, each path and each move. What is registered later joins by
 * itself; a path or move that needs a situation of its own has a line above.
 */
export const FAULT_SUBJECTS: readonly FaultSubject[] = [
  ...REGISTERED.strategies.filter(({ name }) => name !== 'undo').map(strategySubject),
  {
    name: 'strategy reattach, with its address',
    options: { policy: { identity: { primaryAddress: 'follow' }, recover: { strategy: 'reattach' } } },
    prepare: nothing,
  },
  { name: 'strategy undo', options: {}, prepare: nothing, undoes: true },
  ...REGISTERED.volumePaths.filter(({ name }) => isExtra(name)).map(({ name }) => pathSubject(name)),
  ...REGISTERED.identityMoves
    .map(({ record }) => record.name)
    // One subject has them both.
    .filter((name) => isExtra(name) && name !== 'target')
    .map(moveSubject),
  ...preparedSubjects('seed', REATTACH),
  ...preparedSubjects('snapshot', {}),
  ...preparedSubjects('capacity', {}),
];
