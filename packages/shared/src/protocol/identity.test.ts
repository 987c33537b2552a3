import { describe, expect, it, test } from 'vitest';
import { hasCode } from '../errors.ts';
import { clientTokenOf, coordinatorHashOf, hmacOf, opIdOf, parseKey } from './identity.ts';

/** Fixed values: `vectors.test.ts`. */

describe('a key file', () => {
  it('holds 64 hex characters in either case, white space around them aside', () => {
    const key = parseKey(`  ${'aB'.repeat(32)}\n`, 'master.key');
    expect(key).toEqual(new Uint8Array(32).fill(0xab));
  });

  test.each(['', 'ab'.repeat(31), 'ab'.repeat(33), `${'ab'.repeat(31)}zz`, `${'ab'.repeat(16)} ${'ab'.repeat(16)}`])(
    'with "%s" is refused by its name, without showing what it holds',
    (text) => {
      try {
        parseKey(text, 'master.key');
        expect.unreachable();
      } catch (error) {
        expect(hasCode(error, 'KEY_INVALID')).toBe(true);
        expect(String(error)).toContain('master.key: want 32 bytes as 64 hex characters');
        if (text !== '') expect(String(error)).not.toContain(text.slice(0, 32));
      }
    },
  );
});

describe('names that have to repeat', () => {
  it('ClientTokens: 64 characters, the limit of EC2, another one per instance, purpose and attempt', () => {
    const tokens = ['i-1', 'i-2'].flatMap((instance) =>
      (['permit', 'launch'] as const).flatMap((purpose) =>
        [1, 2, 11].map((attempt) => clientTokenOf(instance, purpose, attempt)),
      ),
    );
    expect(new Set(tokens).size).toBe(12);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(clientTokenOf('i-1', 'launch', 1)).toBe(tokens[3]);
  });

  it('recovery ids: one per old instance', () => {
    expect(opIdOf('i-1')).toMatch(/^op-[0-9a-f]{16}$/);
    expect(opIdOf('i-1')).toBe(opIdOf('i-1'));
    expect(opIdOf('i-1')).not.toBe(opIdOf('i-2'));
  });

  it('another ordinal is another recovery of the same instance, with tokens of its own; 0 is the first', () => {
    const ordinals = [0, 1, 2, 12];
    const names = ordinals.flatMap((ordinal) => [
      opIdOf('i-1', ordinal),
      clientTokenOf('i-1', 'launch', 1, ordinal),
      clientTokenOf('i-1', 'launch', 11, ordinal),
      clientTokenOf('i-1', 'permit', 1, ordinal),
    ]);
    expect(new Set(names).size).toBe(names.length);
    expect([names[0], names[1]]).toEqual([opIdOf('i-1'), clientTokenOf('i-1', 'launch', 1)]);
  });

  it('coordinator hashes: never 0, which means an empty slot', () => {
    for (let i = 0; i < 1_000; i++) expect(coordinatorHashOf(`c${i}`)).toBeGreaterThan(0);
  });
});

/** RFC 4231, test case 1, with its 20-byte key. */
it('the MAC is HMAC-SHA-256', () => {
  const mac = hmacOf(new Uint8Array(20).fill(0x0b));
  expect(Buffer.from(mac(Buffer.from('Hi There'))).toString('hex')).toBe(
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  );
});
