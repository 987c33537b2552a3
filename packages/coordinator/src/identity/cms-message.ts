import { createHash, type KeyObject, verify } from 'node:crypto';
import { BaseBlock, Constructed, fromBER, ObjectIdentifier, OctetString, Sequence, Set as Asn1Set } from 'asn1js';

/**
 * As much of the Cryptographic Message Syntax (RFC 5652) as EC2 uses for the `rsa2048` signature of
 * an identity document: one signer, the content inside, SHA-256, RSA. It comes as BER with lengths
 * that are not definite, so it is read by asn1js; the signature is checked by node:crypto.
 */

const OID = {
  signedData: '1.2.840.113549.1.7.2',
  data: '1.2.840.113549.1.7.1',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;
const RSA_OIDS: readonly string[] = ['1.2.840.113549.1.1.1', '1.2.840.113549.1.1.11'];

/** Far above what EC2 sends (1.4 kB), and little to take apart. */
export const SIGNED_BYTES_MAX = 12_288;
const NODES_MAX = 512;
const DEPTH_MAX = 24;
const SET_TAG = 0x31;
const INDEFINITE = 0x80;

/** What was signed, before anybody has looked at the signature. */
export interface SignedData {
  readonly content: Buffer;
  /** The bytes that the signature is of: the content itself, or attributes that hold its digest. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** Thrown for what is not such a message; the text says where. */
class NotSuchMessage extends Error {}

function want<T extends BaseBlock>(kind: abstract new (...args: never[]) => T, found: unknown, where: string): T {
  if (found instanceof kind) return found;
  throw new NotSuchMessage(`${where} is not there, or not what it should be`);
}

const partsOf = (block: Sequence | Asn1Set | Constructed): readonly BaseBlock[] => block.valueBlock.value;

/** Context-specific `[tag]`. */
const isTagged = (block: BaseBlock | undefined, tag: number): boolean =>
  block?.idBlock.tagClass === 3 && block.idBlock.tagNumber === tag;

const oidOf = (found: unknown, where: string): string => want(ObjectIdentifier, found, where).getValue();

/** The algorithm of an AlgorithmIdentifier. */
const algorithmOf = (found: unknown, where: string): string => oidOf(partsOf(want(Sequence, found, where))[0], where);

const bytesOf = (found: unknown, where: string): Buffer => Buffer.from(want(OctetString, found, where).getValue());

function contentOf(found: unknown): Buffer {
  const [type, wrapped] = partsOf(want(Sequence, found, 'the content'));
  if (oidOf(type, 'the type of the content') !== OID.data) throw new NotSuchMessage('the content is no data');
  const inside = want(Constructed, wrapped, 'the content');
  return bytesOf(partsOf(inside)[0], 'the content');
}

/** The one value of the attribute with this id; there is exactly one of both. */
function attributeOf(attributes: readonly BaseBlock[], id: string, where: string): BaseBlock {
  const found = attributes.filter((one) => oidOf(partsOf(want(Sequence, one, where))[0], where) === id);
  const [only, more] = found;
  if (only === undefined || more !== undefined) throw new NotSuchMessage(`${where} is there ${found.length} times`);
  const values = partsOf(want(Asn1Set, partsOf(want(Sequence, only, where))[1], where));
  const [value] = values;
  if (value === undefined || values.length !== 1) throw new NotSuchMessage(`${where} has ${values.length} values`);
  return value;
}

/**
 * **S** The signature is of the attributes, and these have to be of this very content: it would
 * stay good with another one beside them. They are signed as a SET, and sent under another tag.
 */
function signedAttributes(block: Constructed, content: Buffer): Buffer {
  const attributes = partsOf(block);
  if (oidOf(attributeOf(attributes, OID.contentType, 'the attribute contentType'), 'contentType') !== OID.data)
    throw new NotSuchMessage('the attribute contentType is not that of the content');
  const digest = bytesOf(attributeOf(attributes, OID.messageDigest, 'the attribute messageDigest'), 'messageDigest');
  if (!digest.equals(createHash('sha256').update(content).digest()))
    throw new NotSuchMessage('the content is not the one whose digest was signed');
  const bytes = Buffer.from(block.valueBeforeDecodeView);
  if (bytes[1] === INDEFINITE) throw new NotSuchMessage('the signed attributes are not in DER');
  bytes[0] = SET_TAG;
  return bytes;
}

function signerOf(found: BaseBlock | undefined, content: Buffer): Pick<SignedData, 'signed' | 'signature'> {
  const [, , digest, ...rest] = partsOf(want(Sequence, found, 'the signer'));
  if (algorithmOf(digest, 'the digest algorithm') !== OID.sha256) throw new NotSuchMessage('the digest is not SHA-256');
  const [first] = rest;
  const attributes = isTagged(first, 0) ? want(Constructed, first, 'the signed attributes') : null;
  const [algorithm, signature] = attributes ? rest.slice(1) : rest;
  if (!RSA_OIDS.includes(algorithmOf(algorithm, 'the signature algorithm')))
    throw new NotSuchMessage('the signature is not by RSA');
  return {
    signed: attributes ? signedAttributes(attributes, content) : content,
    signature: bytesOf(signature, 'the signature'),
  };
}

function messageOf(bytes: Buffer): SignedData {
  const { offset, result } = fromBER(bytes, { maxDepth: DEPTH_MAX, maxNodes: NODES_MAX });
  if (offset !== bytes.length) throw new NotSuchMessage('it is no BER, or something follows it');
  const [type, wrapped] = partsOf(want(Sequence, result, 'the message'));
  if (oidOf(type, 'the type of the message') !== OID.signedData) throw new NotSuchMessage('it is no SignedData');
  const inside = want(Sequence, partsOf(want(Constructed, wrapped, 'SignedData'))[0], 'SignedData');
  const [, , encapsulated, ...rest] = partsOf(inside);
  const signers = partsOf(want(Asn1Set, rest.at(-1), 'the signers'));
  if (signers.length !== 1) throw new NotSuchMessage(`it has ${signers.length} signers, not one`);
  const content = contentOf(encapsulated);
  return { content, ...signerOf(signers[0], content) };
}

/**
 * Takes a message apart. Null with the reason where it is no such message; nothing is believed yet.
 * Never throws, whatever it is given.
 */
export function readSignedData(base64: string): SignedData | { readonly fault: string } {
  const text = base64.replaceAll(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return { fault: 'it is no base64' };
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length > SIGNED_BYTES_MAX) return { fault: `it has ${bytes.length} bytes, at most ${SIGNED_BYTES_MAX}` };
  try {
    return messageOf(bytes);
  } catch (error) {
    return { fault: error instanceof NotSuchMessage ? error.message : 'it cannot be taken apart' };
  }
}

/** True when the holder of this key has signed it (RSASSA-PKCS1-v1_5 with SHA-256). */
export const isSignedBy = ({ signed, signature }: SignedData, key: KeyObject): boolean =>
  verify('sha256', signed, key, signature);
