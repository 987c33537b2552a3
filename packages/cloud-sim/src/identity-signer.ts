import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** An element with a definite length, as DER wants it. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const digits = content.length.toString(16);
  const length = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  const head = content.length < 0x80 ? [content.length] : [0x80 | length.length, ...length];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

const END_OF_CONTENTS = Buffer.alloc(2);

/** An element whose end is marked: BER as EC2 sends it, which a reader of DER refuses. */
const ber = (tag: number, ...parts: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([tag, 0x80]), ...parts, END_OF_CONTENTS]);

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const OIDS = {
  signedData: oid('2a864886f70d010702'),
  data: oid('2a864886f70d010701'),
  contentType: oid('2a864886f70d010903'),
  messageDigest: oid('2a864886f70d010904'),
  sha256: oid('608648016503040201'),
  rsa: oid('2a864886f70d010101'),
  sha256WithRsa: oid('2a864886f70d01010b'),
  organization: oid('55040a'),
} as const;
const NULL = der(0x05);
const integer = (value: number): Buffer => der(0x02, Buffer.from([value]));
const algorithm = (id: Buffer): Buffer => der(0x30, id, NULL);

const NAME = der(0x30, der(0x31, der(0x30, OIDS.organization, der(0x0c, Buffer.from('cloud-sim')))));
const SERIAL = integer(1);

/** Signed by itself, and valid for as long as AWS's: version 1 has no extensions. */
function certificateOf(publicKey: KeyObject, privateKey: KeyObject): string {
  const time = (text: string) => der(0x18, Buffer.from(text));
  const toBeSigned = der(
    0x30,
    SERIAL,
    algorithm(OIDS.sha256WithRsa),
    NAME,
    der(0x30, time('20150101000000Z'), time('21990101000000Z')),
    NAME,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', toBeSigned, privateKey));
  const bytes = der(0x30, toBeSigned, algorithm(OIDS.sha256WithRsa), signature);
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

const CHUNK_BYTES = 1_000;

function chunksOf(content: Buffer): readonly Buffer[] {
  const count = Math.max(1, Math.ceil(content.length / CHUNK_BYTES));
  return Array.from({ length: count }, (_, at) =>
    der(0x04, content.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES)),
  );
}

/** CMS SignedData with the content inside, and attributes that were signed in its place. */
function signedData(content: Buffer, privateKey: KeyObject): Buffer {
  const attribute = (id: Buffer, value: Buffer) => der(0x30, id, der(0x31, value));
  const digest = createHash('sha256').update(content).digest();
  const attributes = [attribute(OIDS.contentType, OIDS.data), attribute(OIDS.messageDigest, der(0x04, digest))];
  const signature = sign('sha256', der(0x31, ...attributes), privateKey);
  const signer = der(
    0x30,
    integer(1),
    der(0x30, NAME, SERIAL),
    algorithm(OIDS.sha256),
    der(0xa0, ...attributes),
    algorithm(OIDS.rsa),
    der(0x04, signature),
  );
  const encapsulated = ber(0x30, OIDS.data, ber(0xa0, ber(0x24, ...chunksOf(content))));
  const inside = ber(0x30, integer(1), der(0x31, algorithm(OIDS.sha256)), encapsulated, der(0x31, signer));
  return ber(0x30, OIDS.signedData, ber(0xa0, inside));
}

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/**
 * Signs identity documents as AWS does in a Region, with keys of its own that are made when they
 * are first needed. `pkcs7` (DSA with SHA-1) is not simulated.
 */
export class IdentitySigner {
  #strong: Keys | null = null;
  #weak: Keys | null = null;

  /** PEM of the certificate for {@link rsa2048}; coordinators are handed it as AWS's. */
  certificate(): string {
    const { publicKey, privateKey } = this.#strongKeys();
    return certificateOf(publicKey, privateKey);
  }

  /** What `instance-identity/rsa2048` says: base64 in lines, without a head. */
  rsa2048(document: string): string {
    const message = signedData(Buffer.from(document, 'utf8'), this.#strongKeys().privateKey);
    return (message.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  }

  /** What `instance-identity/signature` says: RSA-1024 with SHA-256 over the document. */
  signature(document: string): string {
    this.#weak ??= generateKeyPairSync('rsa', { modulusLength: 1_024 });
    return sign('sha256', Buffer.from(document, 'utf8'), this.#weak.privateKey).toString('base64');
  }

  #strongKeys(): Keys {
    return (this.#strong ??= generateKeyPairSync('rsa', { modulusLength: 2_048 }));
  }
}
