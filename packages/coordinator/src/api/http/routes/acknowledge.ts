import * as z from 'zod';
import { carryOut, commandFields, commandRoute, COMMON_REFUSALS } from '../carry-out.ts';
import { MemberParamsSchema } from '../params.ts';
import { defineRoute } from '../route.ts';

const BodySchema = z.strictObject({
  ...commandFields,
  /** The ended recovery. */
  opId: z.string().max(64),
});

export const acknowledge = defineRoute({
  ...{ ...commandRoute, method: 'POST', path: '/v1/members/:group/:name/acknowledge' },
  ...{ operationId: 'acknowledgeRecovery', tag: 'Recoveries' },
  summary: 'Say that a person has looked at an ended recovery: it no longer keeps the next one waiting',
  ...{ params: MemberParamsSchema, body: BodySchema, refusals: [...COMMON_REFUSALS, 'RECOVERY_UNKNOWN'] },
  handle: (asked, context) => {
    const { group, name } = asked.params;
    return carryOut(asked, context, {
      ...{ kind: 'acknowledge', member: `${group}/${name}`, opId: asked.body.opId },
    });
  },
});
