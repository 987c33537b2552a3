import { createHmac } from 'node:crypto';
import { exercised } from '@understudy/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HMAC_TAGS, midstateTagMatches, writeMidstate } from './hmac-midstate.ts';
import { FourAtOnce, OneByOne, tagVerifier } from './tag-verifier.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** Room for four keys. */
const states = new Int32Array(64);
const keys = {
  states,
  tagMatches: (offset: number, heartbeat: Uint8Array) => midstateTagMatches(states, offset, heartbeat),
};
const ways = [
  ['four at once', FourAtOnce.create(keys)],
  ['one by one', new OneByOne(keys)],
] as const;

function heartbeat(key: Uint8Array, signed: Uint8Array): Uint8Array {
  const frame = new Uint8Array(160);
  frame.set(signed);
  frame.set(createHmac('sha256', key).update(signed).digest().subarray(0, 16), 144);
  return frame;
}

describe.each(ways)('tags checked %s', (_way, verifier) => {
  if (!verifier) throw new Error('this Node has no WebAssembly SIMD');

  it('agree with node:crypto for any keys and messages, and catch any one wrong bit', () => {
    const seen = exercised();
    // As many right ones as wrong ones: a lane that always says "wrong" must not pass.
    const flip = fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 127 }));
    const message = fc.record({ key: bytes(32), signed: bytes(144), flip });
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 4, size: 'max' }), (messages) => {
        let expected = 0;
        const frames = messages.map(({ key, signed, flip }, i) => {
          seen.note(flip < 0 ? 'right' : 'wrong');
          seen.note(`of ${messages.length}`);
          writeMidstate(key, states, i * 16);
          const frame = heartbeat(key, signed);
          if (flip >= 0) frame[144 + (flip >> 3)] = (frame[144 + (flip >> 3)] as number) ^ (1 << (flip & 7));
          else expected |= 1 << i;
          return frame;
        });
        const before = frames.map((frame) => frame.slice());
        expect(verifier.verify(frames, Int32Array.of(0, 16, 32, 48), frames.length)).toBe(expected);
        expect(frames).toEqual(before);
      }),
      { numRuns: 500 },
    );
    seen.atLeast({ right: 400, wrong: 400, 'of 1': 50, 'of 2': 50, 'of 3': 50, 'of 4': 50 });
  });

  it('takes keys from anywhere, and accepts nothing where there is no key', () => {
    const frames = [0, 1, 2, 3].map((i) => {
      const key = new Uint8Array(32).fill(i);
      writeMidstate(key, states, (3 - i) * 16);
      return heartbeat(key, new Uint8Array(144).fill(0xaa + i));
    });
    expect(verifier.verify(frames, Int32Array.of(48, 32, 16, 0), 4)).toBe(0b1111);
    // What the round before left in its place is right, and says nothing.
    expect(verifier.verify(frames, Int32Array.of(48, -1, 16, -1), 4)).toBe(0b0101);
    expect(verifier.verify(frames, Int32Array.of(-1, -1, -1, -1), 4)).toBe(0);
    expect(verifier.verify(frames, Int32Array.of(-1), 1)).toBe(0);
    expect(verifier.verify(frames, Int32Array.of(48, 32, 16, 0), 2)).toBe(0b0011);
    expect(verifier.verify(frames, Int32Array.of(48), 0)).toBe(0);
  });
});

describe('the way to check', () => {
  it('is four at once for real tags, and one by one for those of a simulator', () => {
    expect(tagVerifier(keys)).toBeInstanceOf(FourAtOnce);
    expect(tagVerifier(keys, HMAC_TAGS)).toBeInstanceOf(OneByOne);
    expect([tagVerifier(keys), tagVerifier(keys, HMAC_TAGS)].map(({ batchSize }) => batchSize)).toEqual([4, 1]);
  });

  it('is one by one where there is no WebAssembly', () => {
    const before = Reflect.get(globalThis, 'WebAssembly');
    Reflect.deleteProperty(globalThis, 'WebAssembly');
    try {
      expect(FourAtOnce.create(keys)).toBeNull();
      expect(tagVerifier(keys)).toBeInstanceOf(OneByOne);
    } finally {
      Object.defineProperty(globalThis, 'WebAssembly', { value: before, configurable: true, writable: true });
    }
  });
});
