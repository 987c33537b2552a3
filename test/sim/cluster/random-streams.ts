import { SeededRandom } from '@understudy/shared/testing';

/**
 * FNV-1a over the name, mixed into the seed: streams of different names have nothing in common,
 * however alike the names are.
 */
function mixed(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/**
 * One seed, many streams of randomness: what one part of the cluster draws does not move what
 * another one gets, so that taking a fault out of a list leaves the rest of the run as alike as can
 * be (which is what makes shrinking work).
 */
export const streamOf = (seed: number, name: string): SeededRandom => new SeededRandom(mixed(seed, name));

export const pick = <T>(random: SeededRandom, from: readonly T[]): T => {
  const chosen = from[Math.floor(random.next() * from.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
};

/** Uniform, both ends included, whole numbers. */
export const between = (random: SeededRandom, from: number, to: number): number =>
  from + Math.floor(random.next() * (to - from + 1));
