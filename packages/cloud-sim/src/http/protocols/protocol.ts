import type { CallError } from '../../core/cloud-sim-core.ts';
import type { OperationSchema } from '../../schema/operation-schema.ts';

export interface WireRequest {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface WireReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Further ones. Absent: none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** One question, understood but not yet checked against the model. */
export interface Question {
  readonly operation: OperationSchema;
  readonly input: Record<string, unknown>;
}

/** The operation of a service by its bare name. Null: the service has none of that name. */
export type FindOperation = (name: string) => OperationSchema | null;

/** How a service's questions and answers look on the wire (query, JSON, REST XML). */
export interface Protocol {
  /** The header of every reply that has the request's id. Null: it is in the body. */
  readonly requestIdHeader: string | null;
  /** Whether a request is in this protocol and for this service. */
  owns(request: WireRequest): boolean;
  /** @throws Ec2Error in EC2's words */
  read(request: WireRequest, find: FindOperation): Question;
  write(operation: OperationSchema, output: Record<string, unknown>, requestId: string): WireReply;
  /** `error`: in the service's own words. */
  refuse(error: CallError, requestId: string): WireReply;
}
