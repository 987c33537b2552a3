import {
  type BusEntry,
  type EventBus,
  isOperationError,
  NOTICE_EVENT_SOURCE,
  OperationError,
  type Raw,
  rawListOf,
  textOf,
} from '@understudy/shared';
import { mapEc2Error } from '../transport/map-error.ts';
import { sendOnce, type ServiceOptions } from '../transport/send-once.ts';
import { EVENTBRIDGE_ACTIONS } from './actions.ts';

/**
 * All entries of a request together (EventBridge user guide, PutEvents entry size). It was 256 KB
 * before 2026, and Regions may differ: nothing of ours comes near either.
 */
export const EVENT_BYTES_MAX = 262_144;
/** What an entry with a time counts for it. */
const TIME_BYTES = 14;

const bytesOf = ({ source, detailType, detail }: BusEntry): number =>
  TIME_BYTES + Buffer.byteLength(source) + Buffer.byteLength(detailType) + Buffer.byteLength(detail);

/** An entry's own failure stands in an answer of success. As if the call had been refused so. */
function failureOf(entry: Raw): OperationError | null {
  const code = textOf(entry.ErrorCode);
  if (code === null) return null;
  const isTheirs = code.startsWith('Internal');
  const shape = { name: code, $fault: isTheirs ? 'server' : 'client' };
  const error = Object.assign(new Error(textOf(entry.ErrorMessage) ?? code), shape, {
    $metadata: { httpStatusCode: isTheirs ? 500 : 400 },
  });
  // An entry that failed is not on the bus, so this is no unknown outcome.
  return mapEc2Error(error, { action: 'PutEvents', mutating: false });
}

/** The id of the one event. @throws what became of its entry */
function idIn(answer: Raw): string {
  const entries = rawListOf(answer.Entries);
  const [entry, ...others] = entries;
  if (entry === undefined || others.length > 0)
    throw new OperationError('CLOUD_OUTCOME_UNKNOWN', 'PutEvents: not one entry: it is not EventBridge’s answer');
  const failure = failureOf(entry);
  if (failure) throw failure;
  const id = textOf(entry.EventId);
  if (id !== null && answer.FailedEntryCount === 0) return id;
  throw new OperationError('CLOUD_OUTCOME_UNKNOWN', 'PutEvents: an entry without id: it is not EventBridge’s answer');
}

const nameOf = (arn: string): string => arn.slice(arn.indexOf('event-bus/') + 'event-bus/'.length);

/** {@link EventBus} over a transport. */
export function eventBusOver({ busArn, ...parts }: ServiceOptions & { readonly busArn: string }): EventBus {
  const send = sendOnce(parts, EVENTBRIDGE_ACTIONS);
  const putEntry = async (entry: Raw, options?: Parameters<EventBus['put']>[1]): Promise<string> =>
    idIn(await send('PutEvents', { Entries: [{ ...entry, EventBusName: busArn }] }, options));
  return {
    put: async (entry, options) => {
      const bytes = bytesOf(entry);
      if (bytes > EVENT_BYTES_MAX)
        throw new OperationError(
          'CLOUD_REJECTED',
          `PutEvents: ${bytes} bytes, and EventBridge takes ${EVENT_BYTES_MAX}`,
        );
      const { source: Source, detailType: DetailType, detail: Detail, atWallMs } = entry;
      return putEntry({ Source, DetailType, Detail, Time: new Date(atWallMs) }, options);
    },
    tryPut: async (options) => {
      try {
        // A policy that is narrowed to our source has to be met, too.
        await putEntry({ Source: NOTICE_EVENT_SOURCE, DetailType: 'doctor' }, options);
      } catch (error) {
        if (isOperationError(error) && error.code === 'CLOUD_REJECTED') return;
        throw error;
      }
    },
    mustExist: async (options) => {
      const { Arn } = await send('DescribeEventBus', { Name: busArn }, options);
      // The default bus is told by its name.
      if (textOf(Arn) === busArn || textOf(Arn)?.endsWith(`event-bus/${nameOf(busArn)}`)) return;
      throw new OperationError('CLOUD_UNAVAILABLE', `DescribeEventBus: it is not about ${busArn}`);
    },
  };
}
