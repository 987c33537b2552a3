import { PoliciesViewSchema, PolicyViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { carryOut, commandFields, commandRoute, COMMON_REFUSALS } from '../carry-out.ts';
import { NameSchema } from '../params.ts';
import { etagOf, revisionRead } from '../preconditions.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

const GroupParamsSchema = z.object({ group: NameSchema });

export const policies = defineRoute({
  ...{ method: 'GET', path: '/v1/policies', role: 'read', operationId: 'listPolicies', tag: 'Policies' },
  summary: 'The policy of every group: what is set, and what is in force',
  answers: { 200: { text: 'Sorted by group.', schema: PoliciesViewSchema } },
  refusals: ['STARTING'],
  handle: (_, { api }) => ok({ policies: api().controls.policies() }),
});

export const policy = defineRoute({
  ...{ method: 'GET', path: '/v1/groups/:group/policy', role: 'read', operationId: 'getPolicy', tag: 'Policies' },
  summary: 'The policy of a group',
  params: GroupParamsSchema,
  answers: { 200: { text: 'Its ETag is what a change has to name.', schema: PolicyViewSchema } },
  refusals: ['STARTING', 'NOTHING_THERE'],
  handle: ({ params: { group } }, { api }) => {
    const found = api()
      .controls.policies()
      .find((one) => one.group === group);
    if (!found) throw new Refusal('NOTHING_THERE', `group ${group} has no member, and no policy of its own`);
    return { status: 200, body: found, headers: { etag: etagOf(found.revision) } };
  },
});

const PolicySchema = z.record(z.string(), z.unknown());

const ApplySchema = z.strictObject({
  ...commandFields,
  groups: z
    .array(
      z.strictObject({
        group: NameSchema,
        /** What is not in it has its default. */
        policy: PolicySchema,
        /** What the change was made from. 0: there was no policy. Null: whatever is there. */
        revision: z.number().int().min(0).nullable().default(null),
      }),
    )
    .min(1)
    .max(40),
});

const APPLY_REFUSALS = [...COMMON_REFUSALS, 'POLICY_REFUSED', 'REVISION_STALE'] as const;

export const policiesApply = defineRoute({
  ...{ ...commandRoute, method: 'POST', path: '/v1/policies', operationId: 'applyPolicies', tag: 'Policies' },
  summary: 'Change the policies of several groups: all of them, or none',
  ...{ body: ApplySchema, refusals: APPLY_REFUSALS },
  handle: (asked, context) => carryOut(asked, context, { kind: 'apply-policies', groups: asked.body.groups }),
});

export const policyPut = defineRoute({
  ...{ ...commandRoute, method: 'PUT', path: '/v1/groups/:group/policy', operationId: 'putPolicy', tag: 'Policies' },
  summary: 'Change the policy of a group',
  description: 'The header If-Match names the ETag of the policy it was made from.',
  ...{ params: GroupParamsSchema, body: z.strictObject({ ...commandFields, policy: PolicySchema }) },
  refusals: [...APPLY_REFUSALS, 'PRECONDITION_REQUIRED'],
  handle: (asked, context) => {
    const groups = [{ group: asked.params.group, policy: asked.body.policy, revision: revisionRead(asked) }];
    return carryOut(asked, context, { kind: 'apply-policies', groups });
  },
});

export const policyReset = defineRoute({
  ...{ ...commandRoute, method: 'POST', path: '/v1/groups/:group/policy/reset' },
  ...{ operationId: 'resetPolicy', tag: 'Policies' },
  summary: 'Give a group the default policy again',
  description: 'The header If-Match names the ETag of the policy that is to go.',
  ...{ params: GroupParamsSchema, body: z.strictObject(commandFields) },
  refusals: [...COMMON_REFUSALS, 'NOTHING_THERE', 'REVISION_STALE', 'PRECONDITION_REQUIRED'],
  handle: (asked, context) =>
    carryOut(asked, context, {
      ...{ kind: 'reset-policy', group: asked.params.group, revision: revisionRead(asked) },
    }),
});
