import { LADDER_RUNGS, PlansViewSchema, PlanViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

const QuerySchema = z.strictObject({
  /** By this way, whatever the ladder would take. */
  strategy: z.enum(LADDER_RUNGS).optional(),
});

export const plan = defineRoute({
  ...{ method: 'GET', path: '/v1/members/:group/:name/plan', role: 'read', leader: 'required' },
  ...{ operationId: 'planRecovery', tag: 'Recoveries' },
  summary: 'The plan that a recovery of the member would have now',
  description:
    'Made as an intent is made: its steps with the exact calls, in order, what each will take, and what EC2 says to each call (DryRun, which does nothing; asked slowly, and kept for a while). Of a member that answers it is the plan if it fell silent now. With `strategy` it is the plan by that way. It changes nothing.',
  params: MemberParamsSchema,
  query: QuerySchema,
  answers: { 200: { text: 'With the token that names exactly this plan.', schema: PlanViewSchema } },
  refusals: ['STARTING', 'MEMBER_UNKNOWN', 'OTHER_RECOVERY', 'NOTHING_THERE', 'UNAVAILABLE'],
  handle: async ({ params: { group, name }, query: { strategy } }, { api }) => {
    const answer = await api().controls.plan(`${group}/${name}`, strategy ?? null);
    if (answer.kind === 'refused') throw new Refusal(answer.code, answer.text);
    return ok(answer.view);
  },
});

export const plans = defineRoute({
  ...{ method: 'GET', path: '/v1/plans', role: 'read', leader: 'required' },
  ...{ operationId: 'listPlans', tag: 'Recoveries' },
  summary: 'The plans of all members in short',
  description: 'As the readiness of each member was looked at last. It asks EC2 nothing.',
  answers: { 200: { text: 'One line a member.', schema: PlansViewSchema } },
  refusals: ['STARTING', 'UNAVAILABLE'],
  handle: async (_, { api }) => {
    const view = api().controls.board()?.plans() ?? null;
    if (view === null) throw new Refusal('UNAVAILABLE', 'nobody here leads: ask again');
    return ok(view);
  },
});
