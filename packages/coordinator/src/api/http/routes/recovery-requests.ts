import {
  AcceptedLossSchema,
  type Clock,
  operatorFields,
  PendingRequestSchema,
  PROBLEM_MEDIA_TYPE,
  REQUEST_KINDS,
  type RequestKind,
} from '@understudy/shared';
import * as z from 'zod';
import type { OperatorCommand } from '../../../leader/operator-command.ts';
import { FORWARDED_HEADER } from '../ask-leader.ts';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { type Answer, defineRoute } from '../route.ts';

/** Longer than the leader needs for one write to etcd, and below the CLI's own limit. In ms. */
const FORWARD_TIMEOUT_MS = 6_000;

const BodySchema = z.strictObject({
  ...operatorFields,
  /** The recovery that is meant. Null: the one that is open. */
  opId: z.string().max(64).nullable().default(null),
  /** `accept-loss`: what is given up. Null otherwise. */
  loss: AcceptedLossSchema.nullable().default(null),
  /** `abandon`: leave an open launch attempt as it is. */
  leaveOpen: z.boolean().default(false),
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
};

const OPERATION: Readonly<Record<RequestKind, string>> = {
  ...{ retry: 'retryRecovery', replan: 'replanRecovery', 'accept-loss': 'acceptLoss' },
  ...{ abandon: 'abandonRecovery', recover: 'recoverMember' },
};

/**
 * `POST /v1/members/<group>/<name>/{retry,replan,accept-loss,abandon,recover}`. Any coordinator may
 * be asked; it passes the command to the leader.
 */
export const recoveryRequests = REQUEST_KINDS.map((kind) =>
  defineRoute({
    ...{ method: 'POST', path: `/v1/members/:group/:name/${kind}`, role: 'operate' },
    ...{ operationId: OPERATION[kind], tag: 'Recoveries', summary: SUMMARY[kind] },
    description: 'Any coordinator takes it and passes it to the leader. Asking again is harmless.',
    ...{ params: MemberParamsSchema, body: BodySchema },
    answers: { 202: { text: 'It is written down, and will be carried out.', schema: AcceptedSchema } },
    refusals: [
      ...(['STARTING', 'MEMBER_UNKNOWN', 'NO_OPEN_RECOVERY', 'OTHER_RECOVERY', 'NOT_STOPPED_BY_US'] as const),
      ...(['CHANGED', 'UNAVAILABLE'] as const),
    ],
    handle: async ({ params: { group, name }, body, isForwarded }, { api, clock, operatorToken }) => {
      if ((kind === 'accept-loss') !== (body.loss !== null))
        throw new Refusal(
          'BAD_REQUEST',
          'accept-loss names a "loss" (address:eipalloc-… or volume:vol-…), other commands none',
        );
      const command: OperatorCommand = { member: `${group}/${name}`, kind, ...body };
      const leaderUrl = isForwarded ? null : api().leaderUrl();
      if (leaderUrl !== null) return forward(clock, operatorToken ?? '', leaderUrl, command);
      const answer = await api().operate(command);
      if (answer.kind === 'refused') throw new Refusal(answer.code, answer.text);
      return { status: 202, body: { request: answer.request, repeated: answer.repeated } };
    },
  }),
);

/**
 * Returns the leader's answer as it is. When the leader is silent there is no answer, and asking
 * again is harmless.
 */
async function forward(
  clock: Clock,
  operatorToken: string,
  leaderUrl: string,
  { member, kind, ...body }: OperatorCommand,
): Promise<Answer> {
  const limit = new AbortController();
  const timer = clock.setTimer(FORWARD_TIMEOUT_MS, () => limit.abort());
  try {
    const answer = await fetch(new URL(`/v1/members/${member}/${kind}`, leaderUrl), {
      method: 'POST',
      signal: limit.signal,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${operatorToken}`,
        [FORWARDED_HEADER]: '1',
      },
      body: JSON.stringify(body),
      redirect: 'error',
    });
    const type = answer.ok ? 'application/json' : PROBLEM_MEDIA_TYPE;
    return { status: answer.status, body: await answer.text(), headers: { 'content-type': type } };
  } catch {
    throw new Refusal('UNAVAILABLE', `the leader does not answer at ${leaderUrl}; asking again is harmless`);
  } finally {
    timer.cancel();
  }
}
