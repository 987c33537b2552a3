import { PausesViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { carryOut, commandFields, commandRoute, COMMON_REFUSALS } from '../carry-out.ts';
import { MemberParamsSchema, NameSchema } from '../params.ts';
import { type AnyRoute, defineRoute, ok } from '../route.ts';

const PauseSchema = z.strictObject({
  ...commandFields,
  /** When it ends by itself. Null: not by itself. */
  untilWallMs: z.number().nullable().default(null),
  /** The revision of the pause whose place it takes. Null: there is none, or it is one's own. */
  replaces: z.number().int().min(1).nullable().default(null),
});

const ResumeSchema = z.strictObject({
  ...commandFields,
  /** The revision of the pause that is meant. Null: one's own. */
  revision: z.number().int().min(1).nullable().default(null),
});

export const pauses = defineRoute({
  ...{ method: 'GET', path: '/v1/pauses', role: 'read', operationId: 'listPauses', tag: 'Control' },
  summary: 'Pauses in force, as this coordinator sees them',
  answers: { 200: { text: 'With the revision by which each is ended.', schema: PausesViewSchema } },
  refusals: ['STARTING'],
  handle: (_, { api }) => ok(api().controls.pauses()),
});

interface Place<P> {
  readonly path: `/v1${string}`;
  /** As in `pauseGroup`. */
  readonly name: string;
  readonly what: string;
  readonly params: z.ZodType<P>;
  readonly scopeOf: (params: P) => string;
}

const pairOf = <P>({ path, name, what, params, scopeOf }: Place<P>): readonly AnyRoute[] => [
  defineRoute({
    ...{ ...commandRoute, method: 'POST', path: `${path}/pause`, operationId: `pause${name}`, tag: 'Control' },
    summary: `Begin no recovery of ${what}`,
    description: 'From the moment it is answered. Recoveries that were begun go on; detection goes on.',
    ...{
      params,
      body: PauseSchema,
      refusals: [...COMMON_REFUSALS, 'NOTHING_THERE', 'PAUSED_BY_ANOTHER', 'REVISION_STALE'],
    },
    handle: (asked, context) => {
      const { untilWallMs, replaces } = asked.body;
      return carryOut(asked, context, { kind: 'pause', scope: scopeOf(asked.params), untilWallMs, replaces });
    },
  }),
  defineRoute({
    ...{ ...commandRoute, method: 'POST', path: `${path}/resume`, operationId: `resume${name}`, tag: 'Control' },
    summary: `End the pause of ${what}`,
    ...{ params, body: ResumeSchema },
    refusals: [...COMMON_REFUSALS, 'NOTHING_THERE', 'PAUSED_BY_ANOTHER', 'REVISION_STALE'],
    handle: (asked, context) => {
      const { revision } = asked.body;
      return carryOut(asked, context, { kind: 'resume', scope: scopeOf(asked.params), revision });
    },
  }),
];

export const pauseCommands: readonly AnyRoute[] = [
  ...pairOf({
    ...{ path: '/v1', name: 'All', what: 'anybody' },
    ...{ params: z.object({}), scopeOf: () => 'global' },
  }),
  ...pairOf({
    ...{ path: '/v1/groups/:group', name: 'Group', what: 'any member of the group' },
    params: z.object({ group: NameSchema }),
    scopeOf: ({ group }) => `group/${group}`,
  }),
  ...pairOf({
    ...{ path: '/v1/members/:group/:name', name: 'Member', what: 'this member' },
    params: MemberParamsSchema,
    scopeOf: ({ group, name }) => `member/${group}/${name}`,
  }),
];
