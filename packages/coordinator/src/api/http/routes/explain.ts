import { type ExplainView, ExplainViewSchema } from '@understudy/shared';
import { mayCommand } from '../access/caller.ts';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

/** Everybody may know that there is console output. Its text is for the group's operators only. */
const withoutConsole = (view: ExplainView): ExplainView =>
  view.console === null ? view : { ...view, console: { ...view.console, text: null } };

/** The leader alone knows everything. */
export const explain = defineRoute({
  ...{ method: 'GET', path: '/v1/members/:group/:name/explain', role: 'read', leader: 'preferred' },
  ...{ operationId: 'explainMember', tag: 'Fleet' },
  summary: 'Why a member is judged as it is, and what follows',
  params: MemberParamsSchema,
  answers: { 200: { text: 'By the leader, or by whom `answeredBy` names.', schema: ExplainViewSchema } },
  refusals: ['STARTING', 'MEMBER_UNKNOWN'],
  handle: ({ params: { group, name }, caller }, { api }) => {
    const view = api().explain(`${group}/${name}`);
    if (view === null) throw new Refusal('MEMBER_UNKNOWN', `no member ${group}/${name} is known here`);
    return ok(mayCommand(caller, group) ? view : withoutConsole(view));
  },
});
