import { type CloudCapacityReservation, clientTokenOf, type OperationError, TAG, textOf } from '@understudy/shared';
import { launchPlanOf } from '../core/launch-plan.ts';
import { placesToAsk } from '../core/places-to-reserve.ts';
import { isLiveReservation } from '../core/reservation-fit.ts';
import { answersIn, type Attempt, type Frozen, type Move, type Step } from '../effect.ts';
import { NO_CALLS } from '../planned-call.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import type { NotedOf } from '../step-record.ts';
import { RESERVE } from './reserve-record.ts';

/** From being asked until it does not matter any more. */
const LIMIT_MS = 60_000;
/** EC2 refuses what lands later than this, and ends what nobody has ended, within an hour more. */
const ENDS_AFTER_MS = 600_000;

type Noted = NotedOf<typeof RESERVE>;

interface Memory {
  made: CloudCapacityReservation | null;
  /** Calls for the present place that had an answer. */
  answers: number;
  isEnded: boolean;
}

const NOTHING_YET: Noted = { index: 0, full: [], reservationId: null, mayLand: false };
const nameOf = (index: number): string => `reserve${index + 1}`;

/**
 * Asks EC2 for one place after the other until one has room, and ends it at once: only a
 * reservation that is made says truly whether there is room, and one that is kept would take it
 * from the recovery of another member. What EC2 has answered stands in the journal before the next
 * call, so whoever goes on asks for the same place, under the same token, and gets the same one.
 */
export function reserveStep(run: Run): Step<typeof RESERVE> {
  const memory: Memory = { made: null, answers: 0, isEnded: false };
  return {
    limitMs: LIMIT_MS,
    prepare: async () => freeze(run),
    next: async (frozen, last) => {
      const noted = frozen.noted ?? NOTHING_YET;
      if (noted.reservationId !== null) return giveBack(run, frozen, noted.reservationId, last, memory);
      if (last?.name === nameOf(noted.index)) memory.answers += answersIn(last);
      if (memory.made) return { kind: 'note', noted: { ...noted, reservationId: memory.made.reservationId } };
      const { error = null } = last ?? {};
      if (error?.code === 'CLOUD_CAPACITY') return nextPlace(frozen, noted, memory);
      if (error !== null && !mayPass(error))
        return nothing(frozen, memory, `EC2 refuses the reservation: ${error.message}`);
      if (noted.index >= frozen.request.places.length) return nothing(frozen, memory, 'no place of the plan has room');
      if (await isRecovering(run)) return nothing(frozen, memory, 'a recovery is under way, and may need the room');
      return ask(frozen, noted.index, memory);
    },
    onTimeout: (frozen) => nothing(frozen, memory, 'EC2 did not answer in time'),
  };
}

async function freeze(run: Run) {
  const { opId, oldInstanceId, member, ordinal } = run.record;
  const { candidates, launchBase } = launchPlanOf(run.plan);
  const found = await run.read((cloud, options) =>
    cloud.describeInstances({ 'instance-id': [oldInstanceId] }, options),
  );
  const raw = found.find((one) => one.instanceId === oldInstanceId)?.raw;
  const { places, tenancy } = placesToAsk({ candidates, launchBase });
  return {
    places: places.map((place, index) => ({
      ...place,
      clientToken: clientTokenOf(oldInstanceId, 'reserve', index + 1, ordinal),
    })),
    platform: textOf(raw?.PlatformDetails) ?? 'Linux/UNIX',
    tenancy,
    endsAtWallMs: run.wallMs() + ENDS_AFTER_MS,
    tags: { ...run.policy.recover.tags, [TAG.op]: opId, [TAG.preparedFor]: member },
  };
}

/** **S** (S31) A recovery that is under way may need the very place that would be asked for. */
async function isRecovering({ parts: { kv, keys } }: Run): Promise<boolean> {
  return (await kv.range(keys.intents)).entries.length > 0;
}

