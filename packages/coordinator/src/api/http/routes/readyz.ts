import { type Problem, ReadinessSchema } from '@understudy/shared';
import type { FastifyRequest } from 'fastify';
import { hasRole } from '../access/caller.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute } from '../route.ts';

const TEXT_FOR_READERS = 'told to callers with the role read';

/** What anybody is told. Texts may name roles, hosts and webhooks of the account. */
const withoutText = ({ code, remedy }: Problem): Problem => ({ code, text: TEXT_FOR_READERS, remedy });

/** False also for whoever shows something wrong: health is told to everybody. */
function mayRead(request: FastifyRequest): boolean {
  try {
    return hasRole(request.identified().caller, 'read');
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

export const readyz = defineRoute({
  ...{ method: 'GET', path: '/readyz', role: 'anybody', operationId: 'getReadiness', tag: 'Health' },
  summary: 'Does the coordinator do its work, and if not, why',
  description: 'Callers without the role read are told the codes of the problems and what to do, not their texts.',
  answers: {
    200: { text: 'It does.', schema: ReadinessSchema },
    503: { text: 'It does not; the problems say why.', schema: ReadinessSchema },
  },
  refusals: ['STARTING'],
  handle: ({ request }, context) => {
    const problems = context.api().notReady();
    const ready = problems.length === 0;
    const told = mayRead(request) ? problems : problems.map(withoutText);
    return { status: ready ? 200 : 503, body: { ready, problems: told } };
  },
});
