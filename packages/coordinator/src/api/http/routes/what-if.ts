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

/** What would become of the cluster if something failed now (docs/what-if.md). */
export const whatIf = defineRoute({
  ...{ method: 'GET', path: '/v1/what-if', role: 'read', leader: 'required' },
  ...{ operationId: 'previewFailure', tag: 'Recoveries' },
  summary: 'What would become of the cluster if a zone, a member or a coordinator failed now',
  description:
    'Played forward from what the leader knows, by the functions that judge, ask and plan: who would be recovered in which order and when, who would be held and why, and what rate limits do to it. It changes nothing, and asks EC2 nothing.',
  query: QuerySchema,
  answers: { 200: { text: 'In the order in which members would be recovered.', schema: WhatIfViewSchema } },
  refusals: ['STARTING', 'NOTHING_THERE', 'UNAVAILABLE'],
  handle: async ({ query }, { api }) => {
    const answer = await api().controls.whatIf(query);
    if (answer === null) throw new Refusal('UNAVAILABLE', 'nobody here leads: ask again');
    if (answer.kind === 'unknown') throw new Refusal('NOTHING_THERE', answer.text);
    return ok(answer.view);
  },
});
