import { LATE_CALL_MS } from '../core/late-calls.ts';
import { movesItself } from '../core/moved-volumes.ts';
import type { Run } from '../run.ts';
import { DETACH } from './volume-records.ts';

type Parts = Pick<Run, 'journal' | 'plan' | 'wallMs'>;

interface OpenDetach {
  /** In words. */
  readonly name: string;
  readonly sentByWallMs: number;
}

/** *DetachVolume* calls without an answer; one whose step has not ended counts as sent just now. */
export const openDetaches = (run: Parts): readonly OpenDetach[] =>
  run.plan.volumes.filter(movesItself).flatMap(({ volumeId, deviceName }) => {
    const entry = run.journal.get(DETACH, volumeId);
    if (!entry) return [];
    const isOpen = entry.result?.isOpen === true || (entry.sends.detach ?? 0) > 0;
    return isOpen ? [{ name: `${volumeId} (${deviceName})`, sentByWallMs: entry.endedAtWallMs ?? run.wallMs() }] : [];
  });

/**
 * What a *DetachVolume* without an answer means for an instance that has its disks back: when it
 * may be started, in words.
 */
export function openDetachTexts(run: Run): readonly string[] {
  const open = openDetaches(run);
  if (open.length === 0) return [];
  const until = new Date(Math.max(...open.map((one) => one.sentByWallMs)) + LATE_CALL_MS).toISOString();
  const names = open.map((one) => one.name).join(', ');
  return [
    `${run.record.oldInstanceId} is not to be started before ${until}, and only with all its disks: a call that takes ${names} off it may land until then`,
  ];
}
