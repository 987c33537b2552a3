import type { CloudSubnet, GroupPolicy, PlacementCandidate } from '@understudy/shared';
import { type Baggage, misfitOf, type TypeFacts } from './candidate-fit.ts';

export interface PlacementInput {
  /** Subnet of the failed instance's primary network interface. */
  readonly ownSubnetId: string | null;
  readonly ownInstanceType: string;
  /** Everything EC2 knows of the own subnet and of the policy's. */
  readonly subnets: readonly CloudSubnet[];
  readonly baggage: Baggage;
  readonly typeFacts: TypeFacts;
}

export interface Placements {
  /** Where to launch, in order; no duplicates. */
  readonly candidates: readonly PlacementCandidate[];
  /** What the policy asked for and cannot be had, each with its reason. */
  readonly skipped: readonly { readonly code: string; readonly text: string }[];
  /** The zone that was left out because it is lost; null: none. */
  readonly leaveAz: string | null;
}

/**
 * Own subnet and type, unless the policy names placements: then those, in their order; nothing in
 * `leaveAz`. Pure.
 */
export function placementsOf(
  input: PlacementInput,
  policy: { readonly recover: Pick<GroupPolicy['recover'], 'placements'> },
  leaveAz: string | null = null,
): Placements {
  const subnets = new Map(input.subnets.map((subnet) => [subnet.subnetId, subnet]));
  const ownVpcId = input.ownSubnetId === null ? undefined : subnets.get(input.ownSubnetId)?.vpcId;
  const candidates: PlacementCandidate[] = [];
  const skipped: { code: string; text: string }[] = [];
  for (const wish of wishesOf(input, policy)) {
    const subnet = subnets.get(wish.subnetId);
    if (!subnet || subnet.az === '') {
      skipped.push({ code: 'PlacementSubnetUnknown', text: `EC2 does not know subnet ${wish.subnetId}` });
    } else if (ownVpcId !== undefined && subnet.vpcId !== ownVpcId) {
      const text = `subnet ${wish.subnetId} is in ${subnet.vpcId}; the security groups belong to ${ownVpcId}`;
      skipped.push({ code: 'PlacementInOtherVpc', text });
    } else if (subnet.az === leaveAz) {
      skipped.push({ code: 'PlacementInLostZone', text: `subnet ${wish.subnetId} is in ${leaveAz}, which is lost` });
    } else if (!candidates.some((other) => sameWish(other, wish))) {
      const misfit = misfitOf(wish, subnet.az, input.baggage, input.typeFacts);
      if (misfit === null) candidates.push({ subnetId: wish.subnetId, az: subnet.az, instanceType: wish.instanceType });
      else if (!skipped.some((other) => other.text === misfit.text)) skipped.push(misfit);
    }
  }
  return { candidates, skipped, leaveAz };
}

type Wish = { readonly subnetId: string; readonly instanceType: string };

const sameWish = (a: Wish, b: Wish): boolean => a.subnetId === b.subnetId && a.instanceType === b.instanceType;

function wishesOf(
  input: PlacementInput,
  policy: { readonly recover: Pick<GroupPolicy['recover'], 'placements'> },
): readonly Wish[] {
  if (policy.recover.placements.length === 0) {
    return input.ownSubnetId === null ? [] : [{ subnetId: input.ownSubnetId, instanceType: input.ownInstanceType }];
  }
  return policy.recover.placements.map((placement) => ({
    subnetId: placement.subnetId,
    instanceType: placement.instanceType ?? input.ownInstanceType,
  }));
}
