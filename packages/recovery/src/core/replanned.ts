import { launchPlan } from './launch-plan.ts';
import { recordItem } from './record-move.ts';
import { targetItem } from './target-move.ts';
import type {
  GroupPolicy,
  IntentRecord,
  LaunchPlan,
  PlacementCandidate,
  RecoveryPlan,
  SnapshotAndReplacePlan,
} from '@understudy/shared';
import { stepId } from './step-id.ts';

/** What has been done under the frozen plan, and stays done. */
export interface UnderOldPlan {
  /** True when a set of snapshots is recorded. It is of the volumes that the old plan named. */
  readonly captured: boolean;
  /** True when an image was registered, or is about to be. */
  readonly imaged: boolean;
}

/**
 * The plan that takes the frozen one's place. It follows the present policy and a present reading.
 * What was captured stays. So do the addresses, because an address that was moved meanwhile is not
 * associated with a stopped instance, and the protections, which the fence has taken off.
 */
export function replanned(
  frozen: SnapshotAndReplacePlan,
  fresh: SnapshotAndReplacePlan,
  done: UnderOldPlan,
): SnapshotAndReplacePlan {
  const accepted = frozen.losses.filter((one) => one.code === 'AcceptedLoss');
  return {
    ...fresh,
    addresses: frozen.addresses,
    assigned: frozen.assigned,
    interfaces: frozen.interfaces,
    ...namesOf(frozen),
    protection: frozen.protection,
    // What was given up is not asked for again.
    ...(frozen.primaryAddress?.givenUp && { primaryAddress: frozen.primaryAddress }),
    // What the image was made of is of one moment with the other disks.
    volumes: done.captured || done.imaged ? frozen.volumes : fresh.volumes,
    image: done.imaged ? frozen.image : fresh.image,
    losses: [...fresh.losses, ...accepted],
  };
}

/** Records and registrations are the frozen ones too: they may have been moved meanwhile. */
const namesOf = ({ records, targets }: RecoveryPlan): Pick<RecoveryPlan, 'records' | 'targets'> => ({
  ...{ records, targets },
});

/** Why this loss cannot be accepted, or the plan without what is given up. */
export type Accepted =
  | { readonly kind: 'plan'; readonly plan: RecoveryPlan }
  | { readonly kind: 'refused'; readonly text: string };

export interface LossFacts {
  /** True when the journal has a launch. */
  readonly launched: boolean;
  readonly captured: boolean;
  /** True when EC2 shows the volume attached to the old instance. */
  readonly volumeAttached: boolean;
}

/** What `accept-loss` names: a kind, and which one. An IPv6 address has colons of its own. */
export function lossOf(what: string): { readonly kind: string; readonly id: string } {
  const colon = what.indexOf(':');
  return { kind: what.slice(0, colon), id: what.slice(colon + 1) };
}

/** The step that moves it; null: no move of this kind. */
export const stepOfLoss = (what: string): string | null => {
  const { kind, id } = lossOf(what);
  return kind === 'volume' ? null : stepId(kind, id.replace('/', '_'));
};

/** Kinds of `accept-loss`, by the step that moves them. */
const OTHER_ITEMS: readonly string[] = ['secondary', 'ipv6', 'prefix', 'interface'];

function withoutItem(
  { assigned = [], interfaces = [] }: RecoveryPlan,
  kind: string,
  id: string,
): Partial<RecoveryPlan> {
  if (kind === 'interface') return { interfaces: interfaces.filter((one) => one.networkInterfaceId !== id) };
  return { assigned: assigned.filter((one) => one.address !== id) };
}
const recordsLeft = (plan: RecoveryPlan, item: string): RecoveryPlan['records'] =>
  plan.records?.filter((one) => recordItem(one) !== item);

