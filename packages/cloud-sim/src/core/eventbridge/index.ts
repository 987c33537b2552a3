import type {
  DescribeEventBusRequest,
  DescribeEventBusResponse,
  PutEventsRequest,
  PutEventsRequestEntry,
  PutEventsResponse,
  PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';
import { rawOf } from '@understudy/shared';
import type { Handler } from '../actions/common.ts';
import { refuse } from '../ec2-error.ts';
import type { Call, Region } from '../region.ts';

/** Before its actions in faults, denied actions and the event log. */
export const EVENTBRIDGE_PREFIX = 'events:';
/** One entry of a request, as faults name it: it fails with their code, and the others do not. */
const PUT_ENTRY = 'events:PutEntry';

const ENTRIES_MAX = 10;
/** User guide, PutEvents: "less than 1 MB" for all entries together; it was 256 KB before. */
const BYTES_MAX = 1_048_576;
const DETAIL_TYPE_MAX = 128;

const failed = (ErrorCode: string, ErrorMessage: string): PutEventsResultEntry => ({ ErrorCode, ErrorMessage });

const bytesOf = ({ Time, Source = '', DetailType = '', Detail = '', Resources = [] }: PutEventsRequestEntry): number =>
  [Source, DetailType, Detail, ...Resources].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    Time === undefined ? 0 : 14,
  );

const missing = (entry: PutEventsRequestEntry): string | undefined =>
  (['Source', 'DetailType', 'Detail'] as const).find((name) => (entry[name] ?? '') === '');

/** Null: it is no JSON object. */
function objectIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? rawOf(parsed) : null;
  } catch {
    return null;
  }
}

/** What is wrong with an entry. Null: nothing. */
function entryFault(entry: PutEventsRequestEntry): PutEventsResultEntry | null {
  const absent = missing(entry);
  if (absent !== undefined)
    return failed('InvalidArgument', `Parameter ${absent} is not valid. Reason: ${absent} is a required argument.`);
  if (entry.Source?.startsWith('aws.'))
    return failed('NotAuthorizedForSourceException', 'Not authorized for the source.');
  if ((entry.DetailType ?? '').length > DETAIL_TYPE_MAX)
    return failed('InvalidArgument', 'Parameter DetailType is not valid. Reason: it is longer than 128 characters.');
  return objectIn(entry.Detail ?? '') === null ? failed('MalformedDetail', 'Detail is malformed.') : null;
}

/** An event for a bus that does not exist gets an id like any other, and is dropped. */
function putEntry(region: Region, entry: PutEventsRequestEntry): PutEventsResultEntry {
  const { events, faults } = region;
  const struck = faults.strike(PUT_ENTRY, { ...entry }).find((one) => one.kind === 'error' || one.kind === 'throttle');
  if (struck) return failed(struck.code ?? 'ThrottlingException', struck.message ?? 'Rate exceeded');
  const fault = entryFault(entry);
  if (fault) return fault;
  const { Source = '', DetailType = '', Detail = '', Resources = [], Time, EventBusName } = entry;
  const told = { source: Source, detailType: DetailType, resources: Resources, detail: objectIn(Detail) ?? {} };
  const event = events.envelope({ ...told, wallMs: Time?.getTime() ?? region.wallMs() });
  const bus = events.busNamed(EventBusName);
  if (bus !== null) events.forge(event, 0, bus);
  return { EventId: event.id };
}

/** `PutEvents`. Entries fail one by one, in an answer of success. @throws ValidationException */
function putEvents(region: Region, _call: Call, { Entries = [] }: PutEventsRequest): PutEventsResponse {
  if (Entries.length === 0 || Entries.length > ENTRIES_MAX)
    refuse('ValidationException', `Value at 'entries' failed to satisfy constraint: 1 to ${ENTRIES_MAX} members`);
  if (Entries.every((entry) => missing(entry) !== undefined))
    refuse('ValidationException', `Parameter ${missing(Entries[0] ?? {})} is required in every entry.`);
  if (Entries.reduce((sum, entry) => sum + bytesOf(entry), 0) >= BYTES_MAX)
    refuse('ValidationException', 'Total size of the entries in the request is over the limit.');
  const results = Entries.map((entry) => putEntry(region, entry));
  return { FailedEntryCount: results.filter((one) => one.ErrorCode !== undefined).length, Entries: results };
}

/** `DescribeEventBus`. @throws ResourceNotFoundException */
function describeEventBus({ events }: Region, _call: Call, input: DescribeEventBusRequest): DescribeEventBusResponse {
  const Name = events.busNamed(input.Name);
  if (Name === null) return refuse('ResourceNotFoundException', `Event bus ${input.Name} does not exist.`);
  return { Name, Arn: events.busArn(Name) };
}

/** The actions of EventBridge that are simulated, with their prefix. */
export const EVENTBRIDGE_HANDLERS = {
  'events:PutEvents': putEvents,
  'events:DescribeEventBus': describeEventBus,
} satisfies Record<string, Handler>;
