import {
  AcceptedLossSchema,
  HoldReasonSchema,
  LADDER_RUNGS,
  operatorFields,
  PendingRequestSchema,
  REQUEST_KINDS,
  type RequestKind,
} from '@understudy/shared';
import * as z from 'zod';
import type { OperatorCommand } from '../../../leader/operator-command.ts';
import { callerOf, COMMON_REFUSALS } from '../carry-out.ts';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute } from '../route.ts';

const BodySchema = z.strictObject({
  ...operatorFields,
  /** The recovery that is meant. Null: the one that is open. */
  opId: z.string().max(64).nullable().default(null),
  /** `accept-loss`: what is given up. Null otherwise. */
  loss: AcceptedLossSchema.nullable().default(null),
  /** `abandon`: leave an open launch attempt as it is. */
  leaveOpen: z.boolean().default(false),
  /** `recover`: gates that are not to stop it. */
  overrides: z.array(HoldReasonSchema).max(20).optional(),
  /** `recover`: only by the plan that was shown under this token. */
  planToken: z.string().max(64).optional(),
  /** `recover`: this way, whatever the ladder would take. */
  strategy: z.enum(LADDER_RUNGS).optional(),
  /** `undo`: writes of this long may be lost, in ms. */
  acceptLossMs: z.number().int().min(0).optional(),
});

const AcceptedSchema = z.object({
  request: PendingRequestSchema,
  /** The same was asked before, and is not carried out yet. */
  repeated: z.boolean(),
});

const SUMMARY: Readonly<Record<RequestKind, string>> = {
  retry: 'Try a held recovery again at once',
  replan: 'Make the plan of an open recovery again, from the policy of now',
  'accept-loss': 'Give something up for which a recovery is held',
  abandon: 'End an open recovery without a replacement',
  recover: 'Begin a recovery of a member that we stopped',
  undo: 'Put the last recovery back: its retired instance serves again',
};

const OPERATION: Readonly<Record<RequestKind, string>> = {
  ...{ retry: 'retryRecovery', replan: 'replanRecovery', 'accept-loss': 'acceptLoss' },
  ...{ abandon: 'abandonRecovery', recover: 'recoverMember', undo: 'undoRecovery' },
};

/**
 * `POST /v1/members/<group>/<name>/{retry,replan,accept-loss,abandon,recover,undo}`. Any
 * coordinator may be asked; it passes the command to the leader.
 */
export const recoveryRequests = REQUEST_KINDS.map((kind) =>
  defineRoute({
    ...{ method: 'POST', path: `/v1/members/:group/:name/${kind}`, role: 'operate', leader: 'required' },
    ...{ operationId: OPERATION[kind], tag: 'Recoveries', summary: SUMMARY[kind] },
    description: 'Any coordinator takes it and passes it to the leader. Asking again is harmless.',
    ...{ params: MemberParamsSchema, body: BodySchema },
    answers: { 202: { text: 'It is written down, and will be carried out.', schema: AcceptedSchema } },
    refusals: [
      ...(['MEMBER_UNKNOWN', 'NO_OPEN_RECOVERY', 'OTHER_RECOVERY', 'NOT_STOPPED_BY_US'] as const),
      ...(['GATES_HOLD', 'NEVER_OVERRIDDEN', 'UNDO_REFUSED'] as const),
      ...COMMON_REFUSALS,
    ],
    handle: async (asked, { api }) => {
      const { params, body, idempotencyKey } = asked;
      if ((kind === 'accept-loss') !== (body.loss !== null))
        throw new Refusal(
          'BAD_REQUEST',
          'accept-loss names a "loss" (address:eipalloc-…, interface:eni-…, primary:IP, secondary:IP, ipv6:IP, prefix:CIDR or volume:vol-…), other commands none',
        );
      const command: OperatorCommand = { member: `${params.group}/${params.name}`, kind, ...body };
      const answer = await api().operate(command, { caller: callerOf(asked), idempotencyKey });
      if (answer.kind === 'refused') throw new Refusal(answer.code, answer.text);
      return { status: 202, body: { request: answer.request, repeated: answer.repeated } };
    },
  }),
);
