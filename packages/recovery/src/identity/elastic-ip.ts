import * as z from 'zod';
import {
  durationText,
  type AddressTarget,
  type CloudAddress,
  type PlannedAddress,
  type RecoveryPlan,
} from '@understudy/shared';
import { addressMove, type FencedHolder, isOnFenced } from '../core/elastic-ip-move.ts';
import { stepId } from '../core/step-id.ts';
import type { Frozen, Move, Step } from '../effect.ts';
import type { Run } from '../run.ts';
import { replacementInterfaceOf } from '../steps/replacement-place.ts';
import { elasticIpCalls } from './elastic-ip-calls.ts';
import { elasticIpWatch } from './elastic-ip-watch.ts';
import { identityMove, type ItemMove, itemStep } from './identity-move.ts';

export const ADDRESS = {
  name: 'address',
  per: 'item',
  request: z.strictObject({
    allocationId: z.string(),
    networkInterfaceId: z.string(),
    /** The association on the failed instance that may be removed; null: none was there. */
    associationId: z.string().nullable(),
    /** The private address it goes to. Absent: the primary one of the interface. */
    privateIp: z.string().optional(),
  }),
  /** A later association on the failed instance, recorded before its removal. */
  noted: z.strictObject({ associationId: z.string().nullable() }),
  /** `lost`: it does not exist any more, in words. */
  result: z.union([z.strictObject({ associationId: z.string() }), z.strictObject({ lost: z.string() })]),
} as const;

/**
 * Moves one Elastic IP: read → guarded record of the exact association that may go → disassociate
 * that one → associate without reassociation → see it there. No call of it, however late, can take
 * the address from somebody else.
 */
function elasticIpMove(run: Run, allocationId: string): ItemMove<typeof ADDRESS, CloudAddress | null> {
  const memory: Memory = { associatedAtMs: null, heldSinceMs: null, unseenSinceMs: null };
  return {
    limitMs: run.policy.recover.launchTimeoutMs,
    // An absence takes as long to be believed, also by a successor.
    floorMs: run.settings.resumeFloorMs + run.settings.lagGraceMs,
    look: () => describe(run, allocationId),
    request: (seen) => {
      const onOld = seen && isOnFenced(seen, fencedHolder(run, allocationId)) ? seen.associationId : null;
      const target = targetOf(run, allocationId);
      return {
        allocationId,
        networkInterfaceId: target?.networkInterfaceId ?? replacementInterfaceOf(run),
        associationId: onOld,
        ...(target && { privateIp: target.privateIp }),
      };
    },
    answered: (frozen, last) => {
      const { privateIp } = frozen.request;
      // The address beneath it was seen there, and EC2 may not know that everywhere yet.
      if (last?.error?.upstreamCode === 'InvalidParameterValue' && privateIp !== undefined)
        return { kind: 'wait', text: `${privateIp} is not known everywhere yet` };
      if (last?.error?.code === 'CLOUD_REJECTED') {
        return { kind: 'hold', reason: 'CloudRejected', text: `${allocationId}: ${last.error.message}` };
      }
      if (last?.name === 'associate' && last.error?.upstreamCode === RELEASED && isBelieved(run, memory))
        return { kind: 'done', result: { lost: `${allocationId} does not exist any more: it was released` } };
      if (last?.name === 'associate' && last.error === null) memory.associatedAtMs = run.nowMs();
      // EC2 has said that the old association is gone; the next call is conditional, so no read is
      // needed to dare it.
      if (last?.name === 'disassociate' && last.error === null) return associate(frozen);
      return null;
    },
    next: (frozen, seen) => step(run, memory, frozen, seen),
    onTimeout: () => ({
      kind: 'hold',
      // Whoever does not see it does not know that somebody else holds it.
      reason: memory.heldSinceMs === null ? 'CloudUnavailable' : 'AddressHeldElsewhere',
      text: `${allocationId} was not seen on the replacement within ${durationText(run.policy.recover.launchTimeoutMs)}. ${giveUp(run, allocationId)}`,
    }),
  };
}

/** EC2's word that an allocation does not exist. */
const RELEASED = 'InvalidAllocationID.NotFound';

function fencedHolder(run: Run, allocationId: string): FencedHolder {
  const planned = run.plan.addresses.find((one) => one.allocationId === allocationId);
  return {
    oldInstanceId: run.record.oldInstanceId,
    owedFrom: planned?.owedFrom,
    oldInterfaceId: run.plan.primaryInterfaceId,
    plannedAssociationId: planned?.associationId ?? null,
  };
}

const giveUp = (run: Run, allocationId: string): string =>
  `Or give it up: understudy accept-loss ${run.record.member} address:${allocationId} --reason TEXT`;

/**
 * What EC2 does not show it may only not show yet: "not found" counts once no look has shown it for
 * as long as EC2 may lag behind.
 */
const isBelieved = (run: Run, { unseenSinceMs }: Memory): boolean =>
  unseenSinceMs !== null && run.nowMs() - unseenSinceMs >= run.settings.lagGraceMs;

interface Memory {
  /**
   * When EC2 last said yes to the association; until it has had time to show, an older picture is
   * no reason to act.
   */
  associatedAtMs: number | null;
  /**
   * First of the unbroken run of looks that showed it with somebody else: one look may be outdated.
   */
  heldSinceMs: number | null;
  /** First of the unbroken run of looks that did not show it at all. */
  unseenSinceMs: number | null;
}

