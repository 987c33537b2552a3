import {
  forensicRecord,
  type HistoryQuery,
  type InventoryHistory,
  parseCondition,
  type Span,
} from '@understudy/inventory';
import {
  type ApiProblemCode,
  InventoryDifferencesSchema,
  InventoryPageSchema,
  InventoryRecoverySchema,
  InventoryStandingSchema,
  InventoryVersionSchema,
  isOperationError,
} from '@understudy/shared';
import * as z from 'zod';
import type { ApiSource } from '../api-source.ts';
import { MemberParamsSchema } from '../params.ts';
import { Refusal } from '../refusal.ts';
import { type AnyRoute, defineRoute, ok, type RouteContext } from '../route.ts';

const LIMIT_MAX = 1_000;
const CONDITIONS_MAX = 20;

/** ms since the epoch, or ISO 8601. */
const moment = z
  .string()
  .max(40)
  .transform((text, context) => {
    const wallMs = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
    if (Number.isSafeInteger(wallMs) && wallMs >= 0) return wallMs;
    context.issues.push({ code: 'custom', message: 'want ISO 8601 or ms since 1970', input: text });
    return z.NEVER;
  });

const condition = z.string().min(1).max(500);
const where = z
  .union([condition, z.array(condition).max(CONDITIONS_MAX)])
  .default([])
  .transform((given) => [given].flat());

const KindParamsSchema = z.object({ kind: z.string().min(1).max(40) });
const paging = {
  limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(100),
  /** `next` of the page before. */
  cursor: z.string().max(1_000).optional(),
};
const id = z.string().min(1).max(500);

const VersionsQuerySchema = z.strictObject({
  /** Only this resource. */
  id: id.optional(),
  /** The versions that were valid then. Without any time: the current ones. */
  at: moment.optional(),
  /** Those that were valid at any moment from then on. */
  since: moment.optional(),
  /** Those that were valid at any moment before. */
  until: moment.optional(),
  /** `changed`: only those that began in the range, and those whose resource was gone in it. */
  of: z.enum(['valid', 'changed']).default('valid'),
  /** A path, one of `=` `!=` `~`, and a value. Given more than once, all have to hold. */
  where,
  ...paging,
});

const OneQuerySchema = z.strictObject({ id, at: moment.optional() });

const DifferencesQuerySchema = z.strictObject({
  id: id.optional(),
  from: moment,
  /** Default: now. */
  to: moment.optional(),
  where,
  ...paging,
});

const CODES: Readonly<Record<string, ApiProblemCode>> = {
  INVENTORY_QUERY_INVALID: 'BAD_REQUEST',
  INVENTORY_QUERY_SLOW: 'INVENTORY_QUERY_SLOW',
  INVENTORY_UNKNOWN: 'INVENTORY_UNKNOWN',
  INVENTORY_GONE: 'INVENTORY_GONE',
};

/** @throws Refusal for whatever a history refuses */
async function asked<T>(context: RouteContext, ask: (history: InventoryHistory, api: ApiSource) => Promise<T>) {
  const api = context.api();
  if (api.inventory === null) throw new Refusal('INVENTORY_OFF', 'no inventory history is kept here');
  try {
    return ok(await ask(api.inventory, api));
  } catch (error) {
    if (!isOperationError(error)) throw error;
    const text = error.message.replace(`${error.code}: `, '');
    throw new Refusal(CODES[error.code] ?? 'INVENTORY_UNAVAILABLE', text);
  }
}

type VersionsAsked = z.infer<typeof VersionsQuerySchema>;

/** @throws Refusal BAD_REQUEST */
function spanOf({ at, since, until, of }: VersionsAsked): Span {
  if (since === undefined && until === undefined) return { kind: 'at', atWallMs: at ?? null };
  if (at !== undefined) throw new Refusal('BAD_REQUEST', 'at: want a moment (at) or a range (since, until), not both');
  return { kind: of, fromWallMs: since ?? 0, toWallMs: until ?? Number.MAX_SAFE_INTEGER };
}

const pageOf = ({ cursor, limit }: { cursor?: string | undefined; limit: number }) => ({
  after: cursor ?? null,
  limit,
});

