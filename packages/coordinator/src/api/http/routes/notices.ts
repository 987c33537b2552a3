import { NoticesViewSchema } from '@understudy/shared';
import { defineRoute, ok } from '../route.ts';

export const notices = defineRoute({
  ...{ method: 'GET', path: '/v1/notices', role: 'read', operationId: 'listNotices', tag: 'Notices' },
  summary: 'What webhooks are still to be told, and what they did not take',
  answers: { 200: { text: 'The oldest first.', schema: NoticesViewSchema } },
  refusals: ['STARTING'],
  handle: (_, context) => ok(context.api().notices()),
});
