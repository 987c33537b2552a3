import { StatusViewSchema } from '@understudy/shared';
import { defineRoute, ok } from '../route.ts';

export const status = defineRoute({
  ...{ method: 'GET', path: '/v1/status', role: 'read', operationId: 'getStatus', tag: 'Fleet' },
  summary: 'The cluster at a glance',
  description: 'Who leads, how many members have which verdict, pauses, holds, open recoveries, problems.',
  answers: { 200: { text: 'As this coordinator sees it.', schema: StatusViewSchema } },
  refusals: ['STARTING'],
  handle: (_, context) => ok(context.api().status()),
});
