import { ReadinessSchema } from '@understudy/shared';
import { defineRoute } from '../route.ts';

export const readyz = defineRoute({
  ...{ method: 'GET', path: '/readyz', role: 'anybody', operationId: 'getReadiness', tag: 'Health' },
  summary: 'Does the coordinator do its work, and if not, why',
  answers: {
    200: { text: 'It does.', schema: ReadinessSchema },
    503: { text: 'It does not; the problems say why.', schema: ReadinessSchema },
  },
  refusals: ['STARTING'],
  handle: (_, context) => {
    const problems = context.api().notReady();
    const ready = problems.length === 0;
    return { status: ready ? 200 : 503, body: { ready, problems } };
  },
});
