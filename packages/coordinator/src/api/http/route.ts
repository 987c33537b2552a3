import type { ApiProblemCode, Clock, Log } from '@understudy/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { ApiSource, MetricsSource } from './api-source.ts';
import type { Caller, Role } from './caller.ts';

/** What a route asks of the process around it. */
export interface RouteContext {
  /** @throws Refusal STARTING while the process is put together. */
  readonly api: () => ApiSource;
  /** @throws Refusal STARTING while the process is put together. */
  readonly metrics: () => MetricsSource;
  /** The token that operators show. Null: none is configured. */
  readonly operatorToken: string | null;
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
  /** Another coordinator passed it on. It is not passed on again. */
  readonly isForwarded: boolean;
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
