import type { PlacementCandidate } from '@understudy/shared';

/**
 * What the words that an ended attempt left tell beyond its kind of failure. They are kept as EC2
 * said them, with its code, so that a build that knows fewer kinds can read the journal too.
 */

const QUOTA = /\b(?:InstanceLimitExceeded|VcpuLimitExceeded)\b/;
const NO_KEY_PAIR = /\bInvalidKeyPair\.NotFound\b/;
const NO_ADDRESS_LEFT = /\bInsufficientFreeAddressesInSubnet\b/;

/** A quota of the family of instance types is used up. */
export const endedForQuota = (text: string): boolean => QUOTA.test(text);

/** The launch named a key pair that does not exist any more. */
export const endedForKeyPair = (text: string): boolean => NO_KEY_PAIR.test(text);

/** The subnet had no address left. */
export const endedForSubnet = (text: string): boolean => NO_ADDRESS_LEFT.test(text);

/** Standard families share one quota of vCPUs (EC2 User Guide, ec2-on-demand-instances). */
const STANDARD: ReadonlySet<string> = new Set(['a', 'c', 'd', 'h', 'i', 'm', 'r', 't', 'z']);

/**
 * The family whose quota a type counts against. Types of one family share a quota in the Region;
 * others have their own.
 */
export function quotaFamilyOf(instanceType: string): string {
  const letters = /^[a-z]+/.exec(instanceType)?.[0] ?? instanceType;
  // `mac` and `inf` begin with letters of others, and are families of their own. So are `hpc`,
  // `trn`, `dl` and `u`; `is` and `im` are storage-optimised standard types.
  if (letters === 'im' || letters === 'is') return 'standard';
  if (letters === 'g' || letters === 'gr' || letters === 'vt') return 'graphics';
  return letters.length === 1 && STANDARD.has(letters) ? 'standard' : letters;
}

/** Indices of the candidates whose types share a quota with this one, itself included. */
export const sameQuota = (candidates: readonly PlacementCandidate[], index: number): readonly number[] => {
  const own = candidates[index];
  if (!own) return [];
  const family = quotaFamilyOf(own.instanceType);
  return candidates.flatMap(({ instanceType }, at) => (quotaFamilyOf(instanceType) === family ? [at] : []));
};
