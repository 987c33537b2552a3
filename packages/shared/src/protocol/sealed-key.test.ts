import { expect, test } from 'vitest';
import { hasCode } from '../errors.ts';
import { openKey, publicKeyOf, sealKey } from './sealed-key.ts';

const secret = (fill: number) => new Uint8Array(32).fill(fill);
const TO = { member: 'db/one', instanceId: 'i-1' } as const;
const sealed = () => sealKey('2 aa', publicKeyOf(secret(1)), secret(2), TO);

const code = (act: () => unknown): boolean => {
  try {
    act();
    return false;
  } catch (error) {
    return hasCode(error, 'KEY_INVALID');
  }
};

test('a sealed key opens for who asked, and nothing of it can be read on the way', () => {
  expect(openKey(sealed(), secret(1), TO)).toBe('2 aa');
  expect(JSON.stringify(sealed())).not.toContain(Buffer.from('2 aa').toString('base64url'));
});

test('it opens for no other secret, member or instance, and not when a bit has changed', () => {
  expect(code(() => openKey(sealed(), secret(3), TO))).toBe(true);
  expect(code(() => openKey(sealed(), secret(1), { ...TO, member: 'db/two' }))).toBe(true);
  expect(code(() => openKey(sealed(), secret(1), { ...TO, instanceId: 'i-2' }))).toBe(true);
  const bytes = Buffer.from(sealed().sealed, 'base64url');
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  expect(code(() => openKey({ ...sealed(), sealed: bytes.toString('base64url') }, secret(1), TO))).toBe(true);
  expect(code(() => openKey({ ...sealed(), sealed: '' }, secret(1), TO))).toBe(true);
});

test('nothing is sealed to what is no public key, or one that everybody has the secret of', () => {
  for (const key of ['', 'AAAA', Buffer.alloc(31).toString('base64url'), Buffer.alloc(32).toString('base64url')])
    expect(
      code(() => sealKey('2 aa', key, secret(2), TO)),
      key,
    ).toBe(true);
});
