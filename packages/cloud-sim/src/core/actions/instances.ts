import type {
  DescribeInstancesRequest,
  DescribeInstancesResult,
  DescribeInstanceStatusRequest,
  DescribeInstanceStatusResult,
  GetConsoleOutputRequest,
  GetConsoleOutputResult,
  InstanceStatus,
  SummaryStatus,
} from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { applyFilters, type FilterTable } from '../filters.ts';
import { look, need, requireHealthyZones } from '../lookup.ts';
import type { SimInstance, StatusCheck } from '../model.ts';
import { page } from '../pages.ts';
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';
import { date } from './common.ts';
import { addressesByInterface, instanceView, stateView } from './instance-views.ts';

const STATUS_IDS_MAX = 100;

function instanceFilters(region: Region, call: Call): FilterTable<SimInstance> {
  const nics = (one: SimInstance) =>
    one.networkInterfaceIds.flatMap((id) => region.networkInterfaces.seenAsPart(id, call) ?? []);
  const disks = (one: SimInstance) =>
    one.volumeIds.flatMap((id) => region.volumes.seenAsPart(id, call)?.attachments.map((a) => a.device) ?? []);
  return {
    'instance-id': (one) => [one.id],
    'instance-state-name': (one) => [one.state],
    'instance-state-code': (one) => [String(stateView(one.state).Code)],
    'instance-type': (one) => [one.instanceType],
    'image-id': (one) => [one.imageId],
    'client-token': (one) => [one.clientToken],
    'availability-zone': (one) => [one.az],
    'placement.availability-zone': (one) => [one.az],
    'subnet-id': (one) => [one.subnetId],
    'vpc-id': (one) => [one.vpcId],
    'reservation-id': (one) => [one.reservationId],
    architecture: (one) => [one.architecture],
    'root-device-name': (one) => [one.rootDeviceName],
    'key-name': (one) => [one.request.KeyName],
    'reason-code': (one) => [one.stateReason?.code],
    'state-reason-code': (one) => [one.stateReason?.code],
    'private-ip-address': (one) => nics(one).map((nic) => nic.privateIp),
    'network-interface.network-interface-id': (one) => one.networkInterfaceIds,
    'network-interface.subnet-id': (one) => nics(one).map((nic) => nic.subnetId),
    'instance.group-id': (one) => nics(one).flatMap((nic) => nic.groupIds),
    'network-interface.group-id': (one) => nics(one).flatMap((nic) => nic.groupIds),
    'block-device-mapping.volume-id': (one) => one.volumeIds,
    'block-device-mapping.device-name': disks,
  };
}

/**
 * `DescribeInstances`. It is eventually consistent, filtered and really paginated. It fails while a
 * zone it touches is impaired.
 */
export function describeInstances(
  region: Region,
  call: Call,
  input: DescribeInstancesRequest,
): DescribeInstancesResult {
  const ids = input.InstanceIds;
  const found = look(call, region.instances, 'instance', ids);
  requireHealthyZones(region, (ids?.length ?? 0) > 0, found);
  const matching = applyFilters(found, input.Filters, instanceFilters(region, call));
  const { items, nextToken } = page('DescribeInstances', matching, input, { min: 5, max: 1_000 }, ids);
  const addresses = addressesByInterface(region, call);
  const reservations = Map.groupBy(items, (one) => one.reservationId);
  return {
    NextToken: nextToken,
    Reservations: [...reservations].map(([ReservationId, instances]) => ({
      ReservationId,
      OwnerId: ACCOUNT_ID,
      Groups: [],
      Instances: instances.map((one) => instanceView(region, call, one, addresses)),
    })),
  };
}

const summary = (status: SummaryStatus, detail: 'passed' | 'failed' | 'initializing' | 'insufficient-data') => ({
  Status: status,
  Details: [{ Name: 'reachability' as const, Status: detail }],
});

