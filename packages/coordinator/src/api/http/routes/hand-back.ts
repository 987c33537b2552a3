import { type InventoryHistory } from '@understudy/inventory';
import { type HandBackRecoveries, handBackRecoveries, type InstanceSight, instanceSight } from '@understudy/recovery';
import { HandBackViewSchema, isOperationError } from '@understudy/shared';
import * as z from 'zod';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

const QuerySchema = z.strictObject({
  /** The first recovery that was not handed back. Absent: the last one. */
  since: z.string().max(200).optional(),
});

/** It helps, and is no condition: where it does not answer, EC2 shows what is there yet. */
async function seenBefore(
  inventory: InventoryHistory | null,
  { taken: [first] }: HandBackRecoveries,
): Promise<InstanceSight | null> {
  if (inventory === null || first === undefined) return null;
  try {
    const version = await inventory.version('instance', first.oldInstanceId, first.startedAtWallMs);
    return instanceSight(version.document);
  } catch (error) {
    if (isOperationError(error)) return null;
    throw error;
  }
}

export const handBack = defineRoute({
  ...{ method: 'GET', path: '/v1/members/:group/:name/handback', role: 'read', leader: 'required' },
  ...{ operationId: 'getHandBack', tag: 'Recoveries' },
  summary: 'What infrastructure code names of a member, and what took its place in recoveries',
  description:
    'From the records of its recoveries, from what EC2 shows now, and from the inventory history where one is kept. It changes nothing.',
  params: MemberParamsSchema,
  query: QuerySchema,
  answers: { 200: { text: 'What was, what is, and what drifted.', schema: HandBackViewSchema } },
  refusals: ['STARTING', 'MEMBER_UNKNOWN', 'RECOVERY_UNKNOWN', 'UNAVAILABLE'],
  handle: async ({ params: { group, name }, query: { since = null } }, context) => {
    const api = context.api();
    const member = `${group}/${name}` as const;
    const recoveries = handBackRecoveries(api.history(member, Number.POSITIVE_INFINITY), since);
    if (recoveries === null) throw new Refusal('RECOVERY_UNKNOWN', `no such recovery of ${member} has ended here`);
    const before = await seenBefore(api.inventory, recoveries);
    const answer = await api.controls.handBack({ member, before, ...recoveries });
    if (answer.kind === 'refused') throw new Refusal(answer.code, answer.text);
    return ok(answer.view);
  },
});
