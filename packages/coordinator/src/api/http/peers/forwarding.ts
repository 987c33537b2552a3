import { type Clock, errorText, type Log } from '@understudy/shared';
import type { Caller } from '../access/caller.ts';
import type { ClusterKeys } from '../cluster-keys.ts';
import { Refusal } from '../refusal.ts';
import type { Answer } from '../route.ts';
import { askPeer, type PeerReply } from './peer-link.ts';
import { isAnswerSigned, PEER_ANSWER_HEADER, sha256Of, signedHeaders } from './peer-signature.ts';

/** The coordinator that leads, as far as is known here. */
export interface KnownLeaderAddress {
  readonly coordinatorId: string;
  readonly httpUrl: string;
}

export interface ForwardingOptions {
  readonly coordinatorId: string;
  readonly keys: ClusterKeys;
  readonly clock: Clock;
  readonly log: Log;
  /** Certificates of the authority that vouches for coordinators. Null: those that Node trusts. */
  readonly peerCa: () => Buffer | null;
}

/** One request of a caller, to be passed on as it came. */
export interface Forwarded {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** As it came; '' for none. */
  readonly body: string;
  readonly caller: Caller;
  /** From which the caller asked. */
  readonly address: string;
  readonly requestId: string;
  readonly ifMatch: string;
  readonly idempotencyKey: string;
}

/** Headers of the leader's answer that the caller gets. */
const PASSED_BACK = ['content-type', 'etag', 'retry-after', 'allow', 'location'] as const;

/**
 * Passes requests on to the leader: with the identity of the original caller, signed with a key
 * that only coordinators have, and never with what the caller showed. The answer has to be signed
 * too, so that whatever else listens at the leader's address is not believed.
 */
export class Forwarding {
  readonly #options: ForwardingOptions;

  constructor(options: ForwardingOptions) {
    this.#options = options;
  }

  /**
   * The leader's answer, whatever it is.
   * @throws Refusal LEADER_SILENT: there was none in time, or it is not the leader's. The request
   * may have been carried out.
   */
  async send(leader: KnownLeaderAddress, request: Forwarded, timeoutMs: number): Promise<Answer> {
    const { coordinatorId, keys, log } = this.#options;
    let reply: PeerReply;
    try {
      reply = await this.#ask(leader, request, timeoutMs);
    } catch (error) {
      log.debug('http.leader_silent', { leader: leader.coordinatorId, error: errorText(error) });
      throw silent(leader, errorText(error));
    }
    const { status, headers, body } = reply;
    const signature = headers[PEER_ANSWER_HEADER] ?? '';
    if (!isAnswerSigned(keys, signature, request.requestId, leader.coordinatorId, status, body)) {
      log.warn('http.leader_not_authentic', { leader: leader.coordinatorId, from: coordinatorId, status });
      throw silent(leader, `what answers there (${status}) does not sign as ${leader.coordinatorId}`);
    }
    const back = PASSED_BACK.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]] as const]));
    return { status, body: Buffer.from(body, 'utf8'), headers: Object.fromEntries(back) };
  }

  #ask(leader: KnownLeaderAddress, request: Forwarded, timeoutMs: number): Promise<PeerReply> {
    const { coordinatorId, keys, clock, peerCa } = this.#options;
    const { method, path, body, ifMatch, idempotencyKey, requestId, address } = request;
    const { passedOnBy: _, ...caller } = request.caller;
    const vouched = signedHeaders(keys, {
      ...{ method, path, requestId, caller, address, ifMatch, idempotencyKey },
      bodySha256: sha256Of(body),
      from: coordinatorId,
      to: leader.coordinatorId,
      atWallMs: clock.wallMs(),
    });
    const headers = {
      accept: 'application/json',
      ...(body === '' ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
      ...(ifMatch === '' ? {} : { 'if-match': ifMatch }),
      ...(idempotencyKey === '' ? {} : { 'idempotency-key': idempotencyKey }),
      ...vouched,
    };
    return askPeer(clock, { url: urlAt(leader, path), method, headers, body, timeoutMs }, peerCa());
  }
}

/** **S** @throws where the path leads to another host than the leader's. */
function urlAt({ httpUrl }: KnownLeaderAddress, path: string): URL {
  const url = new URL(path, httpUrl);
  if (url.origin !== new URL(httpUrl).origin) throw new Error('the path names another host than the leader');
  return url;
}

const silent = ({ coordinatorId, httpUrl }: KnownLeaderAddress, why: string): Refusal =>
  new Refusal('LEADER_SILENT', `the leader ${coordinatorId} does not answer at ${httpUrl}: ${why}`, {
    'retry-after': '2',
  });
