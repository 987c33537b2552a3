import { MembersViewSchema } from '@understudy/shared';
import { defineRoute, ok } from '../route.ts';

export const members = defineRoute({
  ...{ method: 'GET', path: '/v1/members', role: 'read', operationId: 'listMembers', tag: 'Fleet' },
  summary: 'All members with their verdicts, and instances that are no members',
  answers: { 200: { text: 'Members in a stable order.', schema: MembersViewSchema } },
  refusals: ['STARTING'],
  handle: (_, context) => {
    const api = context.api();
    return ok({ members: api.members(), notEnrolled: api.notEnrolled() });
  },
});
