import { HeldViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { carryOut, commandFields, commandRoute, COMMON_REFUSALS } from '../carry-out.ts';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { defineRoute, ok } from '../route.ts';

export const hold = defineRoute({
  ...{ method: 'GET', path: '/v1/members/:group/:name/hold', role: 'read', operationId: 'getHold', tag: 'Control' },
  summary: 'Why nothing is done for a member, and whether that can be released',
  params: MemberParamsSchema,
  answers: { 200: { text: 'With the revision by which it is released.', schema: HeldViewSchema } },
  refusals: ['STARTING', 'NOTHING_THERE'],
  handle: ({ params: { group, name } }, { api }) => {
    const held = api().controls.held(`${group}/${name}`);
    if (held === null) throw new Refusal('NOTHING_THERE', `${group}/${name} is not held`);
    return ok(held);
  },
});

const ReleaseSchema = z.strictObject({
  ...commandFields,
  /** The revision of the hold that was shown. */
  revision: z.number().int().min(1),
});

export const holdRelease = defineRoute({
  ...{ ...commandRoute, method: 'POST', path: '/v1/members/:group/:name/hold/release' },
  ...{ operationId: 'releaseHold', tag: 'Control' },
  summary: 'Try a held recovery again at once, by taking off exactly the hold that was shown',
  ...{ params: MemberParamsSchema, body: ReleaseSchema },
  refusals: [...COMMON_REFUSALS, 'NOTHING_THERE', 'NOT_RELEASABLE', 'REVISION_STALE'],
  handle: (asked, context) => {
    const { group, name } = asked.params;
    return carryOut(asked, context, {
      ...{ kind: 'release-hold', member: `${group}/${name}`, revision: asked.body.revision },
    });
  },
});
