import { FleetViewSchema, HeardViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { openEventStream, type Tell } from '../event-stream.ts';
import { Refusal } from '../refusal.ts';
import { type AnyRoute, defineRoute, ok } from '../route.ts';

const view = defineRoute({
  ...{ method: 'GET', path: '/v1/fleet', role: 'read', operationId: 'getFleet', tag: 'Fleet' },
  summary: 'Every member in few bytes, with what each coordinator hears of it',
  description: 'What other coordinators hear is known only while a stream of the fleet is open.',
  answers: { 200: { text: 'As this coordinator sees it.', schema: FleetViewSchema } },
  refusals: ['STARTING'],
  handle: (_, context) => ok(context.api().fleet.fleet()),
});

const stream = defineRoute({
  ...{ method: 'GET', path: '/v1/fleet/stream', role: 'read', operationId: 'watchFleet', tag: 'Fleet' },
  summary: 'The fleet, and what changes in it, about once a second',
  description: 'Events: `status` as GET /v1/status, `fleet` as GET /v1/fleet, `delta` what changed since.',
  answers: { 200: { text: 'Server-sent events.', mediaType: 'text/event-stream' } },
  refusals: ['STARTING', 'RATE_LIMITED'],
  handle: ({ reply }, context) => {
    const { fleet: source } = context.api();
    if (source.isCrowded)
      throw new Refusal('RATE_LIMITED', 'as many watch the fleet here as may: ask another coordinator', {
        'retry-after': '5',
      });
    const begin = (tell: Tell) => source.watch(({ event, text }) => tell(event, text));
    openEventStream(reply, { clock: context.clock, begin });
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
