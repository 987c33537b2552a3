import { HoldsViewSchema } from '@understudy/shared';
import { defineRoute, ok } from '../route.ts';

export const holds = defineRoute({
  ...{ method: 'GET', path: '/v1/holds', role: 'read', operationId: 'listHolds', tag: 'Fleet' },
  summary: 'Members that are not recovered although they may need it, and why',
  answers: { 200: { text: 'One a member.', schema: HoldsViewSchema } },
  refusals: ['STARTING'],
  handle: (_, context) => ok({ holds: context.api().holds() }),
});
