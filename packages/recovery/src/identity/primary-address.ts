import * as z from 'zod';
import { type CloudInstance, LEVEL_OF } from '@understudy/shared';
import { followingAddress } from '../core/predecessor.ts';
import type { Frozen, Move } from '../effect.ts';
import { NO_CALLS } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { replacementOf } from '../steps/activate.ts';
import { giveUpText } from '../give-up.ts';
import { identityMove, type ItemMove } from './identity-move.ts';

export const PRIMARY = {
  name: 'primary',
  per: 'item',
  request: z.strictObject({ instanceId: z.string(), address: z.string() }),
  noted: z.strictObject({}),
  result: z.strictObject({ address: z.string() }),
} as const;

interface Memory {
  /** First of the unbroken run of looks that showed it with another address. */
  otherSinceMs: number | null;
  seen: string | null;
}

/**
 * The primary private address came with the launch: its permit was made with it. Nothing is moved
 * here. It is looked at once more, so that a recovery is not closed on what was only asked for.
 */
function primaryAddressMove(run: Run, address: string): ItemMove<typeof PRIMARY, CloudInstance | null> {
  const memory: Memory = { otherSinceMs: null, seen: null };
  return {
    limitMs: run.policy.recover.launchTimeoutMs,
    look: async () => {
      const instanceId = replacementOf(run);
      const filters = { 'instance-id': [instanceId] };
      const found = await run.read((cloud, options) => cloud.describeInstances(filters, options));
      return found.find((one) => one.instanceId === instanceId) ?? null;
    },
    request: () => ({ instanceId: replacementOf(run), address }),
    next: (frozen, seen) => next(run, memory, frozen, seen),
    onTimeout: () => otherwise(run, address, memory),
  };
}

const otherwise = (run: Run, address: string, { seen }: Memory): Move<typeof PRIMARY> => ({
  kind: 'hold',
  reason: 'AddressHeldElsewhere',
  text: `${replacementOf(run)} is shown with ${seen ?? 'no address'}, and not with ${address}. ${giveUpText(run, `primary:${address}`)}`,
});

function next(
  run: Run,
  memory: Memory,
  { request: { address } }: Frozen<typeof PRIMARY>,
  seen: CloudInstance | null,
): Move<typeof PRIMARY> {
  if (seen?.privateIp === address) return { kind: 'done', result: { address } };
  memory.seen = seen?.privateIp ?? null;
  memory.otherSinceMs = memory.seen === null ? null : (memory.otherSinceMs ?? run.nowMs());
  const { confirmSpacingMs } = run.settings;
  if (memory.otherSinceMs === null || run.nowMs() - memory.otherSinceMs < confirmSpacingMs)
    return { kind: 'wait', text: `waiting to see the replacement with ${address}` };
  return otherwise(run, address, memory);
}

/** The primary private address, where it follows. */
export const primaryAddress = identityMove(
  PRIMARY,
  (plan) => {
    const following = followingAddress(plan);
    return following && following.givenUp !== true ? [following.address] : [];
  },
  primaryAddressMove,
  NO_CALLS,
  { level: LEVEL_OF.identity },
);
