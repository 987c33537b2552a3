import type { PlannedVolume } from '@understudy/shared';

type Shown = Pick<PlannedVolume, 'volumeId' | 'deviceName' | 'path' | 'choice' | 'from' | 'initializationRateMiBps'>;

/** What of its content is missing, of a disk that is made from an earlier snapshot. */
export function olderContentText({ volumeId, deviceName, from }: Shown): string {
  if (!from) return `${volumeId} (${deviceName}) comes as it was at the fence`;
  const moment = new Date(from.takenAtWallMs).toISOString();
  return `${volumeId} (${deviceName}) comes back as ${from.snapshotId} has it: what was written since ${moment} is lost`;
}

/** How one disk gets to the replacement, and why so: one line, and one for each other path. */
export function pathTexts(volume: Shown): readonly string[] {
  const { volumeId, deviceName, path = 'snapshot', choice, from, initializationRateMiBps: rate } = volume;
  const content = from ? `, as ${from.snapshotId} of ${new Date(from.takenAtWallMs).toISOString()} has it` : '';
  const filled = rate === undefined ? '' : `, filled at ${rate} MiB/s`;
  const reason = choice ? ` (${choice.reason})` : '';
  const others = choice?.rejected.map((one) => `not by ${one.path}: ${one.reason}`) ?? [];
  return [`${volumeId} (${deviceName}) by ${path}${content}${filled}${reason}`, ...others];
}
