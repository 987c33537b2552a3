import type { Clock, Random } from '@understudy/shared';
import type { ClusterKeys } from '../cluster-keys.ts';
import type { AskPeer } from '../../fleet/heard-of-peers.ts';
import { askPeer } from './peer-link.ts';
import { isAnswerSigned, PEER_ANSWER_HEADER, sha256Of, signedHeaders } from './peer-signature.ts';

export interface PeerQuestionOptions {
  readonly coordinatorId: string;
  readonly keys: ClusterKeys;
  readonly clock: Clock;
  readonly random: Random;
  /** As for forwarding. */
  readonly peerCa: () => Buffer | null;
}

/** Shorter than the time between two questions. */
const TIMEOUT_MS = 900;
const REQUEST_ID_BYTES = 8;

/**
 * Asks another coordinator in our own name, signed as what is passed on for a caller is. Only an
 * answer that it signed is believed.
 * @throws Error when there is none in time, or it is not the other's.
 */
export function peerQuestion({ coordinatorId, keys, clock, random, peerCa }: PeerQuestionOptions): AskPeer {
  return async (peer, path) => {
    const requestId = random.hex(REQUEST_ID_BYTES);
    const headers = signedHeaders(keys, {
      ...{ method: 'GET', path, requestId, ifMatch: '', idempotencyKey: '', bodySha256: sha256Of('') },
      ...{ from: coordinatorId, to: peer.coordinatorId, atWallMs: clock.wallMs(), address: '' },
      caller: { id: `coordinator:${coordinatorId}`, name: coordinatorId, role: 'read', groups: null, via: 'nothing' },
    });
    const message = { url: new URL(path, peer.httpUrl), method: 'GET', headers, body: '', timeoutMs: TIMEOUT_MS };
    const reply = await askPeer(clock, message, peerCa());
    const signature = reply.headers[PEER_ANSWER_HEADER] ?? '';
    if (!isAnswerSigned(keys, signature, requestId, peer.coordinatorId, reply.status, reply.body))
      throw new Error(`what answers at ${peer.httpUrl} (${reply.status}) does not sign as ${peer.coordinatorId}`);
    if (reply.status !== 200) throw new Error(`it answered ${reply.status}`);
    return JSON.parse(reply.body);
  };
}
