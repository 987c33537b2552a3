import type { Mac } from './frame.ts';
import { midstateMac, midstateTagMatches } from './hmac-midstate.ts';

/**
 * How a tag follows from prepared key state ({@link writeMidstate}). There is one that is safe,
 * {@link HMAC_TAGS}, and no configuration to choose another; the simulator, which has no secrets
 * and makes a hundred thousand tags a second, passes a cheap one to the constructor.
 */
export interface TagScheme {
  /** Do the last 16 bytes fit everything before them? */
  matches(states: Int32Array, offset: number, bytes: Uint8Array): boolean;
  mac(states: Int32Array, offset: number): Mac;
}

/** HMAC-SHA-256, truncated to 128 bits. */
export const HMAC_TAGS: TagScheme = { matches: midstateTagMatches, mac: midstateMac };
