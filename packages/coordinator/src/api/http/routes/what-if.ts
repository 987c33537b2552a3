import { WHAT_IF_KINDS, WhatIfViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

const QuerySchema = z.strictObject({
  /** What is supposed to fail. */
  kind: z.enum(WHAT_IF_KINDS),
  /** A zone, `group/name`, or the id of a coordinator. */
  name: z.string().min(1).max(200),
});

/** A question is answered within so long. */
const RETRY_AFTER_S = '5';

/** What would become of the cluster if something failed now (docs/what-if.md). */
export const whatIf = defineRoute({
  ...{ method: 'GET', path: '/v1/what-if', role: 'read', leader: 'required' },
  ...{ operationId: 'previewFailure', tag: 'Recoveries' },
  summary: 'What would become of the cluster if a zone, a member or a coordinator failed now',
  description:
    'Played forward from what the leader knows, by the functions that judge, ask and plan: who would be recovered in which order and when, who would be held and why, and what rate limits do to it. It changes nothing, and asks EC2 nothing. One question at a time: another one is refused with 429 meanwhile. What was not decided within 5 s is held as NotDecided, and `truncated` says so.',
  query: QuerySchema,
  answers: { 200: { text: 'In the order in which members would be recovered.', schema: WhatIfViewSchema } },
  refusals: ['STARTING', 'NOTHING_THERE', 'UNAVAILABLE'],
  handle: async ({ query, reply }, { api }) => {
    const left = new AbortController();
    reply.raw.once('close', () => left.abort());
    const answer = await api().controls.whatIf(query, left.signal);
    if (answer === null) throw new Refusal('UNAVAILABLE', 'nobody here leads: ask again');
    if (answer.kind === 'unknown') throw new Refusal('NOTHING_THERE', answer.text);
    if (answer.kind === 'busy')
      throw new Refusal('RATE_LIMITED', 'one such question at a time, and another is being answered', {
        'retry-after': RETRY_AFTER_S,
      });
    if (answer.kind === 'left') throw new Refusal('UNAVAILABLE', 'the caller has left');
    return ok(answer.view);
  },
});
