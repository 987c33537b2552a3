import { type ExplainView, ExplainViewSchema } from '@understudy/shared';
import { askLeader } from '../ask-leader.ts';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

/** Everybody may know that there is console output. Its text is for operators only. */
const withoutConsole = (view: ExplainView): ExplainView =>
  view.console === null ? view : { ...view, console: { ...view.console, text: null } };

/**
 * A follower passes the question on to the leader, which alone knows everything. Without an answer
 * from there it says what it knows itself.
 */
export const explain = defineRoute({
  ...{ method: 'GET', path: '/v1/members/:group/:name/explain', role: 'read' },
  ...{ operationId: 'explainMember', tag: 'Fleet' },
  summary: 'Why a member is judged as it is, and what follows',
  params: MemberParamsSchema,
  answers: { 200: { text: 'By the leader, or by whom `answeredBy` names.', schema: ExplainViewSchema } },
  refusals: ['STARTING', 'MEMBER_UNKNOWN'],
  handle: async ({ params: { group, name }, caller, isForwarded }, { api, clock, operatorToken }) => {
    const source = api();
    const own = source.explain(`${group}/${name}`);
    if (own === null) throw new Refusal('MEMBER_UNKNOWN', `no member ${group}/${name} is known here`);
    const leaderUrl = isForwarded ? null : source.leaderUrl();
    const token = caller.role === 'operate' ? operatorToken : null;
    const view = (leaderUrl && (await askLeader(clock, leaderUrl, own.member, token))) || own;
    return ok(caller.role === 'operate' ? view : withoutConsole(view));
  },
});
