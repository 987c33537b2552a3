import { type Deed, harmlessText, rawListOf, rawOf, textOf } from '@understudy/shared';
import * as z from 'zod';

/** What kind of event it is, as far as we look after it. */
export type HintType =
  | 'state-change'
  | 'spot-interruption'
  | 'rebalance'
  | 'reservation-interruption'
  | 'health'
  | 'alarm'
  | 'volume'
  | 'snapshot'
  | 'api-call';

/** One message of the queue, read. Nothing of it is a fact: it says where to look. */
export type CloudEvent =
  /** What it is cannot be told: it is left for the dead letters. */
  | { readonly kind: 'unreadable'; readonly why: string }
  /** Nothing here uses it. */
  | { readonly kind: 'unknown'; readonly detailType: string }
  | {
      readonly kind: 'hint';
      readonly type: HintType;
      /** Tells one event from another that says the same. */
      readonly key: string;
      readonly instanceIds: readonly string[];
      /** The state that it claims. Null: it claims none. */
      readonly state: string | null;
      /** Its news are in the status checks and scheduled events. */
      readonly wantsStatus: boolean;
      readonly deed: Deed | null;
      /** A record of a call that was refused, or only a trial: nothing was done. */
      readonly isRefused: boolean;
    };

/** EventBridge's events have 256 KiB at most. */
const BODY_MAX = 262_144;
/** More ids of one event are not looked after. */
const IDS_MAX = 100;
const TEXT_MAX = 512;
/** An ARN of a role's session has 200 at most, a request's id 36. Etcd keeps what is longer cut. */
const WHO_MAX = 256;
const DEED_ID_MAX = 64;
const ID = /^i-[0-9a-f]{8,17}$/;

const EnvelopeSchema = z.object({
  id: z.string().min(1).max(200),
  'detail-type': z.string().min(1).max(200),
  source: z.string().min(1).max(200),
  time: z.string().max(100).default(''),
  /** One sample of AWS's has a bare text in the place of the list. */
  resources: z.union([z.array(z.string()), z.string()]).default([]),
  detail: z.record(z.string(), z.unknown()),
});
type Envelope = z.infer<typeof EnvelopeSchema>;

const shown = (value: unknown): string => harmlessText(textOf(value) ?? '').slice(0, TEXT_MAX);

const idsOf = (values: readonly unknown[]): readonly string[] =>
  [...new Set(values.flatMap((one) => textOf(one) ?? []))].filter((one) => ID.test(one)).slice(0, IDS_MAX);

interface Found {
  readonly instanceIds: readonly string[];
  readonly key?: string;
  readonly state?: string | null;
  readonly wantsStatus?: boolean;
  readonly deed?: Deed | null;
  readonly isRefused?: boolean;
}

interface Reader {
  readonly type: HintType;
  readonly source: string;
  readonly read: (detail: Envelope['detail'], envelope: Envelope) => Found;
}

const ofInstance: Reader['read'] = (detail) => ({ instanceIds: idsOf([detail['instance-id']]) });

/** Nothing that a look at an instance would show. */
const ofNoInstance: Reader['read'] = () => ({ instanceIds: [] });

/** Its resources are bare ids, and it comes in pages, to two Regions (AWS Health user guide). */
function ofHealth(detail: Envelope['detail']): Found {
  const entities = rawListOf(detail.affectedEntities).map((one) => one.entityValue);
  const key = `${shown(detail.eventArn)}|${shown(detail.communicationId)}|${shown(detail.page)}`;
  return { instanceIds: idsOf(entities), key, wantsStatus: true };
}

/** The instance stands deep in the configuration of the alarm. */
function ofAlarm(detail: Envelope['detail']): Found {
  const metrics = rawListOf(rawOf(detail.configuration).metrics);
  const dimensions = metrics.map((one) => rawOf(rawOf(rawOf(one.metricStat).metric).dimensions));
  return { instanceIds: idsOf(dimensions.map((one) => one.InstanceId)), wantsStatus: true };
}

/** What a coordinator's own client calls itself. */
export const OWN_AGENT = 'understudy';

