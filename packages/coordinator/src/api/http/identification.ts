import type { FastifyInstance } from 'fastify';
import type { Access, Identified } from './access/access.ts';
import type { ClusterKeys } from './cluster-keys.ts';
import { PEER_ANSWER_HEADER, signAnswer } from './peers/peer-signature.ts';
import { Refusal } from './refusal.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Who asks.
     * @throws Refusal: what the caller shows is not good.
     */
    identified: () => Identified;
  }
}

/**
 * Tells of every request who asks, before anything of it is read. A refusal waits until the request
 * meets a route that wants to know, so that a wrong token is counted by the limits, and health is
 * told to everybody.
 */
export function addIdentification(server: FastifyInstance, access: Access): void {
  server.decorateRequest('identified', () => {
    throw new Error('asked before the request was looked at');
  });
  server.addHook('onRequest', async (request, reply) => {
    let found: Identified | Refusal;
    try {
      found = access.identify(request);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      found = error;
    }
    // What another coordinator passes on keeps the id under which its caller knows it.
    if (!(found instanceof Refusal) && found.peer !== null) request.id = found.peer.requestId;
    request.identified = () => {
      if (found instanceof Refusal) throw found;
      return found;
    };
    void reply.header('request-id', request.id);
  });
}

/** Signs what a coordinator is answered, so that it can tell our answer from another's. */
export function addAnswerSignature(server: FastifyInstance, coordinatorId: string, keys: ClusterKeys): void {
  server.addHook('onSend', async (request, reply, payload: unknown) => {
    if (!isFromPeer(request)) return payload;
    const body = typeof payload === 'string' ? payload : Buffer.isBuffer(payload) ? payload.toString('utf8') : '';
    void reply.header(PEER_ANSWER_HEADER, signAnswer(keys, request.id, coordinatorId, reply.statusCode, body));
    return payload;
  });
}

function isFromPeer(request: { readonly identified: () => Identified }): boolean {
  try {
    return request.identified().peer !== null;
  } catch {
    return false;
  }
}
