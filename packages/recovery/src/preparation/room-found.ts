import { isReattach, isSnapshotAndReplace, type JournalRecord, type RecoveryPlan } from '@understudy/shared';
import { type PlaceToAsk, withRoomFirst } from '../core/places-to-reserve.ts';
import { RESERVE } from '../steps/reserve-record.ts';

type Steps = readonly Pick<JournalRecord, 'step' | 'state' | 'result'>[];

/** What EC2 has answered about room while the member was suspect. Null: nothing (yet). */
function answerIn(steps: Steps) {
  const step = steps.find((one) => one.step === RESERVE.name && one.state === 'done');
  const parsed = RESERVE.result.safeParse(step?.result);
  return parsed.success ? parsed.data : null;
}

/**
 * The plan that begins with what had room. It changes the order of the candidates only, and none
 * where a seed was launched by it already.
 */
export function planWithRoom(plan: RecoveryPlan, steps: Steps): RecoveryPlan {
  const full = answerIn(steps)?.full ?? [];
  if (full.length === 0) return plan;
  if (isSnapshotAndReplace(plan)) return withRoomFirst(plan, full);
  return isReattach(plan) && plan.seed.inQuarantine !== true ? withRoomFirst(plan, full) : plan;
}

const placeText = ({ instanceType, az }: PlaceToAsk): string => `${instanceType} in ${az}`;

/** For people. Empty: nothing is known of room. */
export function roomText(steps: Steps): string {
  const answer = answerIn(steps);
  if (answer === null) return '';
  const { room, full, text } = answer;
  const without = full.length === 0 ? '' : `no room for ${full.map(placeText).join(', ')}`;
  const got = room === null ? text : `room for ${placeText(room)}`;
  return [got, without].filter((one) => one !== '').join('; ');
}
