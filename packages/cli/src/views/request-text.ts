import { durationText, type PendingRequest } from '@understudy/shared';
import ansis from 'ansis';

const what = ({ kind, loss, leaveOpen }: PendingRequest): string =>
  [kind, ...(loss === null ? [] : [loss]), ...(leaveOpen ? ['--leave-open'] : [])].join(' ');

/** `asked      db/one: retry, by ann 12.0 s ago, not carried out yet: the subnet has room` */
export function requestLine(request: PendingRequest, nowWallMs: number): string {
  const { member, by, why, atWallMs } = request;
  const agoMs = Math.max(0, nowWallMs - atWallMs);
  return ansis.magenta(
    `asked      ${member}: ${what(request)}, by ${by} ${durationText(agoMs)} ago, not carried out yet: ${why}`,
  );
}
