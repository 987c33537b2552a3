import { HistoryViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { defineRoute, ok } from '../route.ts';

const LIMIT_MAX = 1_000;

const QuerySchema = z.strictObject({
  /** Only of this member, `group/name`. */
  member: z.string().max(127).optional(),
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(100),
});

export const history = defineRoute({
  ...{ method: 'GET', path: '/v1/history', role: 'read', operationId: 'listHistory', tag: 'Recoveries' },
  summary: 'Ended recoveries',
  query: QuerySchema,
  answers: { 200: { text: 'The newest first.', schema: HistoryViewSchema } },
  refusals: ['STARTING'],
  handle: ({ query: { member, limit } }, context) => ok({ history: context.api().history(member ?? null, limit) }),
});
