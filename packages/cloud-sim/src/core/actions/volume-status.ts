import type {
  DescribeVolumeStatusRequest,
  DescribeVolumeStatusResult,
  EnableVolumeIORequest,
  VolumeStatusDetails,
  VolumeStatusItem,
} from '@aws-sdk/client-ec2';
import { applyFilters, type FilterTable } from '../filters.ts';
import { isInitializing, progressOf } from '../initialization.ts';
import { look, need, requireHealthyZones } from '../lookup.ts';
import type { SimInitialization, SimVolume } from '../model.ts';
import { page } from '../pages.ts';
import type { Call, Region } from '../region.ts';

const isUp = (one: SimVolume): boolean => one.state === 'available' || one.state === 'in-use';

/** The status does not tell of a volume in `error`: that has no data to check. */
function statusOf(one: SimVolume): 'ok' | 'impaired' | 'insufficient-data' {
  if (!isUp(one)) return 'insufficient-data';
  return one.ioEnabled ? 'ok' : 'impaired';
}

function detailsOf(one: SimVolume, nowMs: number): VolumeStatusDetails[] {
  if (!isUp(one)) return [{ Name: 'io-enabled', Status: 'insufficient-data' }];
  const measured =
    one.attachments.length > 0 && one.ioEnabled && (one.volumeType === 'io1' || one.volumeType === 'io2');
  const state = isInitializing(one.initialization, nowMs) ? 'initializing' : 'completed';
  return [
    { Name: 'io-enabled', Status: one.ioEnabled ? 'passed' : 'failed' },
    { Name: 'io-performance', Status: measured ? 'normal' : 'not-applicable' },
    ...(one.initialization ? [{ Name: 'initialization-state' as const, Status: state }] : []),
  ];
}

const initializationView = (one: SimInitialization, nowMs: number) => ({
  InitializationType: one.type,
  Progress: progressOf(one, nowMs),
  ...(one.type === 'provisioned-rate' && {
    EstimatedTimeToCompleteInSeconds: Math.max(0, Math.ceil((one.dueAtMs - nowMs) / 1_000)),
  }),
});

const DISABLED = 'potential-data-inconsistency';

function statusView(one: SimVolume, nowMs: number): VolumeStatusItem {
  const event = { EventId: `evol-${one.id.slice('vol-'.length)}`, EventType: DISABLED };
  const disabled = isUp(one) && !one.ioEnabled;
  return {
    VolumeId: one.id,
    AvailabilityZone: one.az,
    VolumeStatus: { Status: statusOf(one), Details: detailsOf(one, nowMs) },
    Events: disabled ? [{ ...event, Description: 'I/O is disabled: the data may be inconsistent' }] : [],
    Actions: disabled ? [{ ...event, Code: 'enable-volume-io', Description: 'Enable volume I/O' }] : [],
    InitializationStatusDetails: one.initialization ? initializationView(one.initialization, nowMs) : undefined,
    AttachmentStatuses: one.attachments.map(({ instanceId }) => ({
      InstanceId: instanceId,
      IoPerformance: 'not-applicable',
    })),
  };
}

const statusFilters = (nowMs: number): FilterTable<SimVolume> => ({
  'availability-zone': (one) => [one.az],
  'volume-status.status': (one) => [statusOf(one)],
  'volume-status.details-name': (one) => detailsOf(one, nowMs).map(({ Name }) => Name),
  'volume-status.details-status': (one) => detailsOf(one, nowMs).map(({ Status }) => Status),
  'attachment-status.instance-id': (one) => one.attachments.map(({ instanceId }) => instanceId),
});

/** `DescribeVolumeStatus`. It is the only place where EC2 tells how far an initialization is. */
export function describeVolumeStatus(
  region: Region,
  call: Call,
  input: DescribeVolumeStatusRequest,
): DescribeVolumeStatusResult {
  const found = look(call, region.volumes, 'volume', input.VolumeIds);
  requireHealthyZones(region, (input.VolumeIds?.length ?? 0) > 0, found);
  const matching = applyFilters(found, input.Filters, statusFilters(call.nowMs));
  const limits = { min: 5, max: 1_000, unpaginated: 1_000 };
  const { items, nextToken } = page('DescribeVolumeStatus', matching, input, limits, input.VolumeIds);
  return { VolumeStatuses: items.map((one) => statusView(one, call.nowMs)), NextToken: nextToken };
}

/** `EnableVolumeIO`: the owner takes the data as they are. Idempotent. */
export function enableVolumeIO(region: Region, call: Call, input: EnableVolumeIORequest): object {
  const volume = need(call, region.volumes, 'volume', input.VolumeId);
  region.requireZone(volume.az);
  region.volumes.update(volume.id, { ioEnabled: true }, region.nowMs, call.instant);
  return {};
}
