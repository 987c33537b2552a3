import { MIDSTATE_WORDS, writeMidstate } from '@understudy/observer/testing';
import type { TagScheme } from '@understudy/observer';
import type { Mac } from '@understudy/shared';

const TAG_BYTES = 16;

function checksum(key: number, bytes: Uint8Array, length: number): number {
  let hash = key;
  for (let at = 0; at < length; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 24) |
  ((bytes[at + 1] as number) << 16) |
  ((bytes[at + 2] as number) << 8) |
  (bytes[at + 3] as number);

/**
 * A keyed checksum in place of HMAC: as good against accidents, worthless against attackers, and
 * twenty times faster.
 */
export const CHECKSUM_TAGS: TagScheme = {
  matches(states, offset, bytes) {
    const signed = bytes.length - TAG_BYTES;
    return signed > 0 && wordAt(bytes, signed) === checksum(states[offset] as number, bytes, signed);
  },
  mac(states, offset) {
    const key = states[offset] as number;
    return (message) => {
      const tag = new Uint8Array(TAG_BYTES);
      const sum = checksum(key, message, message.length);
      for (let at = 0; at < 4; at += 1) tag[at] = sum >>> (24 - 8 * at);
      return tag;
    };
  },
};

export function checksumMac(key: Uint8Array): Mac {
  const states = new Int32Array(MIDSTATE_WORDS);
  writeMidstate(key, states, 0);
  return CHECKSUM_TAGS.mac(states, 0);
}
