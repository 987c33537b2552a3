import { HistoryViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { pageOf } from '../paging.ts';
import { defineRoute, ok } from '../route.ts';

const LIMIT_MAX = 1_000;
/** Digits of a time in ms, so that keys of texts sort as times do. */
const TIME_DIGITS = 15;

const QuerySchema = z.strictObject({
  /** Only of this member, `group/name`. */
  member: z.string().max(127).optional(),
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(100),
  /** `next` of the page before. */
  cursor: z.string().max(300).optional(),
});

export const history = defineRoute({
  ...{ method: 'GET', path: '/v1/history', role: 'read', operationId: 'listHistory', tag: 'Recoveries' },
  summary: 'Ended recoveries',
  query: QuerySchema,
  answers: { 200: { text: 'The newest first.', schema: HistoryViewSchema } },
  refusals: ['STARTING'],
  handle: ({ query: { member, ...page } }, context) => {
    const all = context.api().history(member ?? null, Number.POSITIVE_INFINITY);
    const { items, next } = pageOf(
      all,
      ({ endedAtWallMs, opId }) => `${String(endedAtWallMs).padStart(TIME_DIGITS, '0')} ${opId}`,
      page,
      'descending',
    );
    return ok({ history: items, next });
  },
});
