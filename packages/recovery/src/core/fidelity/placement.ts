import { rawOf, textOf } from '@understudy/shared';
import { onlyTexts } from './compute.ts';
import { nameThatMayBeGone } from './gone-names.ts';
import { reservationOfCandidate, reservationShortage } from '../reservation-fit.ts';
import { SEEDED } from '../paths/path-options.ts';
import { skippedWith } from './placement-rules.ts';
import { type Circumstances, type FidelityTheme, type LaunchMember, when } from './row.ts';

const placementOf = ({ input }: Pick<Circumstances, 'input'>) => rawOf(input.instance.raw.Placement);

/** A member of Placement that goes with the failed instance's own zone. */
const zonal = (name: string): LaunchMember => ({
  value: (from) => textOf(placementOf(from)[name]) ?? undefined,
  boundTo: 'zone',
});

function reservationOf({ input }: Pick<Circumstances, 'input'>): object | undefined {
  const specification = rawOf(input.instance.raw.CapacityReservationSpecification);
  const target = onlyTexts(rawOf(specification.CapacityReservationTarget), [
    'CapacityReservationId',
    'CapacityReservationResourceGroupArn',
  ]);
  // EC2 takes a preference or a target, not both.
  if (target) return { CapacityReservationTarget: target };
  const preference = onlyTexts(specification, ['CapacityReservationPreference']);
  return specification.CapacityReservationPreference === 'open' ? undefined : preference;
}

const goesElsewhere = ({ input, placements }: Circumstances): boolean =>
  placements.candidates.some((candidate) => candidate.az !== input.instance.az);

/** Why it is launched in its own zone only; null: it may leave. */
function staysBecause({ input, placements, disks }: Circumstances): string | null {
  const { az } = input.instance;
  const { candidates, zonesNamed, leaveAz } = placements;
  if (zonesNamed === undefined || leaveAz !== null || candidates.length === 0) return null;
  if (candidates.some((one) => one.az !== az)) return null;
  if (zonesNamed.every((zone) => zone === az)) return 'the policy names no subnet of another zone';
  const moved =
    disks.kind === 'chosen' ? disks.volumes.filter(({ path }) => path !== undefined && SEEDED.has(path)) : [];
  if (moved.length === 0) return 'no place that the policy names elsewhere is fit for it';
  return `${moved.map((one) => `${one.volumeId} (${one.path})`).join(', ')} cannot leave the zone`;
}

const staysText = (az: string, because: string): string =>
  `it cannot leave ${az}: ${because}. If that zone is lost, it waits for it, or for another policy`;

function staysInZone(circumstances: Circumstances): string | null {
  const because = staysBecause(circumstances);
  return because === null ? null : staysText(circumstances.input.instance.az, because);
}

/** A finding only where the policy means it to leave: a group of one zone is a choice. */
function staysThoughNamed(circumstances: Circumstances): string | null {
  const { placements, input } = circumstances;
  const means = (placements.zonesNamed ?? []).some((zone) => zone !== input.instance.az);
  return means ? staysInZone(circumstances) : null;
}

/** Also a readiness problem, as long as nothing is lost yet. */
export const noPlacementOutside = (az: string) => ({
  code: 'NoPlacementOutsideZone',
  text: `none of the policy's placements is outside of ${az}: if that zone is lost there is nowhere to go (guard.whenZoneLost is recover)`,
});

const OTHER_PLACEMENT = 'Name another type or subnet in `recover.placements` of the policy.';
const TYPE_MISFITS = skippedWith(
  [
    'PlacementTypeUnknown',
    'PlacementNotOffered',
    'PlacementArchitecture',
    'PlacementVirtualization',
    'PlacementBootMode',
    'PlacementEna',
    'PlacementTpm',
    'PlacementNoEbsRoot',
    'PlacementNotOnDemand',
    'PlacementTooManyVolumes',
  ].map((code) => ({ code, remedy: OTHER_PLACEMENT })),
);
const SUBNET_MISFITS = skippedWith([
  {
    code: 'PlacementSubnetUnknown',
    remedy: 'Name a subnet that exists, or let the role see it (ec2:DescribeSubnets).',
  },
  {
    code: 'PlacementNeedsLevel',
    remedy: 'Upgrade every coordinator, or leave the reservation out of the placement.',
  },
  { code: 'PlacementInLostZone', remedy: 'Name a subnet of another zone in `recover.placements` of the policy.' },
]);
const RESERVATION_MISFITS = skippedWith(
  ['PlacementReservationGone', 'PlacementReservationMisfit'].map((code) => ({
    code,
    remedy: 'Name a reservation of that zone and type in `recover.placements` or `recover.places`, or none.',
  })),
);

