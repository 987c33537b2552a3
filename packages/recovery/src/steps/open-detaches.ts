import { movesItself } from '../core/moved-volumes.ts';
import type { Run } from '../run.ts';
import { DETACH } from './volume-records.ts';

/** AWS takes no request signed more than 5 minutes ago, by clocks at most 5 minutes off (A5). */
const LANDS_WITHIN_MS = 900_000;

/**
 * What a *DetachVolume* without an answer means for an instance that has its disks back: when it
 * may be started, in words. One whose step has not ended counts as sent just now.
 */
export function openDetachTexts(run: Run): readonly string[] {
  const open = run.plan.volumes.filter(movesItself).flatMap(({ volumeId, deviceName }) => {
    const entry = run.journal.get(DETACH, volumeId);
    if (!entry) return [];
    const isOpen = entry.result?.isOpen === true || (entry.sends.detach ?? 0) > 0;
    return isOpen ? [{ name: `${volumeId} (${deviceName})`, sentByWallMs: entry.endedAtWallMs ?? run.wallMs() }] : [];
  });
  if (open.length === 0) return [];
  const until = new Date(Math.max(...open.map((one) => one.sentByWallMs)) + LANDS_WITHIN_MS).toISOString();
  const names = open.map((one) => one.name).join(', ');
  return [
    `${run.record.oldInstanceId} is not to be started before ${until}, and only with all its disks: a call that takes ${names} off it may land until then`,
  ];
}
