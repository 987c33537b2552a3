import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { OperationError } from '../errors.ts';
import type { MemberId } from '../member-id.ts';

/**
 * A member's key on its way to an agent that enrols (S34): X25519 with a key pair of one use,
 * HKDF-SHA-256 and AES-256-GCM. Only who asked can open it, whatever has passed it on or kept it.
 */

export const X25519_BYTES = 32;
const TAG_BYTES = 16;
/** ASN.1 around a raw key (RFC 8410). */
const PRIVATE_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_HEAD = Buffer.from('302a300506032b656e032100', 'hex');
/** Every key is used once. */
const NONCE = Buffer.alloc(12);

/** Both in base64url. */
export interface SealedKey {
  /** The sender's public key of one use. */
  readonly publicKey: string;
  readonly sealed: string;
}

/** For whom it is; it opens for nobody else. */
export interface SealedFor {
  readonly member: MemberId;
  readonly instanceId: string;
}

const raw = (text: string, where: string): Buffer => {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length === X25519_BYTES) return bytes;
  throw new OperationError('KEY_INVALID', `${where}: want ${X25519_BYTES} bytes in base64url, found ${bytes.length}`);
};

const privateOf = (secret: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, secret]), format: 'der', type: 'pkcs8' });

const publicOf = (bytes: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, bytes]), format: 'der', type: 'spki' });

/** The raw public key of a raw X25519 secret of 32 bytes, base64url. */
export const publicKeyOf = (secret: Uint8Array): string =>
  createPublicKey(privateOf(secret))
    .export({ format: 'der', type: 'spki' })
    .subarray(PUBLIC_HEAD.length)
    .toString('base64url');

function cipherKey(shared: Buffer, sender: string, receiver: string, { member, instanceId }: SealedFor): Buffer {
  const info = `understudy/v1/enrolment/${member}/${instanceId}/${sender}/${receiver}`;
  return Buffer.from(hkdfSync('sha256', shared, new Uint8Array(0), info, 32));
}

/**
 * `secret`: 32 random bytes that are used for this alone.
 * @throws KEY_INVALID where the public key is none that anything can be sealed to.
 */
export function sealKey(text: string, publicKey: string, secret: Uint8Array, to: SealedFor): SealedKey {
  const receiver = raw(publicKey, 'publicKey');
  const sender = publicKeyOf(secret);
  let shared: Buffer;
  try {
    shared = diffieHellman({ privateKey: privateOf(secret), publicKey: publicOf(receiver) });
  } catch (cause) {
    throw new OperationError('KEY_INVALID', 'publicKey: it is no public key of X25519', { cause });
  }
  const cipher = createCipheriv('aes-256-gcm', cipherKey(shared, sender, publicKey, to), NONCE);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { publicKey: sender, sealed: sealed.toString('base64url') };
}

/** @throws KEY_INVALID where it was not sealed for this secret, member and instance. */
export function openKey({ publicKey, sealed }: SealedKey, secret: Uint8Array, to: SealedFor): string {
  const sender = raw(publicKey, 'publicKey');
  const bytes = Buffer.from(sealed, 'base64url');
  try {
    const shared = diffieHellman({ privateKey: privateOf(secret), publicKey: publicOf(sender) });
    const key = cipherKey(shared, publicKey, publicKeyOf(secret), to);
    const cipher = createDecipheriv('aes-256-gcm', key, NONCE).setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([cipher.update(bytes.subarray(0, -TAG_BYTES)), cipher.final()]).toString('utf8');
  } catch (cause) {
    throw new OperationError('KEY_INVALID', 'the answer is not sealed for this agent', { cause });
  }
}
