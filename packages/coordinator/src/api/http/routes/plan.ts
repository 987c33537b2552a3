import { PlanViewSchema } from '@understudy/shared';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

export const plan = defineRoute({
  ...{ method: 'GET', path: '/v1/members/:group/:name/plan', role: 'read', leader: 'required' },
  ...{ operationId: 'planRecovery', tag: 'Recoveries' },
  summary: 'The plan that a recovery of the member would have now',
  description: 'Made as an intent is made. It reads EC2 and changes nothing.',
  params: MemberParamsSchema,
  answers: { 200: { text: 'With the token that names exactly this plan.', schema: PlanViewSchema } },
  refusals: ['STARTING', 'MEMBER_UNKNOWN', 'OTHER_RECOVERY', 'NOTHING_THERE', 'UNAVAILABLE'],
  handle: async ({ params: { group, name } }, { api }) => {
    const answer = await api().controls.plan(`${group}/${name}`);
    if (answer.kind === 'refused') throw new Refusal(answer.code, answer.text);
    return ok(answer.view);
  },
});
