import type { Reservation, RunInstancesRequest } from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { INSTANCE_TYPES, type SimInstanceType } from '../instance-types.ts';
import { need } from '../lookup.ts';
import type { SimInstance } from '../model.ts';
import { tagsFor } from '../tags.ts';
import { type Call, faultOf, type Region } from '../region.ts';
import { checkAttachments } from './attachment-limits.ts';
import { reservationView } from './instance-views.ts';
import { placedOnHost } from './hosts.ts';
import { type LaunchDisk, launchDisks, makeLaunchVolume } from './launch-disks.ts';
import {
  attachLaunchInterfaces,
  type LaunchNetwork,
  launchNetwork,
  requireCards,
  requireInterfaces,
} from './launch-network.ts';
import { takeCapacity } from './capacity.ts';
import { requireReservedPlace } from './capacity-reservations.ts';
import { requireReferences } from './launch-references.ts';
import { failLaunch, finishLaunch } from './lifecycle.ts';

const TAGGABLE = ['instance', 'volume', 'network-interface', 'spot-instances-request'] as const;
const USER_DATA_MAX = 22_000;

/**
 * The parameters an idempotent repeat must agree in: all but the token and the zone (EC2 developer
 * guide, idempotency).
 */
function parametersOf(input: RunInstancesRequest): object {
  const { ClientToken: _token, DryRun: _dryRun, Placement, ...rest } = input;
  const { AvailabilityZone: _zone, ...placement } = Placement ?? {};
  return { ...rest, Placement: placement };
}

/**
 * The scope of a token. It is zonal when the request names a zone, directly, by subnet or by
 * interface; otherwise Regional. A zonal token used again in another zone launches a second
 * instance.
 */
function tokenScope(region: Region, input: RunInstancesRequest): string {
  const first = input.NetworkInterfaces?.[0];
  const subnetId = input.SubnetId ?? first?.SubnetId;
  const az =
    input.Placement?.AvailabilityZone ??
    (subnetId === undefined ? undefined : region.subnets.get(subnetId)?.az) ??
    (first?.NetworkInterfaceId === undefined ? undefined : region.networkInterfaces.get(first.NetworkInterfaceId)?.az);
  return `RunInstances/${az ?? 'region'}`;
}

/**
 * The answer to a token seen before. @throws IdempotentParameterMismatch,
 * IdempotentInstanceTerminated
 */
function recall(region: Region, call: Call, input: RunInstancesRequest): Reservation | undefined {
  if (!input.ClientToken) return undefined;
  const ids = region.tokens.recall(tokenScope(region, input), input.ClientToken, parametersOf(input));
  if (!ids) return undefined;
  const instances = ids.flatMap((id) => region.instances.get(id) ?? []);
  if (instances.length === 0 || instances.some((one) => one.state === 'terminated')) {
    throw new Ec2Error(
      'IdempotentInstanceTerminated',
      'The client token belongs to a request for an instance that has been terminated.',
    );
  }
  return reservationView(region, call, instances);
}

function checkCounts(input: RunInstancesRequest): number {
  const { MinCount: min = 0, MaxCount: max = 0 } = input;
  if (min < 1 || max < min) {
    throw new Ec2Error('InvalidParameterValue', `MinCount ${min} and MaxCount ${max}: want 1 <= MinCount <= MaxCount`);
  }
  return max;
}

function checkUserData(input: RunInstancesRequest): void {
  const text = input.UserData;
  if (text === undefined) return;
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) {
    throw new Ec2Error('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.');
  }
  if (text.length > USER_DATA_MAX) {
    throw new Ec2Error(
      'InvalidParameterValue',
      `User data is limited to 16384 bytes, was about ${(text.length * 3) / 4}`,
    );
  }
}

function checkImage(region: Region, call: Call, input: RunInstancesRequest) {
  if (input.LaunchTemplate) throw new Ec2Error('UnsupportedOperation', 'Launch templates are not simulated');
  const image = need(call, region.images, 'image', input.ImageId);
  if (image.state !== 'available') {
    throw new Ec2Error('InvalidAMIID.Unavailable', `The image ID '[${image.id}]' is not available (${image.state})`);
  }
  const name = input.InstanceType ?? 'm5.large';
  const type = INSTANCE_TYPES.get(name);
  if (!type) throw new Ec2Error('InvalidParameterValue', `Invalid value '${name}' for InstanceType.`);
  if (type.architecture !== image.architecture) {
    throw new Ec2Error(
      'InvalidParameterValue',
      `The architecture '${type.architecture}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI.`,
    );
  }
  const mode = image.request.BootMode;
  if ((mode === 'uefi' || mode === 'legacy-bios') && !type.bootModes.includes(mode)) {
    throw new Ec2Error(
      'InvalidParameterValue',
      `The instance type '${name}' does not support the boot mode '${mode}' of the specified AMI.`,
    );
  }
  return { image, type };
}

/** @throws Unsupported where the type is not sold in the zone */
function requireOffered(region: Region, az: string, type: SimInstanceType): void {
  if (!region.notOffered.has(`${az}/${type.name}`)) return;
  throw new Ec2Error(
    'Unsupported',
    `Your requested instance type (${type.name}) is not supported in your requested Availability Zone (${az}).`,
  );
}

/**
 * Refuses a bandwidth weighting. Only the newest types take one, and none of them is here;
 * `default` counts as given.
 * @throws InvalidParameterCombination
 */
function requireNoWeighting(input: RunInstancesRequest, type: SimInstanceType): void {
  if (input.NetworkPerformanceOptions?.BandwidthWeighting === undefined) return;
  throw new Ec2Error(
    'InvalidParameterCombination',
    `The instance type ${type.name} does not support bandwidth weighting.`,
  );
}

