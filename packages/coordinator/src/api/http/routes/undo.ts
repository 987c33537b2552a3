import { UndoPreviewViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { callerOf } from '../carry-out.ts';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

const QuerySchema = z.strictObject({
  /** Writes of this long may be lost, in ms. Absent: none may. */
  acceptLossMs: z.coerce.number().int().min(0).optional(),
  /** The recovery that is meant to be begun. Absent: whichever is the next one. */
  opId: z.string().max(64).optional(),
});

export const undo = defineRoute({
  ...{ method: 'GET', path: '/v1/members/:group/:name/undo', role: 'read', leader: 'required' },
  ...{ operationId: 'previewUndo', tag: 'Recoveries' },
  summary: 'What an undo of the last recovery would do now, or why it would be refused',
  description:
    'By the decision, the plan and the records by which it is begun: its steps with the exact calls, what it loses, and until when it is possible. It changes nothing.',
  params: MemberParamsSchema,
  query: QuerySchema,
  answers: { 200: { text: 'What a POST to the same address would come to.', schema: UndoPreviewViewSchema } },
  refusals: ['STARTING', 'MEMBER_UNKNOWN', 'UNAVAILABLE'],
  handle: async (asked, { api }) => {
    const { group, name } = asked.params;
    const { acceptLossMs = null, opId = null } = asked.query;
    const thought = { member: `${group}/${name}` as const, acceptLossMs, opId, caller: callerOf(asked) };
    const answer = await api().controls.undo(thought);
    if (answer.kind === 'refused') throw new Refusal(answer.code, answer.text);
    return ok(answer.view);
  },
});
