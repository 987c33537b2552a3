import {
  type Cloud,
  type CloudCallOptions,
  type CloudInstance,
  type CloudVolume,
  type ErrorCode,
  isOperationError,
  textOf,
} from '@understudy/shared';
import { NO_TYPE_FACTS, type TypeFacts } from '../core/candidate-fit.ts';
import { type PlacingPolicy, reservationsNamed, typesNamed } from '../core/placement.ts';
import { type Existence, namedBy, type References, UNKNOWN_REFERENCES } from '../core/references.ts';
import { isLiveReservation, type ReservationFacts } from '../core/reservation-fit.ts';
import { keysOf, NO_KEY_FACTS } from '../core/volume-keys.ts';
import type { KeyLooks } from './key-looks.ts';

/** What is looked at for {@link References}. */
export interface ReferenceSources {
  readonly instance: CloudInstance;
  readonly volumes: readonly CloudVolume[];
  /** Absent: keys are not asked about. */
  readonly keyLooks?: KeyLooks | undefined;
}

/**
 * Whether what the instance and its volumes name is still there. Reads only what they name: at most
 * four calls, and one for each key. A read that fails says nothing about the thing, so it never
 * stands in the way of a plan.
 */
export async function gatherReferences(
  cloud: Cloud,
  { instance, volumes, keyLooks }: ReferenceSources,
  options: CloudCallOptions,
): Promise<References> {
  const named = namedBy(instance);
  const { keyName, placementGroup, capacityReservationId } = named;
  const vpcId = textOf(instance.raw.VpcId);
  const [keyPair, group, reservation, routes, keys] = await Promise.all([
    keyName === null ? UNKNOWN : existence(cloud.hasKeyPair(keyName, options)),
    placementGroup === null ? UNKNOWN : existence(cloud.hasPlacementGroup(placementGroup, options)),
    capacityReservationId === null ? UNKNOWN : existence(isUsable(cloud, capacityReservationId, options)),
    vpcId === null ? null : unlessFailed(cloud.describeRoutes(vpcId, options), null),
    keyLooks ? keyLooks.look(keysOf(volumes), options.signal) : NO_KEY_FACTS,
  ]);
  return { ...UNKNOWN_REFERENCES, keyPair, placementGroup: group, capacityReservation: reservation, routes, keys };
}

const UNKNOWN: Existence = 'unknown';

/** Two calls for all the types there are to choose from. */
export async function gatherTypeFacts(
  cloud: Cloud,
  ownType: string,
  policy: PlacingPolicy,
  options: CloudCallOptions,
): Promise<TypeFacts> {
  const names = [...new Set([ownType, ...typesNamed(policy)])];
  const [types, offerings] = await Promise.all([
    // The own type's defaults decide on CPU options: EC2 being busy is waited out, as for every
    // other part of the plan.
    unlessFailed(cloud.describeInstanceTypes(names, options), null, ['CLOUD_DENIED', 'CLOUD_REJECTED']),
    unlessFailed(cloud.describeTypeOfferings(names, options), null),
  ]);
  return {
    types: types
      ? new Map(names.map((name) => [name, types.find((one) => one.instanceType === name) ?? null]))
      : NO_TYPE_FACTS.types,
    offeredIn: offerings
      ? new Map(names.map((name) => [name, new Set(zonesOf(name, offerings))]))
      : NO_TYPE_FACTS.offeredIn,
  };
}

const zonesOf = (name: string, offerings: Awaited<ReturnType<Cloud['describeTypeOfferings']>>): readonly string[] =>
  offerings.filter((one) => one.instanceType === name).map((one) => one.az);

/** A reservation that has ended takes no launch. */
const isUsable = async (cloud: Cloud, id: string, options: CloudCallOptions): Promise<boolean> =>
  isLiveReservation(await cloud.describeCapacityReservation(id, options));

/** A call for each capacity reservation that a candidate of the policy names. */
export async function gatherReservations(
  cloud: Cloud,
  policy: PlacingPolicy,
  options: CloudCallOptions,
): Promise<ReservationFacts> {
  const ids = reservationsNamed(policy);
  const found = await Promise.all(
    ids.map((id) => unlessFailed(cloud.describeCapacityReservation(id, options), undefined)),
  );
  return new Map(
    ids.flatMap((id, index) => {
      const one = found[index];
      return one === undefined ? [] : [[id, one] as const];
    }),
  );
}

async function existence(answer: Promise<boolean>): Promise<Existence> {
  const found = await unlessFailed<boolean | null>(answer, null);
  return found === null ? 'unknown' : found ? 'present' : 'gone';
}

const FAILURES: readonly ErrorCode[] = [
  'CLOUD_DENIED',
  'CLOUD_REJECTED',
  'CLOUD_NOT_FOUND',
  'CLOUD_UNAVAILABLE',
  'CLOUD_THROTTLED',
];

/** A failure of EC2 is no finding; anything else is ours. */
async function unlessFailed<T>(answer: Promise<T>, otherwise: T, failures = FAILURES): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!isOperationError(error) || !failures.includes(error.code)) throw error;
    return otherwise;
  }
}
