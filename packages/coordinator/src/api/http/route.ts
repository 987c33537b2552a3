import type { ApiProblemCode, Clock, Log } from '@understudy/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { ApiSource, MetricsSource } from './api-source.ts';
import type { Access } from './access/access.ts';
import type { ArtefactSource } from './artefacts.ts';
import type { Caller, Role } from './access/caller.ts';
import type { OpenStreams } from './open-streams.ts';
import type { Session } from './access/sessions.ts';
import type { Site } from './site.ts';

/** What a route asks of the process around it. */
export interface RouteContext {
  /** @throws Refusal STARTING while the process is put together. */
  readonly api: () => ApiSource;
  /** @throws Refusal STARTING while the process is put together. */
  readonly metrics: () => MetricsSource;
  readonly access: Access;
  /** The OpenAPI document of all routes. */
  readonly description: () => object;
  readonly streams: OpenStreams;
  /** The dashboard. Null: it is not built. */
  readonly site: Site | null;
  /** What instances install. Null: this coordinator hands out nothing. */
  readonly artefacts: ArtefactSource | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** One request, as a route sees it: everything is checked against the route's schemas. */
export interface Asked<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  /** Undefined where the route takes no body. */
  readonly body: B;
  readonly caller: Caller;
  /** As in the log, the header `request-id` and the `instance` of a refusal. */
  readonly requestId: string;
  /** The browser's session by whose cookie it was asked. Null: it shows another thing, or none. */
  readonly session: Session | null;
  /** Headers `if-match` and `idempotency-key` as they came. Null: it has none. */
  readonly ifMatch: string | null;
  readonly idempotencyKey: string | null;
  /** For what is not JSON in and JSON out: headers, streams, files. */
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** What a handler answers. A refusal is thrown instead, see {@link Refusal}. */
export interface Answer {
  readonly status: number;
  /** JSON, unless the route's `answers` say another media type for this status. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How an answer is described in the OpenAPI document. */
export interface AnswerDescription {
  readonly text: string;
  /** Absent: no body, or none that is JSON. */
  readonly schema?: z.ZodType;
  /** Default `application/json` where there is a schema. */
  readonly mediaType?: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * A part of the API: one method of one path. `P`, `Q`, `B`: what its schemas make of the request.
 */
export interface Route<P = unknown, Q = unknown, B = unknown> {
  readonly method: Method;
  /** As fastify writes it: `/v1/members/:group/:name/explain`. */
  readonly path: `/${string}`;
  /**
   * Who may ask. `operate` includes `read`. A route whose path has `:group` and whose role is
   * `operate` is open only to operators of that group.
   */
  readonly role: Role;
  /**
   * What only the leader can do (`required`), or knows better (`preferred`). A follower passes it
   * on, with the identity of the caller. `required`: the handler runs on the leader only, and
   * without a leader the request is refused. `preferred`: without the leader's answer a follower
   * gives its own. Absent: every coordinator answers by itself.
   */
  readonly leader?: 'required' | 'preferred';
  /** Unique; the OpenAPI document and generated clients call it so. */
  readonly operationId: string;
  /** The heading it stands under in the OpenAPI document. */
  readonly tag: string;
  /** One line. */
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  /** Absent: it takes no body. */
  readonly body?: z.ZodType<B>;
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** Refusals of its own, beside those that its role, schemas and limits make possible. */
  readonly refusals?: readonly ApiProblemCode[];
  readonly handle: (asked: Asked<P, Q, B>, context: RouteContext) => Answer | Promise<Answer>;
}

/** A route of any request, as the registry keeps it. */
export interface AnyRoute extends Omit<Route<never, never, never>, 'params' | 'query' | 'body'> {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
}

/** Lets TypeScript infer what the schemas of a route make of a request. */
export const defineRoute = <P = unknown, Q = unknown, B = undefined>(route: Route<P, Q, B>): AnyRoute => route;

export const ok = (body: unknown): Answer => ({ status: 200, body });
