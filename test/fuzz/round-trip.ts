import {
  decodeAck,
  decodeHeartbeat,
  decodeProbe,
  encodeAck,
  encodeHeartbeat,
  encodeProbe,
  FRAME_BYTES_MAX,
  type Mac,
} from '@understudy/shared';
import { isDeepStrictEqual } from 'node:util';
import type { Finding } from './step.ts';

const NO_TAG: Mac = () => new Uint8Array(32);
const CODECS = [
  [decodeHeartbeat, encodeHeartbeat],
  [decodeAck, encodeAck],
  [decodeProbe, encodeProbe],
] as const;

/**
 * Checks a datagram that a decoder takes for a frame, right tag or not: exactly one decoder does,
 * and what it read survives being written and read again. (The bytes may differ where the receiver
 * does not look: reserved bytes, unused flags, gaps between ack slots.)
 */
export function roundTripFault(bytes: Uint8Array): Finding | null {
  let takers = 0;
  for (const [decode, encode] of CODECS) {
    const read = decode(bytes);
    if (read === null) continue;
    takers++;
    const again = decode((encode as (fields: unknown, mac: Mac) => Uint8Array)(read, NO_TAG));
    if (!isDeepStrictEqual(again, read))
      return { invariant: 'round-trip', text: `${decode.name} reads its own writing otherwise` };
  }
  if (takers > 1) return { invariant: 'round-trip', text: `${takers} decoders take the same datagram` };
  if (takers === 1 && bytes.length > FRAME_BYTES_MAX)
    return { invariant: 'round-trip', text: `a frame of ${bytes.length} bytes` };
  return null;
}