function associate(frozen: Frozen<typeof ADDRESS>): Move<typeof ADDRESS> {
  const { allocationId, networkInterfaceId, privateIp = null } = frozen.request;
  return {
    kind: 'act',
    text: `putting ${allocationId} on the replacement`,
    calls: [
      {
        name: 'associate',
        run: async (cloud, options) => {
          await cloud.associateAddress({ allocationId, networkInterfaceId, privateIp }, options);
        },
      },
    ],
  };
}

async function describe(run: Run, allocationId: string): Promise<CloudAddress | null> {
  const found = await run.read((cloud, options) =>
    cloud.describeAddresses({ 'allocation-id': [allocationId] }, options),
  );
  return found.find((one) => one.allocationId === allocationId) ?? null;
}

function step(
  run: Run,
  memory: Memory,
  frozen: Frozen<typeof ADDRESS>,
  seen: CloudAddress | null,
): Move<typeof ADDRESS> {
  const { allocationId, networkInterfaceId, associationId, privateIp } = frozen.request;
  const lost = lostBeneath(run, allocationId);
  if (lost !== null) return { kind: 'done', result: { lost } };
  const recordedAssociationId = frozen.noted?.associationId ?? associationId;
  const move = addressMove(seen, {
    networkInterfaceId,
    privateIp: privateIp ?? null,
    ...fencedHolder(run, allocationId),
    recordedAssociationId,
  });
  if (move.kind === 'done') return { kind: 'done', result: { associationId: move.associationId } };
  if (memory.associatedAtMs !== null && run.nowMs() - memory.associatedAtMs < run.settings.confirmSpacingMs) {
    return { kind: 'wait', text: `waiting to see ${seen?.publicIp ?? allocationId} on the replacement` };
  }
  memory.heldSinceMs = move.kind === 'held' ? (memory.heldSinceMs ?? run.nowMs()) : null;
  memory.unseenSinceMs = move.kind === 'unseen' ? (memory.unseenSinceMs ?? run.nowMs()) : null;
  switch (move.kind) {
    case 'unseen':
      // The conditional call can take it from nobody, and its answer says whether there is such an
      // address.
      if (isBelieved(run, memory)) return associate(frozen);
      return { kind: 'wait', text: `EC2 does not show ${allocationId}` };
    case 'held':
      if (run.nowMs() - (memory.heldSinceMs ?? 0) < run.settings.confirmSpacingMs) {
        return { kind: 'wait', text: `${move.text}: looking once more`, forMs: run.settings.confirmSpacingMs };
      }
      return {
        kind: 'hold',
        reason: 'AddressHeldElsewhere',
        text: `${move.text}. ${giveUp(run, allocationId)}`,
      };
    case 'record':
      return { kind: 'note', noted: { associationId: move.associationId } };
    case 'disassociate':
      return {
        kind: 'act',
        text: `taking ${allocationId} off the fenced instance`,
        calls: [
          {
            name: 'disassociate',
            run: (cloud, options) => cloud.disassociateAddress(move.associationId, options),
          },
        ],
      };
    case 'associate':
      return associate(frozen);
  }
}

/** As the engine drives it. */
export const addressStep = (run: Run, allocationId: string): Step<typeof ADDRESS> =>
  itemStep(elasticIpMove(run, allocationId));

const plannedAddress = (plan: RecoveryPlan, allocationId: string): PlannedAddress | undefined =>
  plan.addresses.find((one) => one.allocationId === allocationId);

const targetOf = (run: Run, allocationId: string): AddressTarget | undefined =>
  plannedAddress(run.plan, allocationId)?.target;

/** The step that moves what the address is on: a secondary address, or a further interface. */
function stepBeneath(plan: RecoveryPlan, allocationId: string): string | null {
  const target = plannedAddress(plan, allocationId)?.target;
  if (!target) return null;
  const { networkInterfaceId, privateIp } = target;
  const isPlanned =
    networkInterfaceId === null
      ? plan.assigned?.some((one) => one.address === privateIp)
      : plan.interfaces?.some((one) => one.networkInterfaceId === networkInterfaceId);
  if (isPlanned !== true) return null;
  return networkInterfaceId === null ? stepId('secondary', privateIp) : stepId('interface', networkInterfaceId);
}

/** Why it has nowhere to go, in words: what it was on is not at the replacement. Null: it has. */
function lostBeneath(run: Run, allocationId: string): string | null {
  const target = targetOf(run, allocationId);
  if (!target) return null;
  const step = stepBeneath(run.plan, allocationId);
  const on = target.networkInterfaceId ?? target.privateIp;
  const isLost = step === null || run.journal.isLost(step);
  return isLost ? `${allocationId} is left without an instance: ${on}, which it was on, did not follow` : null;
}

/** Elastic IPs, each after what it is on. */
export const elasticIp = identityMove(
  ADDRESS,
  (plan) => plan.addresses.map((one) => one.allocationId),
  elasticIpMove,
  elasticIpCalls,
  { watch: elasticIpWatch, needs: (plan, item) => [stepBeneath(plan, item) ?? []].flat() },
);