/** It stays in the plan, so that it is not forgotten that its predecessor may have ended for it. */
function withoutAddress(plan: RecoveryPlan, address: string, losses: RecoveryPlan['losses']): Accepted {
  const launch = launchPlan(plan);
  const following = launch?.primaryAddress;
  if (!launch || following?.address !== address)
    return { kind: 'refused', text: `${address} is no address that follows by this plan` };
  const { otherwise = [] } = following.givenUp ? {} : following;
  const given: LaunchPlan = {
    ...launch,
    // After those that were asked: attempts know them by their place in the list.
    candidates: [...launch.candidates, ...otherwise],
    primaryAddress: { ...following, givenUp: true },
    losses,
  };
  return { kind: 'plan', plan: given };
}

/** Gives up an address, or a data volume that is not on the old instance any more. Pure. */
export function acceptLoss(intent: Pick<IntentRecord, 'plan'>, what: string, facts: LossFacts): Accepted {
  const { plan } = intent;
  const { kind, id } = lossOf(what);
  const losses = [...plan.losses, { code: 'AcceptedLoss', text: `given up by an operator: ${what}` }];
  const refused = (text: string): Accepted => ({ kind: 'refused', text });
  if (kind === 'primary') return withoutAddress(plan, id, losses);
  if (kind === 'address') {
    const addresses = plan.addresses.filter((one) => one.allocationId !== id);
    return { kind: 'plan', plan: { ...plan, addresses, losses } };
  }
  if (OTHER_ITEMS.includes(kind)) return { kind: 'plan', plan: { ...plan, ...withoutItem(plan, kind, id), losses } };
  if (kind === 'record') {
    const records = recordsLeft(plan, id);
    return { kind: 'plan', plan: { ...plan, records, losses } };
  }
  if (kind === 'hook') {
    const list = plan.policy.hooks.list.filter((one) => one.name !== id);
    return { kind: 'plan', plan: { ...plan, policy: { ...plan.policy, hooks: { list } }, losses } };
  }
  if (kind === 'target') {
    const targets = plan.targets?.filter((one) => targetItem(one) !== id);
    return { kind: 'plan', plan: { ...plan, targets, losses } };
  }
  const volume = plan.volumes.find((one) => one.volumeId === id);
  if (!volume) return refused(`${id} is no volume of the plan`);
  if (volume.isRoot) return refused(`${id} is the root volume: there is no replacement without it`);
  if (facts.captured) return refused(`${id} has been captured: nothing of it is lost`);
  if (facts.launched) return refused('a replacement was launched with it already');
  if (facts.volumeAttached)
    return refused(`${id} is attached to the old instance and can be captured; detach it to leave it out`);
  return { kind: 'plan', plan: { ...plan, volumes: plan.volumes.filter((one) => one !== volume), losses } };
}

/** The policy a new plan follows, and the revision of the record it was read from (0: none). */
export interface PresentPolicy {
  readonly policy: GroupPolicy;
  readonly modRevision: number;
  /**
   * Zones that are lost now. The policy says whether the plan leaves them. Absent: none is known.
   */
  readonly lostZones?: readonly string[];
}

export interface ZonesToLeave {
  readonly policy: GroupPolicy;
  /** Zones that are lost now. */
  readonly lostZones: readonly string[];
  /**
   * The zone of the failed instance, and where the plan before would have placed its replacement.
   */
  readonly oldAz: string;
  readonly before: readonly PlacementCandidate[];
}

/**
 * What is left of the places where a new plan may go (`whenZoneLost: recover`): never a zone that
 * is lost, which may be all of them; and the zone that the plan before had to leave only if there
 * is no other. Pure.
 */
export function candidatesOutsideLostZones(
  candidates: readonly PlacementCandidate[],
  { policy, lostZones, oldAz, before }: ZonesToLeave,
): readonly PlacementCandidate[] {
  if (policy.guard.whenZoneLost !== 'recover') return candidates;
  const standing = candidates.filter(({ az }) => !lostZones.includes(az));
  const wasLeft = before.every(({ az }) => az !== oldAz);
  const elsewhere = wasLeft ? standing.filter(({ az }) => az !== oldAz) : standing;
  return elsewhere.length > 0 ? elsewhere : standing;
}
