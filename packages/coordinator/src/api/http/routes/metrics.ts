import { defineRoute } from '../route.ts';

export const metrics = defineRoute({
  ...{ method: 'GET', path: '/metrics', role: 'metrics', operationId: 'getMetrics', tag: 'Health' },
  summary: 'Metrics for Prometheus',
  answers: { 200: { text: 'Text exposition format 0.0.4.', mediaType: 'text/plain; version=0.0.4; charset=utf-8' } },
  refusals: ['STARTING'],
  handle: async (_, context) => {
    const source = context.metrics();
    return { status: 200, body: await source.text(), headers: { 'content-type': source.contentType } };
  },
});
