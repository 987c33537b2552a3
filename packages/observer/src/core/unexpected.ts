import { addressOf } from './addresses.ts';
import { isHeard, NONE } from './columns.ts';
import type { ObserverState } from './observer-state.ts';

/**
 * What authentic heartbeats of now have about them that they should not have. For people: nothing
 * is decided by it, and nobody is answered for it.
 */
export type Unexpected =
  | {
      readonly kind: 'other-instance';
      /** As the heartbeats say it: the id itself is not in them. */
      readonly instanceHash: string;
      readonly activatedInstanceId: string;
      readonly address: string | null;
    }
  | { readonly kind: 'other-address'; readonly instanceId: string; readonly address: string }
  | {
      readonly kind: 'older-epoch';
      readonly instanceId: string;
      readonly epoch: bigint;
      /** Heard of the same instance before. */
      readonly newestEpoch: bigint;
      /** Its sender has echoed our challenge, so it speaks now. */
      readonly proven: boolean;
    };

const NOTHING: readonly Unexpected[] = [];

/** Where nobody but ourselves sends from: it says nothing about an address in a network. */
const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/** As EC2 writes it: a socket for both families shows IPv4 in IPv6's clothes. */
const plain = (address: string | null): string | null => address?.replace(/^::ffff:/, '') ?? null;

/**
 * Looks at one member, in the rows there are anyway, which are few (`maxInstancesPerMember`).
 * `expected`: every address its activated instance has; empty: not known. Only who has answered our
 * challenge, and spoke within the time after which it would be suspect, is named.
 */
export function unexpectedOf(
  state: ObserverState,
  slot: number,
  expected: readonly string[],
  nowMs: number,
): readonly Unexpected[] {
  const { members, entries } = state;
  const activatedInstanceId = members.activeIds[slot] ?? null;
  if (activatedInstanceId === null) return NOTHING;
  const found: Unexpected[] = [];
  for (let entry = members.firstEntry[slot] as number; entry !== NONE; entry = entries.next[entry] as number) {
    const silentMs = nowMs - (entries.lastHeardMs[entry] as number);
    if (!isHeard(entries, entry) || silentMs >= (members.suspectAfterMs[slot] as number)) continue;
    const address = plain(addressOf(entries, entry));
    if (entry !== members.activeEntry[slot]) {
      const instanceHash = entries.hashHex[entry] as string;
      found.push({ kind: 'other-instance', instanceHash, activatedInstanceId, address });
    } else if (address !== null && expected.length > 0 && !expected.includes(address) && !isLoopback(address))
      found.push({ kind: 'other-address', instanceId: activatedInstanceId, address });
  }
  const older = olderEpochOf(state, members.activeEntry[slot] as number, activatedInstanceId);
  return older ? [...found, older] : found;
}

/**
 * Two that are proven to speak are no old epoch, but two agents: that is said elsewhere, and holds.
 */
function olderEpochOf(state: ObserverState, entry: number, instanceId: string): Unexpected | null {
  const contest = state.contests.of(entry);
  if (!contest || state.contests.isTwo(entry)) return null;
  const proven = contest.provenAtMs > Number.NEGATIVE_INFINITY;
  const newestEpoch = (BigInt(contest.incumbentHi) << 32n) | BigInt(contest.incumbentLo);
  return { kind: 'older-epoch', instanceId, epoch: contest.seen.epoch, newestEpoch, proven };
}
