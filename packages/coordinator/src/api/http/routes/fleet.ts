import { FleetViewSchema, HeardViewSchema } from '@understudy/shared';
import * as z from 'zod';
import type { Stream } from '../open-streams.ts';
import { type AnyRoute, defineRoute, ok } from '../route.ts';

const view = defineRoute({
  ...{ method: 'GET', path: '/v1/fleet', role: 'read', operationId: 'getFleet', tag: 'Fleet' },
  summary: 'Every member in few bytes, with what each coordinator hears of it',
  description: 'What other coordinators hear is known only while a stream of the fleet is open.',
  answers: { 200: { text: 'As this coordinator sees it.', schema: FleetViewSchema } },
  refusals: ['STARTING'],
  handle: (_, context) => ok(context.api().fleet.fleet()),
});

/** The whole fleet comes at once, and 10 000 members are 3 MB. */
const WAITING_BYTES_MAX = 8_388_608;

const stream = defineRoute({
  ...{ method: 'GET', path: '/v1/fleet/stream', role: 'read', operationId: 'watchFleet', tag: 'Fleet' },
  summary: 'The fleet, and what changes in it, about once a second',
  description: 'Events: `status` as GET /v1/status, `fleet` as GET /v1/fleet, `delta` what changed since.',
  answers: { 200: { text: 'Server-sent events.', mediaType: 'text/event-stream' } },
  refusals: ['STARTING', 'STREAMS_FULL'],
  handle: ({ request, reply, caller }, { api, streams }) => {
    const { fleet: source } = api();
    const begin = (stream: Stream) => source.watch(({ event, text: json }) => stream.send({ event, json }));
    streams.open({ request, reply, caller, role: 'read', begin, waitingBytesMax: WAITING_BYTES_MAX });
    return ok(undefined);
  },
});

const QuerySchema = z.strictObject({
  /** The order of members that the caller knows: their names are left out where it is ours. */
  order: z.string().max(32).optional(),
});

const heard = defineRoute({
  ...{ method: 'GET', path: '/v1/heard', role: 'read', operationId: 'getHeard', tag: 'Fleet' },
  summary: 'What this coordinator itself hears of every member',
  description: 'Coordinators ask it of each other while somebody watches the fleet.',
  query: QuerySchema,
  answers: { 200: { text: 'Ages and φ, a list each.', schema: HeardViewSchema } },
  refusals: ['STARTING'],
  handle: ({ query: { order } }, context) => ok(context.api().fleet.heard(order ?? null)),
});

export const fleet: readonly AnyRoute[] = [view, stream, heard];
