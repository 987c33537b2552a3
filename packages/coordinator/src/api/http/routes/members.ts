import { MembersViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { PAGE_MAX, pageOf } from '../paging.ts';
import { defineRoute, ok } from '../route.ts';

const QuerySchema = z.strictObject({
  /** Absent, and without a cursor: all of them. */
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).optional(),
  /** `next` of the page before. */
  cursor: z.string().max(300).optional(),
});

export const members = defineRoute({
  ...{ method: 'GET', path: '/v1/members', role: 'read', operationId: 'listMembers', tag: 'Fleet' },
  summary: 'All members with their verdicts, and instances that are no members',
  query: QuerySchema,
  answers: { 200: { text: 'Members in a stable order.', schema: MembersViewSchema } },
  refusals: ['STARTING'],
  handle: ({ query: { limit, cursor } }, context) => {
    const api = context.api();
    const all = api.members();
    const isPaged = limit !== undefined || cursor !== undefined;
    const { items, next } = isPaged
      ? pageOf(all, ({ member }) => member, { cursor, limit: limit ?? PAGE_MAX })
      : { items: all, next: null };
    return ok({ members: items, notEnrolled: api.notEnrolled(), next });
  },
});
