// The library's container reads metadata that only this adds to Reflect.
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

/**
 * `@peculiar/x509` signs over Node's own WebCrypto; Node itself only reads certificates, and
 * `node-forge` knows no EC keys.
 */
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Clocks that are behind by less than this accept a certificate at once. */
const BACKDATED_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** A certificate with its private key, as PEM. */
export interface SignedPair {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface Lifetime {
  readonly nowWallMs: number;
  readonly days: number;
}

export interface LeafRequest {
  readonly name: string;
  /** Organizational unit: what kind of certificate it is. */
  readonly kind: string;
  readonly uses: readonly ('serverAuth' | 'clientAuth')[];
  /** IP addresses and DNS names. */
  readonly addresses: readonly string[];
}

const newKeys = () => webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);

async function keyPemOf(key: webcrypto.CryptoKey): Promise<string> {
  return PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

const importKey = (pem: string): Promise<webcrypto.CryptoKey> => {
  const [der] = PemConverter.decode(pem);
  if (der === undefined) throw new Error('no PEM with a private key');
  return webcrypto.subtle.importKey('pkcs8', der, P256, false, ['sign']);
};

const validity = ({ nowWallMs, days }: Lifetime) => ({
  notBefore: new Date(nowWallMs - BACKDATED_MS),
  notAfter: new Date(nowWallMs + days * DAY_MS),
});

/** A new authority, which signs itself. It can sign certificates and nothing below them. */
export async function makeAuthority(name: string, lifetime: Lifetime): Promise<SignedPair> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...{ name: `CN=${name},O=Understudy`, keys, signingAlgorithm: P256, ...validity(lifetime) },
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: `${await keyPemOf(keys.privateKey)}\n` };
}

const alternativeName = (address: string): JsonGeneralName => ({
  type: isIP(address) === 0 ? 'dns' : 'ip',
  value: address,
});

/** A certificate below an authority, with a new key of its own. */
export async function signLeaf(authority: SignedPair, leaf: LeafRequest, lifetime: Lifetime): Promise<SignedPair> {
  const issuer = new X509Certificate(authority.certificatePem);
  const keys = await newKeys();
  const uses = leaf.uses.map((use) => ExtendedKeyUsage[use]);
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(uses, false),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
    await AuthorityKeyIdentifierExtension.create(issuer),
  ];
  if (leaf.addresses.length > 0)
    extensions.push(new SubjectAlternativeNameExtension(leaf.addresses.map(alternativeName)));
  const certificate = await X509CertificateGenerator.create({
    ...{ subject: `CN=${leaf.name},OU=${leaf.kind},O=Understudy`, issuer: issuer.subject, publicKey: keys.publicKey },
    ...{ signingKey: await importKey(authority.keyPem), signingAlgorithm: P256, ...validity(lifetime), extensions },
  });
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: `${await keyPemOf(keys.privateKey)}\n` };
}
