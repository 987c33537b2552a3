import { createHash, createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import { OperationError } from '../errors.ts';
import type { MemberId } from '../member-id.ts';
import type { Mac } from './frame.ts';

/**
 * `node:crypto` hashing is a pure function; nothing in this file reads a clock, a file or a random
 * source.
 */

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** A member's name on the wire: 16 bytes, hex. */
export const agentIdOf = (member: MemberId): string => sha256(member).subarray(0, 16).toString('hex');

/** An instance's name on the wire: 8 bytes, hex. */
export const instanceHashOf = (instanceId: string): string => sha256(instanceId).subarray(0, 8).toString('hex');

/** A coordinator's name on the wire: u32, never 0 (0 = empty slot). */
export const coordinatorHashOf = (coordinatorId: string): number => sha256(coordinatorId).readUInt32BE(0) || 1;

export const KEY_BYTES = 32;

/**
 * @throws KEY_INVALID unless the text is 64 hex characters (surrounding white space allowed).
 * `source` names the file in the message.
 */
export function parseKey(text: string, source: string): Uint8Array {
  const hex = text.trim();
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) {
    throw new OperationError(
      'KEY_INVALID',
      `${source}: want ${KEY_BYTES} bytes as 64 hex characters, found ${hex.length} characters`,
    );
  }
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/**
 * The key of one member: HKDF-SHA-256(master, info =
 * `understudy/v1/agent/<keyId>/<group>/<member>`). A stolen key speaks for one member only.
 */
export function deriveAgentKey(master: Uint8Array, keyId: number, member: MemberId): Uint8Array {
  return new Uint8Array(
    hkdfSync('sha256', master, new Uint8Array(0), `understudy/v1/agent/${keyId}/${member}`, KEY_BYTES),
  );
}

/**
 * Names a secret without telling it: the first 4 bytes, hex, of HKDF-SHA-256(secret, info =
 * `understudy/v1/fingerprint/<keyId>`). Two holders that show the same one hold the same secret
 * under the same id. It is for people and for "have I seen this one?"; it authenticates nothing.
 */
export const keyFingerprint = (secret: Uint8Array, keyId: number): string =>
  Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), `understudy/v1/fingerprint/${keyId}`, 4)).toString('hex');

/** Plain MAC with a `KeyObject` (a raw key is 6 × slower on Node 24). */
export function hmacOf(key: Uint8Array): Mac {
  const keyObject = createSecretKey(key);
  return (message) => createHmac('sha256', keyObject).update(message).digest();
}

/**
 * The text that identifies a recovery. `ordinal`: how many recoveries of this instance were
 * abandoned before it. No instance id has a `#`.
 */
const identityText = (oldInstanceId: string, ordinal: number): string =>
  ordinal === 0 ? oldInstanceId : `${oldInstanceId}#${ordinal}`;

/**
 * Recovery id. It is a pure function of the old instance and its ordinal, so that two leaders can
 * only mean the same recovery.
 */
export const opIdOf = (oldInstanceId: string, ordinal = 0): string =>
  `op-${sha256(`understudy/op/${identityText(oldInstanceId, ordinal)}`)
    .toString('hex')
    .slice(0, 16)}`;

/**
 * ClientToken of an effect: H(old instance and ordinal, purpose, attempt), 64 hex characters (EC2's
 * limit). It is never random, and never from the term (S6; EC2 devguide, ec2-api-idempotency).
 */
export const clientTokenOf = (
  oldInstanceId: string,
  purpose: 'permit' | 'launch' | 'reserve' | `copy-${string}`,
  attempt: number,
  ordinal = 0,
): string => sha256(`understudy/token/${identityText(oldInstanceId, ordinal)}/${purpose}/${attempt}`).toString('hex');