const whoOf = (identity: Readonly<Record<string, unknown>>): string => {
  const arn = shown(identity.arn);
  const service = shown(identity.invokedBy);
  if (arn !== '') return service === '' ? arn : `${arn}, invoked by ${service}`;
  return service === '' ? shown(identity.type) || 'somebody unknown' : service;
};

function ofCall(detail: Envelope['detail']): Found {
  const parameters = rawOf(detail.requestParameters);
  const items = rawListOf(rawOf(parameters.instancesSet).items).map((one) => one.instanceId);
  const instanceIds = idsOf([...items, parameters.instanceId]);
  const eventId = shown(detail.eventID).slice(0, DEED_ID_MAX);
  const atWallMs = Date.parse(shown(detail.eventTime));
  const isRefused = textOf(detail.errorCode) !== null;
  const isTold = !isRefused && eventId !== '' && Number.isFinite(atWallMs);
  const agent = shown(detail.userAgent);
  const deed: Deed = {
    ...{ action: shown(detail.eventName), by: whoOf(rawOf(detail.userIdentity)).slice(0, WHO_MAX) },
    ...{ atWallMs, eventId, requestId: shown(detail.requestID).slice(0, DEED_ID_MAX) },
    isOurs: new RegExp(`(?:^|[ \\[])${OWN_AGENT}/`).test(agent),
  };
  return {
    ...{ instanceIds: isRefused ? [] : instanceIds, key: eventId, isRefused },
    deed: isTold && instanceIds.length > 0 ? deed : null,
  };
}

const READERS: Readonly<Record<string, Reader>> = {
  'EC2 Instance State-change Notification': {
    ...{ type: 'state-change', source: 'aws.ec2' },
    read: (detail) => ({ instanceIds: idsOf([detail['instance-id']]), state: shown(detail.state) || null }),
  },
  'EC2 Spot Instance Interruption Warning': { type: 'spot-interruption', source: 'aws.ec2', read: ofInstance },
  'EC2 Instance Rebalance Recommendation': { type: 'rebalance', source: 'aws.ec2', read: ofInstance },
  'EC2 Spot Instance Rebalance Recommended': { type: 'rebalance', source: 'aws.ec2', read: ofInstance },
  'EC2 Capacity Reservation Instance Interruption Warning': {
    ...{ type: 'reservation-interruption', source: 'aws.ec2', read: ofInstance },
  },
  'AWS Health Event': { type: 'health', source: 'aws.health', read: ofHealth },
  'CloudWatch Alarm State Change': { type: 'alarm', source: 'aws.cloudwatch', read: ofAlarm },
  'EBS Volume Notification': { type: 'volume', source: 'aws.ec2', read: ofNoInstance },
  'EBS Snapshot Notification': { type: 'snapshot', source: 'aws.ec2', read: ofNoInstance },
  'EBS Multi-Volume Snapshots Completion Status': { type: 'snapshot', source: 'aws.ec2', read: ofNoInstance },
  'AWS API Call via CloudTrail': { type: 'api-call', source: 'aws.ec2', read: ofCall },
};

function envelopeIn(body: string): Envelope | string {
  if (body.length > BODY_MAX) return `longer than ${BODY_MAX} characters`;
  try {
    const parsed = EnvelopeSchema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data : 'no event of EventBridge';
  } catch {
    return 'no JSON';
  }
}

/** Reads the body of a message. Null: it did not arrive as it was sent. Pure. */
export function readCloudEvent(body: string | null): CloudEvent {
  if (body === null) return { kind: 'unreadable', why: 'not what was sent, by its checksum' };
  const envelope = envelopeIn(body);
  if (typeof envelope === 'string') return { kind: 'unreadable', why: envelope };
  const detailType = envelope['detail-type'];
  const reader = Object.hasOwn(READERS, detailType) ? READERS[detailType] : undefined;
  if (reader?.source !== envelope.source) return { kind: 'unknown', detailType: shown(detailType) };
  const { instanceIds, key, state, wantsStatus, deed, isRefused } = reader.read(envelope.detail, envelope);
  return {
    ...{ kind: 'hint', type: reader.type, key: key || shown(envelope.id), instanceIds, state: state ?? null },
    ...{ wantsStatus: wantsStatus ?? false, deed: deed ?? null, isRefused: isRefused ?? false },
  };
}
