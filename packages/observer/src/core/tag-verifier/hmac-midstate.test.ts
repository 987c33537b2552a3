import { createHmac } from 'node:crypto';
import { exercised } from '@understudy/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIDSTATE_WORDS, midstateMac, midstateTagMatches, writeMidstate } from './hmac-midstate.ts';

const stateOf = (key: Uint8Array): Int32Array => {
  const state = new Int32Array(MIDSTATE_WORDS);
  writeMidstate(key, state, 0);
  return state;
};
const reference = (key: Uint8Array, message: Uint8Array) => createHmac('sha256', key).update(message).digest('hex');

describe('HMAC-SHA-256 from prepared state', () => {
  it('equals node:crypto for every message length from 0 to 300', () => {
    for (let length = 0; length <= 300; length++) {
      const key = new Uint8Array(32).map((_, i) => (i * 31 + length) & 0xff);
      const message = new Uint8Array(length).map((_, i) => (i * 17 + length * 3) & 0xff);
      expect(Buffer.from(midstateMac(stateOf(key), 0)(message)).toString('hex')).toBe(reference(key, message));
    }
  });

  it('equals node:crypto for any key up to a block and any message', () => {
    const seen = exercised();
    const keys = fc.uint8Array({ maxLength: 64, size: 'max' });
    fc.assert(
      fc.property(keys, fc.uint8Array({ maxLength: 1_000, size: 'max' }), (key, message) => {
        seen.note(message.length > 119 ? 'several blocks' : 'one or two blocks');
        seen.note(key.length > 32 ? 'long key' : 'short key');
        expect(Buffer.from(midstateMac(stateOf(key), 0)(message)).toString('hex')).toBe(reference(key, message));
      }),
      { numRuns: 500 },
    );
    seen.atLeast({ 'several blocks': 150, 'one or two blocks': 20, 'long key': 80, 'short key': 80 });
  });

  it('accepts the right tag and refuses each single wrong bit of message and tag', () => {
    const key = new Uint8Array(32).fill(9);
    const frame = new Uint8Array(160).map((_, i) => i);
    frame.set(createHmac('sha256', key).update(frame.subarray(0, 144)).digest().subarray(0, 16), 144);
    const state = stateOf(key);
    expect(midstateTagMatches(state, 0, frame)).toBe(true);
    for (let bit = 0; bit < 160 * 8; bit++) {
      const bad = frame.slice();
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(midstateTagMatches(state, 0, bad)).toBe(false);
    }
  });

  it('refuses what is too short to carry a tag, and keys longer than a block', () => {
    expect(midstateTagMatches(stateOf(new Uint8Array(32)), 0, new Uint8Array(16))).toBe(false);
    expect(() => writeMidstate(new Uint8Array(65), new Int32Array(16), 0)).toThrow('at most 64 bytes, got 65');
  });
});
