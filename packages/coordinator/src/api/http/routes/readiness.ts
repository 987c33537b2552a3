import { ReadinessViewSchema } from '@understudy/shared';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

/** What would become of each member if it failed now (docs/readiness.md). */
export const readiness = defineRoute({
  ...{ method: 'GET', path: '/v1/readiness', role: 'read', leader: 'required' },
  ...{ operationId: 'listReadiness', tag: 'Recoveries' },
  summary: 'What would become of each member if it failed now: predicted times and losses, and what is in the way',
  description:
    'The worst first. Every fact has the moment it was looked at; what is not known is not ready. It asks EC2 nothing.',
  answers: { 200: { text: 'Every member, as the leader knows it.', schema: ReadinessViewSchema } },
  refusals: ['STARTING', 'UNAVAILABLE'],
  handle: async (_, { api }) => {
    const board = api().controls.board();
    if (board === null) throw new Refusal('UNAVAILABLE', 'nobody here leads: ask again');
    return ok(board.view());
  },
});
