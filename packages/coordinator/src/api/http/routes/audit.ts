import { AuditViewSchema } from '@understudy/shared';
import * as z from 'zod';
import { defineRoute, ok } from '../route.ts';

const LIMIT_MAX = 500;

const QuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(50),
  /** `next` of the answer before. */
  before: z.string().max(64).optional(),
});

export const audit = defineRoute({
  ...{ method: 'GET', path: '/v1/audit', role: 'read', operationId: 'listAudit', tag: 'Control' },
  summary: 'Commands that were carried out: who, from where, when, why, before and after',
  query: QuerySchema,
  answers: { 200: { text: 'The newest first.', schema: AuditViewSchema } },
  refusals: ['STARTING'],
  handle: ({ query: { limit, before } }, { api }) => ok(api().controls.audit(limit, before ?? null)),
});
