import { type CloudCapacityReservation, clientTokenOf, type OperationError, TAG, textOf } from '@understudy/shared';
import { launchPlanOf } from '../core/launch-plan.ts';
import { placesToAsk } from '../core/places-to-reserve.ts';
import { isLiveReservation } from '../core/reservation-fit.ts';
import type { Frozen, Move, Step } from '../effect.ts';
import { NO_CALLS } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import { RESERVE } from './reserve-record.ts';

/** From being asked until it does not matter any more. */
const LIMIT_MS = 60_000;
/** The recovery that takes it over needs some of this until it launches. */
const AFTER_KEPT_MS = 3_600_000;

interface Memory {
  index: number;
  readonly full: { az: string; instanceType: string }[];
  made: CloudCapacityReservation | null;
}

/**
 * Asks EC2 for one place after the other until one has room, and keeps it: only such a reservation
 * says truly whether there is room. It is `targeted`, so nothing that runs or is launched uses it;
 * it ends by itself. Where a leader before has asked, what it got is looked for by its tags.
 */
export function reserveStep(run: Run): Step<typeof RESERVE> {
  const memory: Memory = { index: 0, full: [], made: null };
  const nothing = (text: string): Move<typeof RESERVE> => ({
    kind: 'done',
    result: { reservationId: null, full: memory.full, text },
  });
  return {
    limitMs: LIMIT_MS,
    prepare: async () => freeze(run),
    next: async (frozen, last) => {
      if (!last && Object.keys(frozen.sends).length > 0) memory.made = (await reservedFor(run))[0] ?? null;
      if (last?.error) {
        const why = learn(memory, frozen, last.error);
        if (why !== null) return nothing(why);
      }
      if (memory.made && !isLiveReservation(memory.made)) return nothing('the place that was kept has ended');
      if (memory.made) {
        const { reservationId } = memory.made;
        return { kind: 'done', result: { reservationId, full: memory.full, text: '' } };
      }
      if (memory.index >= frozen.request.places.length) return nothing('no place of the plan has room');
      return ask(frozen, memory);
    },
    onTimeout: () => nothing('EC2 did not say whether there is room'),
  };
}

async function freeze(run: Run) {
  const { opId, oldInstanceId, member, ordinal } = run.record;
  const { candidates, launchBase } = launchPlanOf(run.plan);
  const found = await run.read((cloud, options) =>
    cloud.describeInstances({ 'instance-id': [oldInstanceId] }, options),
  );
  const raw = found.find((one) => one.instanceId === oldInstanceId)?.raw;
  const { keptForMs = 0 } = run.policy.recover.prepare ?? {};
  const { places, tenancy } = placesToAsk({ candidates, launchBase });
  return {
    places: places.map((place, index) => ({
      ...place,
      clientToken: clientTokenOf(oldInstanceId, 'reserve', index + 1, ordinal),
    })),
    platform: textOf(raw?.PlatformDetails) ?? 'Linux/UNIX',
    tenancy,
    endsAtWallMs: run.wallMs() + keptForMs + AFTER_KEPT_MS,
    tags: { ...run.policy.recover.tags, [TAG.op]: opId, [TAG.preparedFor]: member },
  };
}

function ask(frozen: Frozen<typeof RESERVE>, memory: Memory): Move<typeof RESERVE> {
  const { places, platform, tenancy, endsAtWallMs, tags } = frozen.request;
  const place = places[memory.index];
  if (!place) return { kind: 'wait', text: 'no place is left to ask for' };
  return {
    kind: 'act',
    text: `asking for a place of ${place.instanceType} in ${place.az} while the member is suspect`,
    calls: [
      {
        name: `reserve${memory.index + 1}`,
        optional: true,
        run: async (cloud, options) => {
          const request = { ...place, platform, tenancy, endsAtWallMs, tags };
          memory.made = await cloud.createCapacityReservation(request, { ...options, urgency: 'chore' });
        },
      },
    ],
  };
}

/** Why no place is asked for any more; null: the next one is, or the same again. */
function learn(memory: Memory, frozen: Frozen<typeof RESERVE>, error: OperationError): string | null {
  const place = frozen.request.places[memory.index];
  if (error.code === 'CLOUD_CAPACITY' && place) {
    memory.full.push({ az: place.az, instanceType: place.instanceType });
    memory.index += 1;
    return null;
  }
  // The token makes the same request the same reservation.
  const mayPass = ['CLOUD_OUTCOME_UNKNOWN', 'CLOUD_UNAVAILABLE', 'CLOUD_THROTTLED'].includes(error.code);
  return mayPass ? null : `EC2 refuses the reservation: ${error.message}`;
}

/** Places that carry this recovery's mark and have not ended. @throws the errors of EC2's reads */
export async function reservedFor(run: Run): Promise<readonly CloudCapacityReservation[]> {
  const filters = { [`tag:${TAG.op}`]: [run.record.opId] };
  const found = await run.read((cloud, options) => cloud.describeCapacityReservations(filters, options));
  return found.filter(isLiveReservation);
}

export const reserveKind = stepKind(RESERVE, reserveStep, NO_CALLS);
