import { createHmac } from 'node:crypto';
import type { MemberId } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { type KeyOf, Keyring } from './keyring.ts';

const secretOf: KeyOf = (keyId, member) => new Uint8Array(32).fill(keyId * 16 + member.length);
const A = 'db/a' as MemberId;
const LONGER = 'db/longer' as MemberId;
const MESSAGE = new TextEncoder().encode('what is signed');
const signedBy = (keyId: number, member: MemberId): string =>
  createHmac('sha256', secretOf(keyId, member) ?? '')
    .update(MESSAGE)
    .digest('hex')
    .slice(0, 32);
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').slice(0, 32);

function ring(keyIds: readonly number[], capacity = 3) {
  const derived: string[] = [];
  const counting: KeyOf = (keyId, member) => {
    derived.push(`${keyId} ${member}`);
    return keyId === 99 ? null : secretOf(keyId, member);
  };
  const keyring = new Keyring(keyIds, counting);
  keyring.reserve(capacity);
  const tagOf = (slot: number, keyId: number, member: MemberId) => {
    const offset = keyring.offsetOf(slot, keyId, member);
    return offset < 0 ? null : hexOf(keyring.macAt(offset)(MESSAGE));
  };
  return { keyring, derived, counting, tagOf };
}

describe('the keys of every member', () => {
  it('are derived once, at first use, each for its own slot and id', () => {
    const { derived, tagOf } = ring([1, 2]);
    for (let round = 0; round < 2; round++) {
      expect(tagOf(0, 1, A)).toBe(signedBy(1, A));
      expect(tagOf(0, 2, A)).toBe(signedBy(2, A));
      expect(tagOf(2, 1, LONGER)).toBe(signedBy(1, LONGER));
    }
    expect(derived).toEqual(['1 db/a', '2 db/a', '1 db/longer']);
  });

  it('are those of ids we have: of another, or one that nobody can derive, there is none', () => {
    const { keyring, tagOf } = ring([1, 99]);
    expect(tagOf(0, 3, A)).toBeNull();
    expect(tagOf(0, 99, A)).toBeNull();
    expect([1, 3, 99].map((id) => keyring.accepts(id))).toEqual([true, false, true]);
  });

  it('survive that more members come', () => {
    const { keyring, derived, tagOf } = ring([1, 2], 1);
    tagOf(0, 2, A);
    keyring.reserve(50);
    keyring.reserve(10);
    expect(tagOf(0, 2, A)).toBe(signedBy(2, A));
    expect(tagOf(49, 2, LONGER)).toBe(signedBy(2, LONGER));
    expect(derived).toHaveLength(2);
  });

  it('go with the member: whoever gets its slot has keys of its own, and its neighbours keep theirs', () => {
    const { keyring, derived, tagOf } = ring([1, 2]);
    for (const slot of [0, 1, 2]) for (const id of [1, 2]) tagOf(slot, id, A);
    keyring.clear(1);
    expect([...keyring.states.subarray(32, 64)].every((word) => word === 0)).toBe(true);
    derived.length = 0;
    expect([0, 2].flatMap((slot) => [1, 2].map((id) => tagOf(slot, id, A)))).toEqual(
      [1, 2, 1, 2].map((id) => signedBy(id, A)),
    );
    expect(derived).toEqual([]);
    expect(tagOf(1, 1, LONGER)).toBe(signedBy(1, LONGER));
    expect(tagOf(1, 2, LONGER)).toBe(signedBy(2, LONGER));
  });
});

describe('other ids from now on', () => {
  it('those whose secret stays are carried over, wherever they stand; others are derived anew', () => {
    const { keyring, derived, counting, tagOf } = ring([1, 2]);
    for (const slot of [0, 2]) for (const id of [1, 2]) tagOf(slot, id, A);
    tagOf(1, 1, LONGER);
    derived.length = 0;
    keyring.replace([2, 3], counting, new Set([2]));
    expect(keyring.keyIds).toEqual([2, 3]);
    expect([0, 2].map((slot) => tagOf(slot, 2, A))).toEqual([signedBy(2, A), signedBy(2, A)]);
    expect(derived).toEqual([]);
    expect(tagOf(1, 2, LONGER)).toBe(signedBy(2, LONGER));
    expect([tagOf(0, 3, A), tagOf(1, 3, LONGER), tagOf(2, 3, A)]).toEqual(
      [3, 3, 3].map((id, slot) => signedBy(id, slot === 1 ? LONGER : A)),
    );
    expect(tagOf(0, 1, A)).toBeNull();
  });

  it('an id with another secret is not taken for the old one', () => {
    const { keyring, tagOf } = ring([1]);
    tagOf(0, 1, A);
    keyring.replace([1], (keyId, member) => secretOf(keyId + 4, member), new Set());
    expect(tagOf(0, 1, A)).toBe(signedBy(5, A));
  });

  it('one id becomes two and two become one, with room for every member', () => {
    const { keyring, counting, tagOf } = ring([1], 40);
    keyring.replace([1, 2], counting, new Set([1]));
    expect(tagOf(39, 2, A)).toBe(signedBy(2, A));
    keyring.replace([2], counting, new Set([2]));
    expect(tagOf(39, 2, A)).toBe(signedBy(2, A));
    expect(keyring.states).toHaveLength(40 * 16);
  });
});

it('the newest is the last one configured', () => {
  expect(ring([2, 1]).keyring.newestKeyId).toBe(1);
  expect(ring([7]).keyring.newestKeyId).toBe(7);
});

it('there are one or two, never none or three', () => {
  const { keyring, counting } = ring([1, 2]);
  for (const ids of [[], [1, 2, 3]]) {
    expect(() => new Keyring(ids, secretOf)).toThrow(RangeError);
    expect(() => keyring.replace(ids, counting, new Set())).toThrow(RangeError);
  }
});