/** Candidates that are passed over as long as this lasts; the recovery asks before each launch. */
function reservationShortages({ input, placements }: Circumstances): readonly string[] {
  const { instance, reservations } = input;
  const texts = placements.candidates.flatMap((candidate) => {
    const id = reservationOfCandidate(candidate);
    if (id === null) return [];
    // The place of the failed instance is free once it is fenced.
    const freed = textOf(instance.raw.CapacityReservationId) === id ? 1 : 0;
    const text = reservationShortage(id, reservations?.get(id), freed);
    return text === null
      ? []
      : [`${text}: ${candidate.instanceType} in ${candidate.subnetId} is passed over meanwhile`];
  });
  return [...new Set(texts)];
}

const RESERVATION_SHORT = { code: 'ReservationHasNoRoom', text: reservationShortages };

const GROUP = nameThatMayBeGone({
  kind: 'placement-group',
  code: 'PlacementGroup',
  asked: 'DescribePlacementGroups',
  existence: (references) => references.placementGroup,
  words: (named) => `placement group ${named.placementGroup?.groupName ?? named.placementGroup?.groupId ?? ''}`,
});
const RESERVATION = nameThatMayBeGone({
  kind: 'capacity-reservation',
  code: 'CapacityReservation',
  asked: 'DescribeCapacityReservations',
  existence: (references) => references.capacityReservation,
  words: (named) => `capacity reservation ${named.capacityReservationId ?? ''}`,
});

