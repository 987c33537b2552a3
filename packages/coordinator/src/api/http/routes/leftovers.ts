import { LeftoversViewSchema } from '@understudy/shared';
import { defineRoute, ok } from '../route.ts';

export const leftovers = defineRoute({
  ...{ method: 'GET', path: '/v1/leftovers', role: 'read', operationId: 'listLeftovers', tag: 'Recoveries' },
  summary: 'What ended recoveries still have to remove or to put in place',
  answers: { 200: { text: 'All of it.', schema: LeftoversViewSchema } },
  refusals: ['STARTING'],
  handle: (_, context) => ok({ leftovers: context.api().leftovers() }),
});
