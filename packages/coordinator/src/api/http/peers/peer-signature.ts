import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type Caller, CallerSchema } from '../access/caller.ts';
import type { ClusterKeys } from '../cluster-keys.ts';

/** What one coordinator asks of another, and everything that its signature covers. */
export interface PeerRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly bodySha256: string;
  /** The coordinators that send and that are meant. */
  readonly from: string;
  readonly to: string;
  /** Wall clock of the sender, ms. */
  readonly atWallMs: number;
  /** The original caller's. It also names this sending: it is never used twice. */
  readonly requestId: string;
  readonly caller: Omit<Caller, 'passedOnBy'>;
  /** The address from which the original caller asked. '': the coordinator itself asks. */
  readonly address: string;
  /** Headers that change what is done, as they came; '' for one that did not. */
  readonly ifMatch: string;
  readonly idempotencyKey: string;
}

export const PEER_HEADER = 'understudy-peer';
export const PEER_SIGNATURE_HEADER = 'understudy-peer-signature';
/** On the answer. It says that this answer is to this request, and by the coordinator meant. */
export const PEER_ANSWER_HEADER = 'understudy-peer-answer';

/** Sent beside the request; method, path and body are what arrives. */
const EnvelopeSchema = z.strictObject({
  from: z.string().max(63),
  to: z.string().max(63),
  atWallMs: z.number(),
  requestId: z.string().max(64),
  bodySha256: z.string().max(64),
  caller: CallerSchema,
  address: z.string().max(64),
});
type Envelope = z.infer<typeof EnvelopeSchema>;

export const sha256Of = (body: string): string => createHash('sha256').update(body, 'utf8').digest('hex');

const encode = (envelope: Envelope): string => Buffer.from(JSON.stringify(envelope), 'utf8').toString('base64url');

/** Null: it is no envelope. */
export function envelopeOf(header: string): Envelope | null {
  try {
    const parsed = EnvelopeSchema.safeParse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** One field a line; no field has a line end, so that no two requests have one text. */
const signedText = (envelope: string, { method, path, ifMatch, idempotencyKey }: Carried): string =>
  ['understudy-peer-v1', method, path, ifMatch, idempotencyKey, envelope].join('\n');

/** What of a request travels as itself, and is signed too. */
export type Carried = Pick<PeerRequest, 'method' | 'path' | 'ifMatch' | 'idempotencyKey'>;

/** The headers that vouch for a request. */
export function signedHeaders(keys: ClusterKeys, request: PeerRequest): Readonly<Record<string, string>> {
  const { from, to, atWallMs, requestId, bodySha256, caller, address } = request;
  const envelope = encode({ from, to, atWallMs, requestId, bodySha256, caller, address });
  return { [PEER_HEADER]: envelope, [PEER_SIGNATURE_HEADER]: keys.sign('peer', signedText(envelope, request)) };
}

export const isSignedByPeer = (keys: ClusterKeys, envelope: string, signature: string, carried: Carried): boolean =>
  keys.verify('peer', signedText(envelope, carried), signature);

const answerText = (requestId: string, by: string, status: number, body: string): string =>
  ['understudy-peer-answer-v1', requestId, by, String(status), sha256Of(body)].join('\n');

export const signAnswer = (keys: ClusterKeys, requestId: string, by: string, status: number, body: string): string =>
  keys.sign('peer', answerText(requestId, by, status, body));

export const isAnswerSigned = (
  keys: ClusterKeys,
  signature: string,
  requestId: string,
  by: string,
  status: number,
  body: string,
): boolean => keys.verify('peer', answerText(requestId, by, status, body), signature);