function ask(frozen: Frozen<typeof RESERVE>, index: number, memory: Memory): Move<typeof RESERVE> {
  const { places, platform, tenancy, endsAtWallMs, tags } = frozen.request;
  const place = places[index];
  if (!place) return { kind: 'wait', text: 'no place is left to ask for' };
  return {
    kind: 'act',
    text: `asking whether ${place.az} has room for ${place.instanceType} while the member is suspect`,
    calls: [
      {
        name: nameOf(index),
        optional: true,
        run: async (cloud, options) => {
          const request = { ...place, platform, tenancy, endsAtWallMs, tags };
          memory.made = await cloud.createCapacityReservation(request, { ...options, urgency: 'chore' });
        },
      },
    ],
  };
}

/** The token makes the same request the same reservation. */
const mayPass = ({ code }: OperationError): boolean =>
  ['CLOUD_OUTCOME_UNKNOWN', 'CLOUD_UNAVAILABLE', 'CLOUD_THROTTLED'].includes(code);

const placeAt = ({ request: { places } }: Frozen<typeof RESERVE>, index: number) =>
  places.slice(index, index + 1).map(({ az, instanceType }) => ({ az, instanceType }));

/** May a call for this place, or one before, still make something? */
const mayLand = ({ sends, noted }: Frozen<typeof RESERVE>, { answers }: Memory): boolean => {
  const { index, mayLand: earlier } = noted ?? NOTHING_YET;
  return earlier || (sends[nameOf(index)] ?? 0) > answers;
};

function nextPlace(frozen: Frozen<typeof RESERVE>, { index, full }: Noted, memory: Memory): Move<typeof RESERVE> {
  const isOpen = mayLand(frozen, memory);
  memory.answers = 0;
  const noted = { index: index + 1, full: [...full, ...placeAt(frozen, index)], reservationId: null, mayLand: isOpen };
  return { kind: 'note', noted };
}

/** It is ended whatever comes. EC2 may not know it yet; only a look that shows its end counts. */
async function giveBack(
  run: Run,
  frozen: Frozen<typeof RESERVE>,
  reservationId: string,
  last: Attempt | null,
  memory: Memory,
): Promise<Move<typeof RESERVE>> {
  const { error = null } = last?.name === 'unreserve' ? last : {};
  if (last?.name === 'unreserve' && error === null) memory.isEnded = true;
  if (error !== null && !mayPass(error)) {
    const found = await run.read((cloud, options) => cloud.describeCapacityReservation(reservationId, options));
    memory.isEnded = found !== null && !isLiveReservation(found);
    if (error.code === 'CLOUD_DENIED') return nothing(frozen, memory, `EC2 does not end it: ${error.message}`);
  }
  if (memory.isEnded) {
    const { index, full, mayLand: isOpen } = frozen.noted ?? NOTHING_YET;
    const [room = null] = placeAt(frozen, index);
    return { kind: 'done', result: { room, full, reservationId: null, mayLand: isOpen, text: '' } };
  }
  return {
    kind: 'act',
    text: 'giving back the place by which EC2 has shown that there is room',
    calls: [
      {
        name: 'unreserve',
        optional: true,
        run: async (cloud, options) => cloud.cancelCapacityReservation(reservationId, options),
      },
    ],
  };
}

function nothing(frozen: Frozen<typeof RESERVE>, memory: Memory, text: string): Move<typeof RESERVE> {
  const { full, reservationId } = frozen.noted ?? NOTHING_YET;
  return { kind: 'done', result: { room: null, full, reservationId, mayLand: mayLand(frozen, memory), text } };
}

/** Places that carry this recovery's mark and have not ended. @throws the errors of EC2's reads */
export async function reservedFor(run: Run): Promise<readonly CloudCapacityReservation[]> {
  const filters = { [`tag:${TAG.op}`]: [run.record.opId] };
  const found = await run.read((cloud, options) => cloud.describeCapacityReservations(filters, options));
  return found.filter(isLiveReservation);
}

export const reserveKind = stepKind(RESERVE, reserveStep, NO_CALLS);
