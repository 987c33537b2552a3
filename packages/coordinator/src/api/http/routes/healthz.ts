import { HealthSchema } from '@understudy/shared';
import { defineRoute, ok } from '../route.ts';

export const healthz = defineRoute({
  ...{ method: 'GET', path: '/healthz', role: 'anybody', operationId: 'getHealth', tag: 'Health' },
  summary: 'Is the process alive',
  answers: { 200: { text: 'It is.', schema: HealthSchema } },
  handle: () => ok({ healthy: true }),
});
