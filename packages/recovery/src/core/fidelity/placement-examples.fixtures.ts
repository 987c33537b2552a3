import type { CloudCapacityReservation, CloudInstanceType } from '@understudy/shared';
import { reservationFixture, typeFactsFixture, typeFixture } from '../plan.fixture.ts';
import type { PlanInput } from '../plan-input.ts';
import { type Example, rawChange } from './example-parts.fixtures.ts';

/** Examples of candidates that are left out. */

const RESERVED = { recover: { placements: [{ subnetId: 'subnet-a', capacityReservation: 'cr-1' }] } };

/** A reservation that can never serve, named by the only candidate. */
export const RESERVATION_REFUSED: Readonly<Record<string, Example>> = {
  PlacementReservationGone: [{ reservations: new Map([['cr-1', null]]) }, RESERVED],
  PlacementReservationMisfit: [
    { reservations: new Map([['cr-1', reservationFixture({ az: 'us-east-1c' })]]) },
    RESERVED,
  ],
};

const TWO_TYPES = {
  recover: { placements: [{ subnetId: 'subnet-a' }, { subnetId: 'subnet-a', instanceType: 'm6i.large' }] },
};

/** The second of two candidates names a reservation. */
const reservedSecond = (found: CloudCapacityReservation | null): Example => [
  { reservations: new Map([['cr-1', found]]) },
  { recover: { placements: [{ subnetId: 'subnet-b' }, ...RESERVED.recover.placements] } },
];

/** The second of two types is no good, so that there is a plan. */
const otherType = (change: Partial<CloudInstanceType>, more: Partial<PlanInput> = {}): Example => [
  {
    ...more,
    typeFacts: typeFactsFixture(typeFixture(), typeFixture({ instanceType: 'm6i.large', ...change })),
  },
  TWO_TYPES,
];

/** One of two candidates is left out, so that there is a plan. */
export const PLACEMENT_LOST: Readonly<Record<string, Example>> = {
  PlacementTypeUnknown: [{ typeFacts: { types: new Map([['m6i.large', null]]), offeredIn: new Map() } }, TWO_TYPES],
  PlacementNotOffered: [
    { typeFacts: { types: new Map(), offeredIn: new Map([['m6i.large', new Set(['us-east-1b'])]]) } },
    TWO_TYPES,
  ],
  PlacementArchitecture: otherType({ architectures: ['arm64'] }),
  PlacementVirtualization: otherType({ virtualizationTypes: ['paravirtual'] }),
  PlacementBootMode: otherType({ bootModes: ['uefi'] }),
  PlacementEna: [
    {
      ...rawChange({ EnaSupport: false }),
      typeFacts: typeFactsFixture(typeFixture({ enaSupport: 'supported' }), typeFixture({ instanceType: 'm6i.large' })),
    },
    TWO_TYPES,
  ],
  PlacementTpm: otherType({ nitroTpmSupport: 'unsupported' }, rawChange({ TpmSupport: 'v2.0' })),
  PlacementNoEbsRoot: otherType({ rootDeviceTypes: ['instance-store'] }),
  PlacementNotOnDemand: otherType({ usageClasses: ['capacity-block'] }),
  PlacementTooManyVolumes: otherType({ maxAttachments: 2 }),
  PlacementReservationGone: reservedSecond(null),
  PlacementReservationMisfit: reservedSecond(reservationFixture({ instanceType: 'm6i.large' })),
  ReservationHasNoRoom: reservedSecond(reservationFixture({ available: 0 })),
};
