import { Cron } from 'croner';
import * as z from 'zod';
import { duration } from './duration-field.ts';
import { durationText } from './duration-text.ts';
import { type WallMs, wallMs } from './units.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/**
 * Windows per group. Ten cover a week with a different hour each day; each costs the guard about
 * 0.1 ms when it is asked.
 */
export const MAINTENANCE_WINDOWS_MAX = 10;
/**
 * Any fixed moment will do: a cron of five fields has no year, so what holds from here on holds
 * always.
 */
const REFERENCE_WALL_MS = Date.UTC(2026, 0, 1);
/** Number of beginnings checked to see whether the window ever closes. */
const BEGINNINGS_LOOKED_AT = 32;
/** Parsed patterns kept. When full, all are forgotten and parsed again as they are needed. */
const PARSED_MAX = 256;

const FIVE_FIELDS = /^\S+(?: +\S+){4}$/;

type Window = { readonly cron: string; readonly durationMs: number; readonly timeZone: string };

const parsed = new Map<string, Cron>();

/**
 * A cron without a function, with which croner starts no timer.
 * @throws croner's error for an invalid pattern or zone.
 */
function cronOf({ cron, timeZone }: Pick<Window, 'cron' | 'timeZone'>): Cron {
  const key = `${timeZone} ${cron}`;
  const known = parsed.get(key);
  if (known) return known;
  if (parsed.size >= PARSED_MAX) parsed.clear();
  const made = new Cron(cron, { timezone: timeZone, mode: '5-part', paused: true });
  parsed.set(key, made);
  return made;
}

/** The first beginning after (never at) a moment. Null: none. */
const nextBeginning = (cron: Cron, afterWallMs: number): number | null =>
  cron.nextRun(new Date(afterWallMs))?.getTime() ?? null;

const zoneFault = (timeZone: string): string | null => {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return null;
  } catch {
    return `"${timeZone}" is not an IANA time zone, such as Europe/Berlin or UTC`;
  }
};

function cronFault(window: Window): string | null {
  if (!FIVE_FIELDS.test(window.cron))
    return `"${window.cron}" is not a cron of five fields (minute hour day month weekday)`;
  try {
    return nextBeginning(cronOf(window), REFERENCE_WALL_MS) === null ? `"${window.cron}" never begins` : null;
  } catch (error) {
    return `"${window.cron}" is not a cron of five fields: ${error instanceof Error ? error.message : 'cannot be parsed'}`;
  }
}

/**
 * Refuses a window that opens again before it has closed, every time. It would be a pause that
 * nobody sees as one.
 */
function closingFault(window: Window): string | null {
  const cron = cronOf(window);
  let longestGapMs = 0;
  let beganWallMs = nextBeginning(cron, REFERENCE_WALL_MS);
  for (let i = 0; i < BEGINNINGS_LOOKED_AT && beganWallMs !== null; i++) {
    const next = nextBeginning(cron, beganWallMs);
    longestGapMs = next === null ? Number.POSITIVE_INFINITY : Math.max(longestGapMs, next - beganWallMs);
    if (longestGapMs > window.durationMs) return null;
    beganWallMs = next;
  }
  return `durationMs = ${window.durationMs} ≥ ${longestGapMs}, the longest time between two beginnings of "${window.cron}": it would never close; use a pause instead`;
}

/**
 * Planned work. While one of these is open, no recovery is begun. `cron` (minute hour day month
 * weekday) says when it begins, in `timeZone`. It stays open for `durationMs` of real time,
 * whatever the clocks on the wall do meanwhile.
 *
 * Daylight saving: a beginning in the hour that is skipped happens when that hour would have ended.
 * One at a fixed time in the hour that is repeated happens once, the first time.
 */
export const MaintenanceWindowSchema = z
  .strictObject({
    /** Five fields. A weekday and a day of the month together mean either of them. */
    cron: z.string().min(1).max(100),
    /**
     * 1 min to 24 h. Longer covers work that drags on; a member that fails meanwhile waits for the
     * end of it.
     */
    durationMs: duration(z.number().int().min(MINUTE_MS).max(DAY_MS)),
    /** IANA name. There is no default, because "02:00" without a zone is nobody's 02:00. */
    timeZone: z.string().min(1).max(64),
  })
  .superRefine((window, context) => {
    const refuse = (path: keyof Window, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message, input: window });
    const zone = zoneFault(window.timeZone);
    if (zone !== null) return refuse('timeZone', zone);
    const cron = cronFault(window);
    if (cron !== null) return refuse('cron', cron);
    const closing = closingFault(window);
    if (closing !== null) refuse('durationMs', closing);
  });
export type MaintenanceWindow = z.infer<typeof MaintenanceWindowSchema>;

/** In words, for people: `0 2 * * 0 (Europe/Berlin) for 2 h 0 min`. */
export const maintenanceWindowText = ({ cron, timeZone, durationMs }: MaintenanceWindow): string =>
  `${cron} (${timeZone}) for ${durationText(durationMs)}`;

export interface OpenWindow {
  readonly window: MaintenanceWindow;
  readonly untilWallMs: WallMs;
}

/**
 * The window that is open at this moment and closes last. Null: none. It is open from its beginning
 * until just before its end. Pure.
 */
export function openWindow(windows: readonly MaintenanceWindow[], nowWallMs: WallMs): OpenWindow | null {
  let longest: OpenWindow | null = null;
  for (const window of windows) {
    const untilWallMs = openUntil(window, nowWallMs);
    if (untilWallMs !== null && (longest === null || untilWallMs > longest.untilWallMs))
      longest = { window, untilWallMs };
  }
  return longest;
}

function openUntil(window: MaintenanceWindow, nowWallMs: WallMs): WallMs | null {
  const cron = cronOf(window);
  let beganWallMs = nextBeginning(cron, nowWallMs - window.durationMs);
  if (beganWallMs === null || beganWallMs > nowWallMs) return null;
  // Finds the last one that has begun. Cron counts minutes, so there are no more of them than
  // minutes in the window.
  for (let i = 0; i <= window.durationMs / MINUTE_MS; i++) {
    const next = nextBeginning(cron, beganWallMs);
    if (next === null || next > nowWallMs) break;
    beganWallMs = next;
  }
  return wallMs(beganWallMs + window.durationMs);
}

/** When the next of these begins, for people. Null: there are none. Pure. */
export function nextWindowWallMs(windows: readonly MaintenanceWindow[], nowWallMs: WallMs): WallMs | null {
  const beginnings = windows.flatMap((window) => nextBeginning(cronOf(window), nowWallMs) ?? []);
  return beginnings.length === 0 ? null : wallMs(Math.min(...beginnings));
}