function checkQuotas(region: Region, count: number, disks: number): void {
  if (region.instances.size + count > region.quotas.instances) {
    throw new Ec2Error(
      'InstanceLimitExceeded',
      `You have requested more instances (${region.instances.size + count}) than your current instance limit of ${region.quotas.instances} allows.`,
    );
  }
  if (region.volumes.size + count * disks > region.quotas.volumes) {
    throw new Ec2Error('VolumeLimitExceeded', `Maximum number of volumes (${region.quotas.volumes}) exceeded.`);
  }
}

interface LaunchPlan {
  readonly input: RunInstancesRequest;
  /** The request with its Dedicated Host, where it goes on one. */
  readonly placed: RunInstancesRequest;
  readonly image: ReturnType<typeof checkImage>['image'];
  readonly instanceType: string;
  readonly network: LaunchNetwork;
  readonly disks: readonly LaunchDisk[];
  readonly reservationId: string;
}

function makeInstance(region: Region, call: Call, plan: LaunchPlan): SimInstance {
  const { input, image, network } = plan;
  const id = region.newId('i');
  const volumeIds = plan.disks.map((disk) => makeLaunchVolume(region, call, id, network.subnet.az, disk));
  const networkInterfaceIds = attachLaunchInterfaces(region, call, id, network, input);
  const off = (value: boolean) => ({ value, former: value, effectiveAtMs: region.nowMs });
  const made: SimInstance = {
    id,
    reservationId: plan.reservationId,
    state: 'pending',
    generation: 1,
    stateReason: null,
    transitionReason: '',
    request: plan.placed,
    imageId: image.id,
    instanceType: plan.instanceType,
    az: network.subnet.az,
    subnetId: network.subnet.id,
    vpcId: network.subnet.vpcId,
    architecture: image.architecture,
    rootDeviceName: image.rootDeviceName,
    clientToken: input.ClientToken ?? null,
    launchedAtWallMs: region.wallMs(),
    runningSinceMs: null,
    checksOkAtMs: null,
    userData: input.UserData ?? null,
    stopProtection: off(input.DisableApiStop ?? false),
    terminationProtection: off(input.DisableApiTermination ?? false),
    shutdownBehavior: input.InstanceInitiatedShutdownBehavior ?? 'stop',
    ebsOptimized: input.EbsOptimized ?? false,
    detailedMonitoring: input.Monitoring?.Enabled ?? false,
    tags: tagsFor(input.TagSpecifications, 'instance', TAGGABLE),
    volumeIds,
    formerRootVolumeIds: [],
    dnsNames: null,
    maintenance: {
      autoRecovery: input.MaintenanceOptions?.AutoRecovery === 'disabled' ? 'disabled' : 'default',
      rebootMigration: 'default',
    },
    networkInterfaceIds,
    autoPublicIp: network.autoPublicIp,
    crashedAtMs: null,
    impairedFromMs: null,
    impairedChecks: [],
    stuck: false,
    forcedStopPending: false,
    busyAfterStopMs: null,
    lateWritesMs: null,
    firstBoot: null,
    events: [],
    productCodes: region.productCodes.get(image.rootSnapshotId) ?? [],
  };
  return region.instances.put(made, region.nowMs, call.instant);
}

function start(region: Region, call: Call, instance: SimInstance): void {
  region.log.launch({
    instanceId: instance.id,
    clientToken: instance.clientToken,
    az: instance.az,
    atMs: region.nowMs,
    wallMs: region.wallMs(),
    tags: instance.tags,
  });
  region.transition('instance', instance.id, null, 'pending', null, { az: instance.az });
  const doomed = faultOf(call, 'launch-then-terminate');
  region.later(call, 'instance.pending', (_atMs, tookMs) => {
    if (doomed) failLaunch(region, instance.id, instance.generation, doomed.code ?? 'Client.InternalError', tookMs);
    else finishLaunch(region, instance.id, instance.generation, tookMs, call.instant);
  });
}

/**
 * `RunInstances`, EC2 API Reference. It is all or nothing: a refused launch leaves nothing behind,
 * not even its token.
 */
export function runInstances(region: Region, call: Call, input: RunInstancesRequest): Reservation {
  const count = checkCounts(input);
  const again = recall(region, call, input);
  if (again) return again;
  checkUserData(input);
  tagsFor(input.TagSpecifications, 'instance', TAGGABLE);
  const { image, type } = checkImage(region, call, input);
  requireNoWeighting(input, type);
  requireReferences(region, call, input);
  const network = launchNetwork(region, call, input, count);
  requireCards(network, type);
  requireInterfaces(network, type);
  requireOffered(region, network.subnet.az, type);
  region.requireZone(network.subnet.az);
  const placed = placedOnHost(region, call, input, network.subnet.az);
  const disks = launchDisks(region, call, input, image);
  checkAttachments(type, disks.length, network.wanted.length);
  checkQuotas(region, count, disks.length);
  if (input.DryRun) throw new Ec2Error('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
  const isReserved = requireReservedPlace(region, call, input, network.subnet.az);
  if (!isReserved) takeCapacity(region, call, network.subnet.az, type.name, count);
  const scope = tokenScope(region, input);
  const plan = { input, placed, image, instanceType: type.name, network, disks, reservationId: region.newId('r') };
  const made = Array.from({ length: count }, () => makeInstance(region, call, plan));
  const ids = made.map((one) => one.id);
  if (input.ClientToken) region.tokens.record(scope, input.ClientToken, parametersOf(input), ids);
  for (const one of made) start(region, call, one);
  return reservationView(
    region,
    call,
    ids.flatMap((id) => region.instances.get(id) ?? []),
  );
}
