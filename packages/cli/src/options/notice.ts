import { durationText, errorText, type StatusView } from '@understudy/shared';
import type { CoordinatorClient } from '@understudy/shared/node';

/**
 * What has to be known about anything that this coordinator shows: its view of etcd is old, or no
 * present leader stands behind the verdicts. Null: neither. Pure.
 */
export function noticeOf({ coordinatorId, store, judgement, leader }: StatusView): string | null {
  if (!store.fresh) {
    const age = store.lastContactAgoMs === null ? 'never' : `${durationText(store.lastContactAgoMs)} ago`;
    return `OLD: ${coordinatorId} heard etcd ${age}; what it shows is no newer`;
  }
  if (judgement.standing === 'current') return null;
  const age = judgement.ageMs === null ? '' : `, which is ${durationText(judgement.ageMs)} old`;
  const last = judgement.by === null ? 'nobody has judged yet' : `the last judgement is that of ${judgement.by}${age}`;
  return leader === null
    ? `NO LEADER: ${last}`
    : `NOT JUDGED YET: ${leader.coordinatorId} leads and has not judged; ${last}`;
}

/** Asks for it. A coordinator that cannot say so much is a notice of its own. */
export const noticeFrom = (client: CoordinatorClient) => async (): Promise<string | null> =>
  client.status().then(noticeOf, (error: unknown) => `how old this is could not be asked: ${errorText(error)}`);
