import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { hasCode } from '@understudy/shared';
import { expect, test } from 'vitest';
import { REGION_CERTIFICATES } from './region-certificates.ts';
import { EMBEDDED_REGIONS, signersFor } from './signers.ts';

const YEAR_2190_MS = Date.UTC(2190, 0, 1);
const AMAZON = /C=US\s+ST=Washington State\s+L=Seattle\s+O=Amazon Web Services LLC/;

test("every certificate of this build is Amazon's own, of an RSA key of 2048 bits, and another for each Region", () => {
  expect(EMBEDDED_REGIONS.length).toBe(27);
  const fingerprints = EMBEDDED_REGIONS.map((region) => {
    const certificate = new X509Certificate(Buffer.from(REGION_CERTIFICATES[region] ?? '', 'base64'));
    expect(certificate.subject, region).toMatch(AMAZON);
    expect(certificate.verify(certificate.publicKey), region).toBe(true);
    expect(new Date(certificate.validTo).getTime(), region).toBeGreaterThan(YEAR_2190_MS);
    expect(signersFor(region, null), region).toHaveLength(1);
    return certificate.fingerprint256;
  });
  expect(new Set(fingerprints).size).toBe(fingerprints.length);
});

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(hasCode(error, 'CONFIG_INVALID')).toBe(true);
    return String(error);
  }
  throw new Error('it was taken');
}

test('a Region without a certificate is refused with what to do, and nothing stands in for it', () => {
  expect(refusal(() => signersFor('il-central-1', null))).toMatch(/il-central-1.*enrolment\.certificateFile/);
  expect(refusal(() => signersFor('constructor', null))).toMatch(/no certificate of AWS/);
});

test('a file that has no certificate, or what is none, is refused by its name', () => {
  expect(refusal(() => signersFor('us-east-1', { text: 'nothing', file: '/x.pem' }))).toMatch(/x\.pem: no certificate/);
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' });
  const posing = String(key).replaceAll('PUBLIC KEY', 'CERTIFICATE');
  expect(refusal(() => signersFor('us-east-1', { text: posing, file: '/x.pem' }))).toMatch(/x\.pem: that is no cert/);
});
