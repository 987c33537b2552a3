import { CloudSim } from '@understudy/cloud-sim';
import { type IdentityReading, readIdentity, signersFor } from '@understudy/coordinator/testing';
import { SimClock } from '@understudy/shared/testing';
import { beforeAll, describe, expect, test } from 'vitest';

const REGION = 'us-east-1';
const DOCUMENT = JSON.stringify(
  {
    accountId: '123456789012',
    imageId: 'ami-1',
    instanceId: 'i-0123456789abcdef0',
    pendingTime: '2026-11-29T08:00:00Z',
    privateIp: '172.31.0.10',
    region: REGION,
  },
  null,
  2,
);

let sim: CloudSim;
let message: Buffer;
const signers = () => signersFor(REGION, { text: sim.identity.certificate(), file: 'sim.pem' });
const read = (bytes: Buffer | string, region = REGION, signersOf = signers): IdentityReading =>
  readIdentity(typeof bytes === 'string' ? bytes : bytes.toString('base64'), region, signersOf);

/** A message with one run of bytes put in the place of another of the same length. */
function swapped(from: Buffer | string, to: Buffer | string): Buffer {
  const bytes = Buffer.from(message);
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThan(0);
  Buffer.from(to).copy(bytes, at);
  return bytes;
}

const reasonOf = (reading: IdentityReading): string => (reading.kind === 'refused' ? reading.reason : 'genuine');

beforeAll(() => {
  sim = new CloudSim({ clock: new SimClock() });
  message = Buffer.from(sim.identity.rsa2048(DOCUMENT).replaceAll('\n', ''), 'base64');
});

describe('a signed identity document', () => {
  test('is read out of what the metadata service gives, in lines, without a head', () => {
    const text = sim.identity.rsa2048(DOCUMENT);
    expect(text).toMatch(/\n/);
    expect(read(text)).toEqual({
      kind: 'genuine',
      document: {
        accountId: '123456789012',
        instanceId: 'i-0123456789abcdef0',
        pendingWallMs: Date.UTC(2026, 10, 29, 8),
        privateIp: '172.31.0.10',
        region: REGION,
      },
    });
  });

  test('is refused with another content beside the signature, which is still good', () => {
    expect(reasonOf(read(swapped('172.31.0.10', '172.31.0.11')))).toBe('DocumentUnreadable');
    expect(reasonOf(read(swapped('123456789012', '999999999999')))).toBe('DocumentUnreadable');
  });

  test('is refused by another signer: another simulator, and what AWS itself uses', () => {
    const other = new CloudSim({ clock: new SimClock() });
    expect(reasonOf(read(other.identity.rsa2048(DOCUMENT)))).toBe('SignatureWrong');
    expect(reasonOf(read(message, REGION, () => signersFor(REGION, null)))).toBe('SignatureWrong');
    expect(reasonOf(read(message, REGION, () => []))).toBe('SignatureWrong');
  });

  test('is refused for another Region than the one that is asked about', () => {
    expect(reasonOf(read(message, 'eu-west-1'))).toBe('RegionForeign');
  });

  test('is refused where what was signed is no document: the attributes do not pass for one', () => {
    expect(reasonOf(read(sim.identity.rsa2048('[]')))).toBe('DocumentUnreadable');
    expect(reasonOf(read(sim.identity.rsa2048('{"region":"us-east-1"}')))).toBe('DocumentUnreadable');
    for (const text of ['', 'no base64!', 'MIIB', '====', 'A'.repeat(40_000), DOCUMENT])
      expect(reasonOf(read(text)), text.slice(0, 20)).toBe('DocumentUnreadable');
  });

  test('with any one byte changed, cut off or added is refused, or says the very same', () => {
    const whole = read(message);
    const outcomes = new Map<string, number>();
    for (let at = 0; at < message.length; at += 1) {
      const bytes = Buffer.from(message);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      const reading = read(bytes);
      if (reading.kind === 'genuine') expect(reading, `byte ${at}`).toEqual(whole);
      outcomes.set(reasonOf(reading), (outcomes.get(reasonOf(reading)) ?? 0) + 1);
      expect(reasonOf(read(message.subarray(0, at))), `cut at ${at}`).toBe('DocumentUnreadable');
    }
    expect(reasonOf(read(Buffer.concat([message, Buffer.from([0])])))).toBe('DocumentUnreadable');
    expect(outcomes.get('SignatureWrong')).toBeGreaterThan(200);
    expect(outcomes.get('DocumentUnreadable')).toBeGreaterThan(300);
  });
});
