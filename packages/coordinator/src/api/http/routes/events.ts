import { EventsViewSchema, type FleetEvent, groupOf } from '@understudy/shared';
import * as z from 'zod';
import { parseEventId } from '../../events/event-id.ts';
import type { EventLog } from '../../events/event-log.ts';
import { headerOf } from '../access/access.ts';
import type { Stream } from '../open-streams.ts';
import { PAGE_MAX } from '../paging.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

const QuerySchema = z.strictObject({
  /** Only what came after this: the id of an event, or a `cursor`. Absent: all that is kept. */
  after: z.string().max(40).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(100),
  /** Only what is about this member, `group/name`. */
  member: z.string().max(127).optional(),
  /** Only what is about this group, or a member of it. */
  group: z.string().max(63).optional(),
});
type Query = z.infer<typeof QuerySchema>;

const wanted =
  ({ member, group }: Query) =>
  (event: FleetEvent): boolean =>
    (member === undefined || event.member === member) &&
    (group === undefined || (event.group ?? (event.member && groupOf(event.member))) === group);

function placeOf(text: string | undefined) {
  if (text === undefined || text === '') return null;
  const id = parseEventId(text);
  if (id === null) throw new Refusal('BAD_REQUEST', `after: ${text} is no id of an event`);
  return id;
}

/**
 * Sends what is new, and first what the reader has missed. A `reset` says that something was missed
 * that is not kept: the state has to be read anew.
 */
function follow(stream: Stream, log: EventLog, after: string, query: Query): () => void {
  const isWanted = wanted(query);
  const tell = (events: readonly FleetEvent[]) => {
    for (const event of events) stream.send({ id: event.id, data: event });
  };
  const place = placeOf(after);
  const missed = place === null ? null : log.page(place, Number.POSITIVE_INFINITY, isWanted);
  if (missed?.reset) stream.send({ event: 'reset', id: log.cursor, data: {} });
  else if (missed) tell(missed.events);
  // Who comes back before anything has happened goes on from here.
  stream.send({ event: 'hello', id: missed && !missed.reset ? missed.cursor : log.cursor, data: {} });
  return log.onNews(({ events, reset }) => {
    if (reset) stream.send({ event: 'reset', id: log.cursor, data: {} });
    tell(events.filter(isWanted));
  });
}

export const events = defineRoute({
  ...{ method: 'GET', path: '/v1/events', role: 'read', operationId: 'listEvents', tag: 'Events' },
  summary: 'What changed: verdicts, holds, recoveries, pauses, policies, leaders, problems',
  description:
    'With `accept: text/event-stream` a stream of server-sent events: each event as a message with its id; `hello`, ' +
    '`tick` (every 5 s), `reset` (what was missed is not kept: read the state anew) and `bye`. A reader that comes ' +
    'back with `last-event-id`, here or at another coordinator, gets what it missed. Otherwise a page as JSON.',
  query: QuerySchema,
  answers: { 200: { text: 'A page of events, the oldest first, or a stream.', schema: EventsViewSchema } },
  refusals: ['STARTING', 'STREAMS_FULL'],
  handle: ({ query, request, reply, caller }, { api, streams }) => {
    const { events: log } = api();
    if (!headerOf(request.headers, 'accept').includes('text/event-stream'))
      return ok(log.page(placeOf(query.after), query.limit, wanted(query)));
    const after = headerOf(request.headers, 'last-event-id') || (query.after ?? '');
    placeOf(after);
    streams.open({ request, reply, caller, role: 'read', begin: (stream) => follow(stream, log, after, query) });
    return ok(undefined);
  },
});
