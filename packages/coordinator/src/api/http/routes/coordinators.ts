import { DrainsViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { carryOut, commandFields, commandRoute, COMMON_REFUSALS } from '../carry-out.ts';
import { NameSchema } from '../params.ts';
import { defineRoute, ok } from '../route.ts';

const ParamsSchema = z.object({ coordinator: NameSchema });

export const drains = defineRoute({
  ...{ method: 'GET', path: '/v1/drains', role: 'read', operationId: 'listDrains', tag: 'Coordinators' },
  summary: 'Coordinators that are present, and which of them are drained',
  answers: { 200: { text: 'With the revision by which each drain is ended.', schema: DrainsViewSchema } },
  refusals: ['STARTING'],
  handle: (_, { api }) => ok(api().controls.drains()),
});

const DrainSchema = z.strictObject({
  ...commandFields,
  /** When it ends by itself. Null: not by itself. */
  untilWallMs: z.number().nullable().default(null),
  /** Also where too few are left to call anybody dead. */
  override: z.boolean().default(false),
});

export const drain = defineRoute({
  ...{ ...commandRoute, method: 'POST', path: '/v1/coordinators/:coordinator/drain' },
  ...{ operationId: 'drainCoordinator', tag: 'Coordinators' },
  summary: 'Let a coordinator lead only where nobody else can, and accuse nobody',
  ...{ params: ParamsSchema, body: DrainSchema },
  refusals: [...COMMON_REFUSALS, 'COORDINATOR_UNKNOWN', 'TOO_FEW_OBSERVERS'],
  handle: (asked, context) => {
    const { untilWallMs, override } = asked.body;
    const coordinatorId = asked.params.coordinator;
    return carryOut(asked, context, { kind: 'drain', coordinatorId, untilWallMs, override });
  },
});

const UndrainSchema = z.strictObject({
  ...commandFields,
  /** The revision of the drain that was shown. Null: whichever there is. */
  revision: z.number().int().min(1).nullable().default(null),
});

export const undrain = defineRoute({
  ...{ ...commandRoute, method: 'POST', path: '/v1/coordinators/:coordinator/undrain' },
  ...{ operationId: 'undrainCoordinator', tag: 'Coordinators' },
  summary: 'Let a drained coordinator take part again',
  ...{ params: ParamsSchema, body: UndrainSchema },
  refusals: [...COMMON_REFUSALS, 'NOTHING_THERE', 'REVISION_STALE'],
  handle: (asked, context) =>
    carryOut(asked, context, {
      ...{ kind: 'undrain', coordinatorId: asked.params.coordinator, revision: asked.body.revision },
    }),
});

const TransferSchema = z.strictObject({
  ...commandFields,
  /** Who should lead. Null: whoever is elected. */
  to: NameSchema.nullable().default(null),
});

export const transfer = defineRoute({
  ...{ ...commandRoute, method: 'POST', path: '/v1/leader/transfer' },
  ...{ operationId: 'transferLead', tag: 'Coordinators' },
  summary: 'Have the leader resign; the others leave the lead to the one that is named, for a moment',
  description: 'Open recoveries go on under the next leader.',
  body: TransferSchema,
  refusals: [...COMMON_REFUSALS, 'COORDINATOR_UNKNOWN', 'TOO_FEW_OBSERVERS'],
  handle: (asked, context) => carryOut(asked, context, { kind: 'transfer', to: asked.body.to }),
});
