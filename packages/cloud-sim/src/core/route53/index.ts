import type {
  ChangeInfo,
  ChangeResourceRecordSetsRequest,
  ChangeResourceRecordSetsResponse,
  GetChangeRequest,
  GetChangeResponse,
  GetHostedZoneRequest,
  GetHostedZoneResponse,
  ListHostedZonesRequest,
  ListHostedZonesResponse,
  ListResourceRecordSetsRequest,
  ListResourceRecordSetsResponse,
  ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { normalisedDnsName } from '@understudy/shared';
import type { Handler } from '../actions/common.ts';
import { Ec2Error } from '../ec2-error.ts';
import type { Call, Region } from '../region.ts';
import { applyBatch, costOf } from './change-batch.ts';
import type { SimDnsChange, SimZone } from './zones.ts';

/** Before its actions in faults, denied actions and the event log. */
export const ROUTE53_PREFIX = 'route53:';
/** All its paths begin with it. */
export const ROUTE53_PATH = '/2013-04-01/';

const PAGE_MAX = 300;
const ZONES_MAX = 100;

function admit(region: Region, call: Call, changes = 0): void {
  if (!call.instant) region.dns.rate.admit(call.action, changes, region.nowMs);
}

const infoOf = (region: Region, change: SimDnsChange): ChangeInfo => ({
  Id: `/change/${change.id}`,
  Status: region.nowMs >= change.insyncAtMs ? 'INSYNC' : 'PENDING',
  SubmittedAt: new Date(change.submittedAtWallMs),
  ...(change.comment === null ? {} : { Comment: change.comment }),
});

/**
 * `ChangeResourceRecordSets`: all changes or none.
 * @throws Throttling, NoSuchHostedZone, PriorRequestNotComplete, InvalidChangeBatch
 */
function changeRecords(
  region: Region,
  call: Call,
  { HostedZoneId = '', ChangeBatch }: ChangeResourceRecordSetsRequest,
): ChangeResourceRecordSetsResponse {
  const changes = ChangeBatch?.Changes ?? [];
  admit(region, call, costOf(changes));
  const zone = region.dns.require(HostedZoneId);
  if (!call.instant && region.nowMs < zone.busyUntilMs)
    throw new Ec2Error(
      'PriorRequestNotComplete',
      'The request was rejected because Route 53 was still processing a prior request.',
    );
  if (changes.length === 0) throw refusedBatch(region, ['Invalid request: no changes']);
  const applied = applyBatch(zone, changes);
  if ('faults' in applied) throw refusedBatch(region, applied.faults);
  const busyMs = call.instant ? 0 : region.latency.sampleMs('route53.busy');
  region.dns.put({ ...zone, records: applied.records, busyUntilMs: region.nowMs + busyMs });
  const insyncMs = call.instant ? 0 : region.latency.sampleMs('route53.insync');
  const noted = region.dns.note({
    ...{ zoneId: zone.id, comment: ChangeBatch?.Comment ?? null },
    ...{ submittedAtWallMs: call.wallMs, insyncAtMs: region.nowMs + insyncMs },
  });
  return { ChangeInfo: infoOf(region, noted) };
}

function refusedBatch(region: Region, faults: readonly string[]): Ec2Error {
  const error = new Ec2Error('InvalidChangeBatch', `[${faults.join(', ')}]`);
  return region.dns.refusesInMessages ? error.asMessages() : error;
}

/** `GetChange`. @throws Throttling, NoSuchChange */
function getChange(region: Region, call: Call, { Id = '' }: GetChangeRequest): GetChangeResponse {
  admit(region, call);
  const change = region.dns.change(Id);
  if (!change) throw new Ec2Error('NoSuchChange', `Could not find resource with ID: ${Id}`, 404);
  return { ChangeInfo: infoOf(region, change) };
}

/** Route 53 orders names by their labels, from the right. */
const reversed = (name: string): string => name.split('.').toReversed().join('.');

const placeOf = ({ Name = '', Type, SetIdentifier = '' }: Partial<ResourceRecordSet>): string =>
  [reversed(normalisedDnsName(Name)), Type ?? '', SetIdentifier].join('\u0000');

/** `ListResourceRecordSets`: as they are after the newest change, also while it is pending. */
function listRecords(region: Region, call: Call, input: ListResourceRecordSetsRequest): ListResourceRecordSetsResponse {
  admit(region, call);
  const { StartRecordName, StartRecordType, StartRecordIdentifier, MaxItems } = input;
  const zone = region.dns.require(input.HostedZoneId ?? '');
  const start =
    StartRecordName === undefined
      ? ''
      : placeOf({
          Name: StartRecordName,
          ...(StartRecordType && { Type: StartRecordType }),
          ...(StartRecordIdentifier !== undefined && { SetIdentifier: StartRecordIdentifier }),
        });
  const sorted = [...zone.records.values()].toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  const from = sorted.filter((one) => placeOf(one) >= start);
  const size = Math.min(MaxItems ?? PAGE_MAX, PAGE_MAX);
  const next = from[size];
  return {
    ResourceRecordSets: from.slice(0, size),
    ...{ IsTruncated: next !== undefined, MaxItems: size },
    ...(next && {
      ...{ NextRecordName: next.Name, NextRecordType: next.Type },
      ...(next.SetIdentifier !== undefined && { NextRecordIdentifier: next.SetIdentifier }),
    }),
  };
}

const viewOf = (zone: SimZone): NonNullable<GetHostedZoneResponse['HostedZone']> => ({
  ...{ Id: `/hostedzone/${zone.id}`, Name: zone.name, CallerReference: zone.id },
  Config: { PrivateZone: zone.vpcIds.length > 0 },
  ResourceRecordSetCount: zone.records.size,
});

/** `GetHostedZone`. @throws Throttling, NoSuchHostedZone */
function getZone(region: Region, call: Call, { Id = '' }: GetHostedZoneRequest): GetHostedZoneResponse {
  admit(region, call);
  const zone = region.dns.require(Id);
  const VPCs = zone.vpcIds.map((VPCId) => ({ VPCId, VPCRegion: region.name }));
  return { HostedZone: viewOf(zone), ...(VPCs.length > 0 && { VPCs: VPCs as never }) };
}

/** `ListHostedZones`. @throws Throttling */
function listZones(region: Region, call: Call, { Marker }: ListHostedZonesRequest): ListHostedZonesResponse {
  admit(region, call);
  const from = region.dns.all().filter((one) => Marker === undefined || one.id >= Marker);
  const next = from[ZONES_MAX];
  return {
    HostedZones: from.slice(0, ZONES_MAX).map(viewOf),
    ...{ Marker: Marker ?? '', IsTruncated: next !== undefined, MaxItems: ZONES_MAX },
    ...(next && { NextMarker: next.id }),
  };
}

/** The actions of Route 53 that are simulated, with their prefix. */
export const ROUTE53_HANDLERS = {
  'route53:ChangeResourceRecordSets': changeRecords,
  'route53:GetChange': getChange,
  'route53:ListResourceRecordSets': listRecords,
  'route53:GetHostedZone': getZone,
  'route53:ListHostedZones': listZones,
} satisfies Record<string, Handler>;
