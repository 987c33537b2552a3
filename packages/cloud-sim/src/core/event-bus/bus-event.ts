import type { CallEvent, TransitionEvent } from '../event-log.ts';
import type { SimInstanceEvent } from '../model.ts';

/** What a source of events says; the bus puts id and place around it. */
export interface Told {
  readonly source: string;
  readonly detailType: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Where it happens. */
export interface Place {
  readonly region: string;
  readonly account: string;
}

const instanceArn = ({ region, account }: Place, id: string): string =>
  `arn:aws:ec2:${region}:${account}:instance/${id}`;

/** "EC2 Instance State-change Notification": neither before, nor why, nor who. */
const stateChange = (place: Place, id: string, state: string): Told => ({
  ...{ source: 'aws.ec2', detailType: 'EC2 Instance State-change Notification' },
  ...{ resources: [instanceArn(place, id)], detail: { 'instance-id': id, state } },
});

/** The ARN has the zone in place of the Region, and no account (EC2 user guide). */
export const spotInterruption = (id: string, az: string, action: string): Told => ({
  ...{ source: 'aws.ec2', detailType: 'EC2 Spot Instance Interruption Warning' },
  ...{ resources: [`arn:aws:ec2:${az}:instance/${id}`], detail: { 'instance-id': id, 'instance-action': action } },
});

export const rebalanceRecommendation = (place: Place, id: string): Told => ({
  ...{ source: 'aws.ec2', detailType: 'EC2 Instance Rebalance Recommendation' },
  ...{ resources: [instanceArn(place, id)], detail: { 'instance-id': id } },
});

const HEALTH_CODES: Readonly<Record<string, string>> = {
  'instance-stop': 'AWS_EC2_INSTANCE_STOP_SCHEDULED',
  'instance-retirement': 'AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED',
  'instance-reboot': 'AWS_EC2_INSTANCE_REBOOT_MAINTENANCE_SCHEDULED',
  'system-reboot': 'AWS_EC2_SYSTEM_REBOOT_MAINTENANCE_SCHEDULED',
  'system-maintenance': 'AWS_EC2_INSTANCE_NETWORK_MAINTENANCE_SCHEDULED',
};

/** Bare ids as resources, dates as in mail, and the Region where it happens in the detail. */
export function scheduledChange({ region, account }: Place, id: string, event: SimInstanceEvent): Told {
  const code = HEALTH_CODES[event.code] ?? 'AWS_EC2_OPERATIONAL_ISSUE';
  const startTime = new Date(event.notBeforeWallMs).toUTCString();
  return {
    ...{ source: 'aws.health', detailType: 'AWS Health Event', resources: [id] },
    detail: {
      eventArn: `arn:aws:health:${region}::event/EC2/${code}/${code}_${event.eventId}`,
      ...{
        service: 'EC2',
        eventTypeCode: code,
        eventTypeCategory: 'scheduledChange',
        eventScopeCode: 'ACCOUNT_SPECIFIC',
      },
      ...{ communicationId: `${event.eventId}-1`, startTime, lastUpdatedTime: startTime, statusCode: 'upcoming' },
      ...{ eventRegion: region, eventDescription: [{ language: 'en_US', latestDescription: event.description }] },
      affectedEntities: [{ entityValue: id, status: 'PENDING' }],
      ...{ page: '1', totalPages: '1', backupEvent: 'false', affectedAccount: account },
    },
  };
}

const volumeTold = ({ region, account }: Place, id: string, event: string, result: string): Told => ({
  ...{ source: 'aws.ec2', detailType: 'EBS Volume Notification' },
  resources: [`arn:aws:ec2:${region}:${account}:volume/${id}`],
  detail: { result, cause: '', event, 'request-id': '' },
});

/** The ARN has the Region in the account's place. */
const snapshotTold = ({ region }: Place, id: string, result: string, wallMs: number): Told => {
  const arn = `arn:aws:ec2::${region}:snapshot/${id}`;
  const at = new Date(wallMs).toISOString();
  return {
    ...{ source: 'aws.ec2', detailType: 'EBS Snapshot Notification', resources: [arn] },
    detail: {
      ...{ event: 'createSnapshot', result, cause: '', 'request-id': '', snapshot_id: arn },
      ...{ source: `arn:aws:ec2::${region}:volume/vol-unknown`, startTime: at, endTime: at },
    },
  };
};

/** What EC2 and EBS tell of a change of state. Null: nothing. */
export function toldOf(place: Place, event: TransitionEvent): Told | null {
  const { resourceKind, resourceId: id, from, to, wallMs } = event;
  if (from === to) return null;
  if (resourceKind === 'instance') return to === null ? null : stateChange(place, id, to);
  if (resourceKind === 'volume' && from === 'creating' && to !== null)
    return volumeTold(place, id, 'createVolume', to === 'error' ? 'failed' : 'available');
  if (resourceKind === 'volume' && to === null) return volumeTold(place, id, 'deleteVolume', 'deleted');
  if (resourceKind === 'snapshot' && (to === 'completed' || to === 'error'))
    return snapshotTold(place, id, to === 'error' ? 'failed' : 'succeeded', wallMs);
  return null;
}

const READS = /^(?:Describe|Get)/;

/** `instancesSet` and the like, as CloudTrail writes parameters. */
function parametersOf(input: CallEvent['input']): Readonly<Record<string, unknown>> {
  const { InstanceIds, ...rest } = input;
  const others = Object.entries(rest).filter(([, value]) => typeof value === 'string' || typeof value === 'boolean');
  return {
    ...(Array.isArray(InstanceIds) && {
      instancesSet: { items: InstanceIds.map((one) => ({ instanceId: String(one) })) },
    }),
    ...Object.fromEntries(others.map(([key, value]) => [`${key.charAt(0).toLowerCase()}${key.slice(1)}`, value])),
  };
}

const identityOf = ({ account }: Place, reader: string): Readonly<Record<string, unknown>> => ({
  ...{ type: 'AssumedRole', principalId: `AROASIMULATED:${reader}`, accountId: account },
  arn: `arn:aws:sts::${account}:assumed-role/sim/${reader}`,
  sessionContext: {
    sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${account}:role/sim`, userName: 'sim' },
  },
});

/**
 * "AWS API Call via CloudTrail": every changing call to EC2 that was decided, refused ones and
 * trials too. A call that never arrived has no record. Null: none.
 */
export function apiCall(place: Place, call: CallEvent): Told | null {
  const { action, outcome, executed, wallMs, reader, seq } = call;
  if (action.includes(':') || READS.test(action) || (outcome === 'lost' && !executed)) return null;
  const errorCode = executed ? null : `${outcome === 'InternalError' ? 'Server' : 'Client'}.${outcome}`;
  return {
    ...{ source: 'aws.ec2', detailType: 'AWS API Call via CloudTrail', resources: [] },
    detail: {
      ...{ eventVersion: '1.09', eventID: `event-${seq}`, eventTime: new Date(wallMs).toISOString() },
      ...{ eventSource: 'ec2.amazonaws.com', eventName: action, awsRegion: place.region },
      ...{ sourceIPAddress: '198.51.100.1', userAgent: call.caller?.userAgent ?? 'aws-cli/2.31 md/awscrt' },
      ...{ readOnly: false, managementEvent: true, userIdentity: identityOf(place, reader) },
      ...{ requestParameters: parametersOf(call.input), responseElements: null },
      ...(errorCode !== null && { errorCode, errorMessage: call.message ?? '' }),
      requestID: call.caller?.requestId ?? `request-${seq}`,
    },
  };
}
