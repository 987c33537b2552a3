import { API_PROBLEMS, type ApiProblemCode, PROBLEM_MEDIA_TYPE, ProblemDetailsSchema } from '@understudy/shared';
import * as z from 'zod';
import type { AnyRoute } from '../route.ts';

type Json = Readonly<Record<string, unknown>>;

/** What any request may be refused with. */
const ALWAYS: readonly ApiProblemCode[] = [
  ...(['BAD_REQUEST', 'REQUEST_TIMEOUT', 'HEADER_TOO_LARGE', 'RATE_LIMITED', 'INTERNAL'] as const),
];
const ASKED_WHO: readonly ApiProblemCode[] = ['UNAUTHENTICATED', 'PEER_REFUSED', 'FORBIDDEN', 'CROSS_ORIGIN'];
const COMMANDING: readonly ApiProblemCode[] = ['OPERATOR_TOKEN_MISSING', 'OTHER_GROUP', 'CSRF_MISSING'];
const LEADERS: readonly ApiProblemCode[] = ['NO_LEADER', 'NOT_LEADER', 'LEADER_SILENT', 'STARTING'];

/** Every code that a request to this route can be refused with. */
export function refusalsOf(route: AnyRoute): readonly ApiProblemCode[] {
  const codes = new Set<ApiProblemCode>([...ALWAYS, ...(route.refusals ?? [])]);
  const add = (when: boolean, more: readonly ApiProblemCode[]) => when && more.forEach((code) => codes.add(code));
  add(route.role !== 'anybody', ASKED_WHO);
  add(route.role === 'operate', COMMANDING);
  add(route.params !== undefined, ['PATH_UNKNOWN']);
  add(route.body !== undefined, ['BODY_TOO_LARGE', 'MEDIA_TYPE_UNKNOWN']);
  add(route.leader !== undefined, LEADERS);
  return [...codes];
}

/** Answers may have more fields than a reader knows: a newer coordinator adds some. */
function open(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(open);
  if (typeof schema !== 'object' || schema === null) return schema;
  const fields = Object.entries(schema).filter(
    ([name, value]) => !(name === 'additionalProperties' && value === false),
  );
  return Object.fromEntries(fields.map(([name, value]) => [name, open(value)]));
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, id: __, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return (io === 'output' ? open(json) : json) as Json;
}

/** Parameters of a path or a query; their types are those after they were read from text. */
function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): readonly Json[] {
  if (schema === undefined) return [];
  const { properties } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  const required = new Set(
    place === 'path' ? Object.keys(properties ?? {}) : (schemaOf(schema, 'input').required as string[]),
  );
  return Object.entries(properties ?? {}).map(([name, type]) => ({
    ...{ name, in: place, required: required.has(name), schema: type },
  }));
}

/** Headers that commands take. */
function headersOf({ role, method }: AnyRoute): readonly Json[] {
  const text = { type: 'string', maxLength: 200 };
  if (role !== 'operate' || method === 'GET') return [];
  const key = 'Names this command: sent again under it, it is carried out once, and answered as before.';
  const match = 'The ETag that was read. Needed where others change the same.';
  return [
    { name: 'idempotency-key', in: 'header', required: false, description: key, schema: text },
    ...(method === 'PUT'
      ? [{ name: 'if-match', in: 'header', required: false, description: match, schema: text }]
      : []),
  ];
}

function answersOf(route: AnyRoute): Json {
  const byStatus = Map.groupBy(refusalsOf(route), (code): number => API_PROBLEMS[code].status);
  const problem = { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/ProblemDetails' } } };
  const refused = [...byStatus].map(
    ([status, codes]) =>
      [status, { description: codes.map((code) => `\`${code}\``).join(', '), content: problem }] as const,
  );
  const answered = Object.entries(route.answers).map(([status, { text, schema, mediaType }]) => {
    const type = mediaType ?? 'application/json';
    const content = schema ? { [type]: { schema: schemaOf(schema, 'output') } } : mediaType ? { [type]: {} } : {};
    const also = byStatus.has(Number(status)) ? problem : {};
    const both = { ...content, ...also };
    return [Number(status), { description: text, ...(Object.keys(both).length > 0 ? { content: both } : {}) }] as const;
  });
  return Object.fromEntries([...refused, ...answered].toSorted(([a], [b]) => a - b));
}

const SECURITY = [{ bearer: [] }, { session: [] }, { certificate: [] }];

function operationOf(route: AnyRoute): Json {
  const { operationId, tag, summary, description, role, body } = route;
  const parameters = [
    ...parametersOf(route.params, 'path'),
    ...parametersOf(route.query, 'query'),
    ...headersOf(route),
  ];
  const who = role === 'anybody' ? 'Anybody may ask.' : `Needs the role \`${role}\`.`;
  return {
    ...{ operationId, tags: [tag], summary, description: [description, who].filter(Boolean).join(' ') },
    security: role === 'anybody' ? [] : SECURITY,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } } }),
    responses: answersOf(route),
  };
}

/** `:group` of fastify is `{group}` of OpenAPI. */
const pathOf = (path: string): string => path.replaceAll(/:([a-zA-Z]+)/g, '{$1}');

/** The OpenAPI 3.1 document of these routes. Nothing in it but `version` depends on the process. */
export function openApiDocument(routes: readonly AnyRoute[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) (paths[pathOf(route.path)] ??= {})[route.method.toLowerCase()] = operationOf(route);
  const tags = [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name }));
  return {
    openapi: '3.1.0',
    info: {
      title: 'Understudy coordinator',
      version,
      description: 'Every coordinator serves it. Who may ask what, and how: docs/api.md. Refusals: docs/errors.md.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The coordinator that served this' }],
    tags,
    paths,
    components: {
      schemas: { ProblemDetails: schemaOf(ProblemDetailsSchema, 'output') },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token of `http.tokensFile`.' },
        session: { type: 'apiKey', in: 'cookie', name: 'understudy-session', description: 'Of `POST /v1/session`.' },
        certificate: { type: 'mutualTLS', description: 'A certificate with a name in `http.tls.clients`.' },
      },
    },
  };
}