const REFUSALS = ['STARTING', 'BAD_REQUEST', 'INVENTORY_OFF', 'INVENTORY_UNAVAILABLE'] as const;
const shared = { method: 'GET', role: 'read', leader: 'preferred', tag: 'Inventory' } as const;

const standing = defineRoute({
  ...shared,
  ...{ path: '/v1/inventory', operationId: 'getInventory' },
  summary: 'Which kinds of resources are kept, since when, and how the last crawl went',
  answers: { 200: { text: 'A line a kind.', schema: InventoryStandingSchema } },
  refusals: REFUSALS,
  handle: (_, context) =>
    asked(context, async (history, api) => ({
      coordinatorId: api.status().coordinatorId,
      ...(await history.standing()),
    })),
});

const versions = defineRoute({
  ...shared,
  ...{ path: '/v1/inventory/:kind', operationId: 'listInventory' },
  summary: 'Versions of resources: at a time, or of a range',
  description:
    'In the order of their ids, and of their times. Ranges hold their beginning and not their end. A page ends early, also without any version, where it is large or much was read for it: go on from `next`.',
  params: KindParamsSchema,
  query: VersionsQuerySchema,
  answers: { 200: { text: 'A page.', schema: InventoryPageSchema } },
  refusals: [...REFUSALS, 'INVENTORY_QUERY_SLOW'],
  handle: ({ params: { kind }, query }, context) =>
    asked(context, (history) => {
      const where: HistoryQuery['where'] = query.where.map(parseCondition);
      return history.versions({ kind, id: query.id ?? null, span: spanOf(query), where, ...pageOf(query) });
    }),
});

const version = defineRoute({
  ...shared,
  ...{ path: '/v1/inventory/:kind/version', operationId: 'getInventoryVersion' },
  summary: 'One resource as it was at a time, or as it is',
  params: KindParamsSchema,
  query: OneQuerySchema,
  answers: { 200: { text: 'Its version.', schema: InventoryVersionSchema } },
  refusals: [...REFUSALS, 'INVENTORY_UNKNOWN', 'INVENTORY_GONE'],
  handle: ({ params: { kind }, query: { id: one, at } }, context) =>
    asked(context, (history) => history.version(kind, one, at ?? null)),
});

const differences = defineRoute({
  ...shared,
  ...{ path: '/v1/inventory/:kind/differences', operationId: 'compareInventory' },
  summary: 'What is different between two times, field by field',
  params: KindParamsSchema,
  query: DifferencesQuerySchema,
  answers: { 200: { text: 'A page of resources that differ.', schema: InventoryDifferencesSchema } },
  refusals: [...REFUSALS, 'INVENTORY_QUERY_SLOW'],
  handle: ({ params: { kind }, query }, context) =>
    asked(context, (history) => {
      const toWallMs = query.to ?? context.clock.wallMs();
      const where = query.where.map(parseCondition);
      return history.differences({
        ...{ kind, id: query.id ?? null, fromWallMs: query.from, toWallMs, where },
        ...pageOf(query),
      });
    }),
});

const recovery = defineRoute({
  ...shared,
  ...{ path: '/v1/members/:group/:name/inventory', operationId: 'getInventoryOfRecovery' },
  summary: 'The forensic record of an ended recovery: what was there before, what is now, what was lost',
  description: 'As exact as crawls are often. Of the last recovery of the member, or of the one that is named.',
  params: MemberParamsSchema,
  query: z.strictObject({ opId: z.string().max(200).optional() }),
  answers: { 200: { text: 'What became of each resource.', schema: InventoryRecoverySchema } },
  refusals: [...REFUSALS, 'INVENTORY_UNKNOWN', 'INVENTORY_GONE', 'RECOVERY_UNKNOWN'],
  handle: ({ params: { group, name }, query: { opId } }, context) =>
    asked(context, async (history, api) => {
      const member = `${group}/${name}` as const;
      const ended = api
        .history(member, Number.POSITIVE_INFINITY)
        .find((one) => opId === undefined || one.opId === opId);
      if (ended === undefined) throw new Refusal('RECOVERY_UNKNOWN', `no such recovery of ${member} has ended here`);
      const { startedAtWallMs } = ended;
      return { member, opId: ended.opId, startedAtWallMs, ...(await forensicRecord(history, ended)) };
    }),
});

export const inventory: readonly AnyRoute[] = [standing, versions, version, differences, recovery];
