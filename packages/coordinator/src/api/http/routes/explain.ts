import { type ExplainView, ExplainViewSchema } from '@understudy/shared';
import { mayCommand } from '../access/caller.ts';
import type { ApiSource } from '../api-source.ts';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

/** Everybody may know that there is console output. Its text is for the group's operators only. */
const withoutConsole = (view: ExplainView): ExplainView =>
  view.console === null ? view : { ...view, console: { ...view.console, text: null } };

/** Whoever is asked knows it, and it decides nothing. */
async function withPing(view: ExplainView, pings: ApiSource['agentPings']): Promise<ExplainView> {
  const told = view.instanceId === null ? null : await pings?.of(view.instanceId);
  return told ? { ...view, evidence: [...view.evidence, told] } : view;
}

/** The leader alone knows everything. */
export const explain = defineRoute({
  ...{ method: 'GET', path: '/v1/members/:group/:name/explain', role: 'read', leader: 'preferred' },
  ...{ operationId: 'explainMember', tag: 'Fleet' },
  summary: 'Why a member is judged as it is, and what follows',
  params: MemberParamsSchema,
  answers: { 200: { text: 'By the leader, or by whom `answeredBy` names.', schema: ExplainViewSchema } },
  refusals: ['STARTING', 'MEMBER_UNKNOWN'],
  handle: async ({ params: { group, name }, caller }, { api }) => {
    const found = api().explain(`${group}/${name}`);
    if (found === null) throw new Refusal('MEMBER_UNKNOWN', `no member ${group}/${name} is known here`);
    const view = await withPing(found, api().agentPings);
    return ok(mayCommand(caller, group) ? view : withoutConsole(view));
  },
});