export const PLACEMENT: FidelityTheme = {
  theme: 'Placement',
  rows: [
    {
      number: 2,
      attribute: 'instance type',
      read: ['Instance.InstanceType', 'InstanceType', 'InstanceTypeOffering'],
      carry: {
        launch: { InstanceType: { value: ({ input }) => input.instance.instanceType } },
      },
      loss: [
        ...TYPE_MISFITS.loss,
        {
          code: 'TypeBoundOptionsDropped',
          text: ({ input, placements, typeBound }) =>
            when(
              typeBound.length > 0 &&
                placements.candidates.some((candidate) => candidate.instanceType !== input.instance.instanceType),
              `candidates of another type are launched without ${typeBound.join(', ')}`,
            ),
        },
      ],
      notice: TYPE_MISFITS.notice,
      refuse: TYPE_MISFITS.refuse,
      why: 'The own type, or those that the policy names. What EC2 says a type cannot do is left out beforehand.',
    },
    {
      number: 4,
      attribute: 'zone and subnet',
      read: [
        'Instance.Placement.AvailabilityZone',
        'Instance.Placement.AvailabilityZoneId',
        'Instance.SubnetId',
        'Instance.NetworkInterfaces[].SubnetId',
        'Subnet.AvailabilityZone',
        'Subnet.VpcId',
      ],
      carry: {
        placement: { AvailabilityZone: { value: ({ input }) => input.instance.az } },
        plan: { candidates: ({ placements }) => [...placements.candidates] },
      },
      loss: [...SUBNET_MISFITS.loss, { code: 'StaysInZone', text: staysInZone }],
      notice: [...SUBNET_MISFITS.notice, { code: 'StaysInZone', text: staysThoughNamed }],
      refuse: [
        ...SUBNET_MISFITS.refuse,
        {
          code: 'NoPlacementOutsideZone',
          text: ({ placements: { candidates, leaveAz } }) =>
            candidates.length === 0 && leaveAz !== null ? noPlacementOutside(leaveAz).text : null,
          remedy: 'Name a subnet of another zone in `recover.placements` of the policy.',
        },
        {
          code: 'NoPlacement',
          text: ({ placements: { candidates, leaveAz } }) =>
            when(candidates.length === 0 && leaveAz === null, 'there is no place left to launch the replacement in'),
          remedy: OTHER_PLACEMENT,
        },
      ],
      why: 'The permit is made in the subnet of the candidate, and a launch lands where its permit is.',
    },
    {
      number: 22,
      attribute: 'tenancy and host',
      read: [
        'Instance.Placement.Tenancy',
        'Instance.Placement.HostId',
        'Instance.Placement.Affinity',
        'Instance.Placement.HostResourceGroupArn',
      ],
      carry: {
        placement: {
          Tenancy: {
            value: (from) => {
              const tenancy = textOf(placementOf(from).Tenancy);
              return tenancy === null || tenancy === 'default' ? undefined : tenancy;
            },
          },
          HostResourceGroupArn: zonal('HostResourceGroupArn'),
        },
      },
      loss: [
        {
          code: 'DedicatedHostNotKept',
          text: (from) =>
            when(
              textOf(placementOf(from).HostId) !== null && textOf(placementOf(from).HostResourceGroupArn) === null,
              'EC2 chooses the Dedicated Host anew: one with auto-placement must have room',
            ),
        },
        {
          code: 'HostAffinityLost',
          text: (from) =>
            when(
              placementOf(from).Affinity === 'host',
              'the replacement has no affinity to its Dedicated Host: after a stop it may start on another',
            ),
        },
      ],
      why: 'HostId and Affinity stay behind: the old instance still has its place there, and the host may be what failed.',
    },
    {
      number: 23,
      attribute: 'placement group',
      read: [
        'Instance.Placement.GroupId',
        'Instance.Placement.GroupName',
        'Instance.Placement.PartitionNumber',
        'PlacementGroup',
      ],
      carry: {
        placement: {
          // EC2 takes the group's id or its name, not both; the id also names a shared group.
          GroupId: zonal('GroupId'),
          GroupName: {
            value: (from) => {
              const { GroupId, GroupName } = placementOf(from);
              return textOf(GroupId) === null ? (textOf(GroupName) ?? undefined) : undefined;
            },
            boundTo: 'zone',
          },
          PartitionNumber: {
            value: (from) => numberOrNothing(placementOf(from).PartitionNumber),
            boundTo: 'zone',
          },
        },
      },
      names: GROUP.names,
      loss: [
        ...GROUP.loss,
        {
          code: 'PlacementGroupInOwnZoneOnly',
          text: (from) => {
            const { GroupId, GroupName } = placementOf(from);
            const isGrouped = textOf(GroupId) !== null || textOf(GroupName) !== null;
            return when(goesElsewhere(from) && isGrouped, 'candidates in other zones leave the placement group');
          },
        },
      ],
      notice: GROUP.notice,
      refuse: GROUP.refuse,
      why: 'A cluster is in one zone, and a partition has no meaning elsewhere.',
    },
    {
      number: 28,
      attribute: 'capacity reservation',
      read: [
        'Instance.CapacityReservationSpecification.CapacityReservationPreference',
        'Instance.CapacityReservationSpecification.CapacityReservationTarget',
        'Instance.CapacityReservationId',
        'CapacityReservation.State',
        'CapacityReservation.AvailabilityZone',
        'CapacityReservation.InstanceType',
        'CapacityReservation.InstancePlatform',
        'CapacityReservation.Tenancy',
        'CapacityReservation.AvailableInstanceCount',
      ],
      carry: { launch: { CapacityReservationSpecification: { value: reservationOf, boundTo: 'zone' } } },
      names: RESERVATION.names,
      loss: [
        ...RESERVATION.loss,
        ...RESERVATION_MISFITS.loss,
        RESERVATION_SHORT,
        {
          code: 'ReservationInOwnZoneOnly',
          text: (from) =>
            when(
              goesElsewhere(from) && reservationOf(from) !== undefined,
              'candidates in other zones ignore the capacity reservation',
            ),
        },
      ],
      notice: [...RESERVATION.notice, ...RESERVATION_MISFITS.notice, RESERVATION_SHORT],
      refuse: [...RESERVATION.refuse, ...RESERVATION_MISFITS.refuse],
      why: 'A reservation is of one zone and type. Each that a candidate names is looked at for the plan, and again before its launch. A preference for `open` is what every launch has.',
    },
  ],
};

/** 0 is no partition. */
function numberOrNothing(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value !== 0 ? value : undefined;
}