/** Checks that fail now. A failed system check fails the instance check with it. */
function failedChecks(region: Region, instance: SimInstance, nowMs: number): Set<StatusCheck> {
  const failed = new Set(instance.impairedChecks);
  if (instance.volumeIds.some((id) => region.volumes.get(id)?.ioEnabled === false)) failed.add('attached-ebs');
  const crashed = instance.impairedFromMs !== null && nowMs >= instance.impairedFromMs;
  if (crashed || failed.has('system')) failed.add('instance');
  return failed;
}

function checkViews(region: Region, instance: SimInstance, nowMs: number): Partial<InstanceStatus> {
  if (instance.state !== 'running') {
    const none = summary('not-applicable', 'insufficient-data');
    return { SystemStatus: none, InstanceStatus: none, AttachedEbsStatus: none };
  }
  const ok = summary('ok', 'passed');
  const failed = failedChecks(region, instance, nowMs);
  if (failed.size > 0) {
    const view = (check: StatusCheck) => (failed.has(check) ? summary('impaired', 'failed') : ok);
    return { SystemStatus: view('system'), InstanceStatus: view('instance'), AttachedEbsStatus: view('attached-ebs') };
  }
  const initializing = instance.checksOkAtMs === null || nowMs < instance.checksOkAtMs;
  const both = initializing ? summary('initializing', 'initializing') : ok;
  return { SystemStatus: both, InstanceStatus: both, AttachedEbsStatus: both };
}

const STATUS_FILTERS: FilterTable<SimInstance> = {
  'instance-state-name': (one) => [one.state],
  'availability-zone': (one) => [one.az],
  'event.code': (one) => one.events.map((event) => event.code),
};

/** `DescribeInstanceStatus`: running instances only, unless IncludeAllInstances. */
export function describeInstanceStatus(
  region: Region,
  call: Call,
  input: DescribeInstanceStatusRequest,
): DescribeInstanceStatusResult {
  const ids = input.InstanceIds;
  if ((ids?.length ?? 0) > STATUS_IDS_MAX) {
    throw new Ec2Error('InvalidParameterValue', `${ids?.length} instance ids, at most ${STATUS_IDS_MAX}`);
  }
  const found = look(call, region.instances, 'instance', ids);
  requireHealthyZones(region, (ids?.length ?? 0) > 0, found);
  const shown = input.IncludeAllInstances ? found : found.filter((one) => one.state === 'running');
  const matching = applyFilters(shown, input.Filters, STATUS_FILTERS);
  const { items, nextToken } = page('DescribeInstanceStatus', matching, input, { min: 5, max: 1_000 }, ids);
  return {
    NextToken: nextToken,
    InstanceStatuses: items.map((one) => ({
      InstanceId: one.id,
      AvailabilityZone: one.az,
      InstanceState: stateView(one.state),
      Events: one.events.map((event) => ({
        InstanceEventId: event.eventId,
        Code: event.code as 'instance-stop',
        Description: event.description,
        NotBefore: date(event.notBeforeWallMs),
      })),
      ...checkViews(region, one, call.nowMs),
    })),
  };
}

const BOOTED = 'Linux version 6.1.0 (simulated)\nCloud-init finished.\n';
const CRASHED = 'watchdog: BUG: soft lockup\nKernel panic - not syncing: simulated crash\n';

/**
 * `GetConsoleOutput`: what a boot and a crash write. It is posted at transitions only. What the
 * guest wrote since is shown to callers that ask for the latest.
 */
export function getConsoleOutput(region: Region, call: Call, input: GetConsoleOutputRequest): GetConsoleOutputResult {
  const instance = need(call, region.instances, 'instance', input.InstanceId);
  region.requireZone(instance.az);
  const posted = instance.state !== 'running' || input.Latest === true;
  const text = `${BOOTED}${instance.id} login: \n${instance.crashedAtMs !== null && posted ? CRASHED : ''}`;
  return { InstanceId: instance.id, Timestamp: date(region.wallMs()), Output: btoa(text) };
}
