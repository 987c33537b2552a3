import { describe, expect, it } from 'vitest';
import {
  type MaintenanceWindow,
  MaintenanceWindowSchema,
  maintenanceWindowText,
  nextWindowWallMs,
  openWindow,
} from './maintenance-window.ts';
import { GroupPolicySchema } from './policy.ts';
import { wallMs } from './units.ts';

const HOUR_MS = 3_600_000;
const nightly: MaintenanceWindow = { cron: '0 2 * * *', durationMs: HOUR_MS, timeZone: 'Europe/Berlin' };
const at = (iso: string) => wallMs(Date.parse(iso));
const iso = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : new Date(ms).toISOString());
const until = (window: Partial<MaintenanceWindow>, when: string) =>
  iso(openWindow([{ ...nightly, ...window }], at(when))?.untilWallMs);

describe('a maintenance window', () => {
  it('is open from its first millisecond to the one before its end, in its own time zone', () => {
    expect(until({}, '2026-07-01T23:59:59.999Z')).toBeNull();
    expect(until({}, '2026-07-02T00:00:00.000Z')).toBe('2026-07-02T01:00:00.000Z');
    expect(until({}, '2026-07-02T00:59:59.999Z')).toBe('2026-07-02T01:00:00.000Z');
    expect(until({}, '2026-07-02T01:00:00.000Z')).toBeNull();
    expect(until({}, '2026-01-02T01:30:00Z')).toBe('2026-01-02T02:00:00.000Z');
    expect(until({ timeZone: 'Asia/Kolkata' }, '2026-01-01T20:29:59Z')).toBeNull();
    expect(until({ timeZone: 'Asia/Kolkata' }, '2026-01-01T20:30:00Z')).toBe('2026-01-01T21:30:00.000Z');
  });

  it('reaches over midnight and over the end of a week', () => {
    const sunday = { cron: '30 23 * * 0', durationMs: 2 * HOUR_MS, timeZone: 'UTC' };
    expect(until(sunday, '2026-07-06T00:15:00Z')).toBe('2026-07-06T01:30:00.000Z');
    expect(until(sunday, '2026-07-07T00:15:00Z')).toBeNull();
  });

  it('begins when the skipped hour would have ended, if it should have begun within it', () => {
    const within = { cron: '30 2 * * *' };
    expect(until(within, '2026-03-29T00:59:59.999Z')).toBeNull();
    expect(until(within, '2026-03-29T01:00:00Z')).toBe('2026-03-29T02:00:00.000Z');
    const newYork = { cron: '30 2 * * *', timeZone: 'America/New_York' };
    expect(until(newYork, '2026-03-08T06:59:59.999Z')).toBeNull();
    expect(until(newYork, '2026-03-08T07:00:00Z')).toBe('2026-03-08T08:00:00.000Z');
  });

  it('lasts its real time across the skipped hour: 01:30 to 03:30 on the wall is one hour', () => {
    const across = { cron: '30 1 * * *' };
    expect(until(across, '2026-03-29T00:30:00Z')).toBe('2026-03-29T01:30:00.000Z');
    expect(until(across, '2026-03-29T01:30:00Z')).toBeNull();
  });

  it('begins once in the repeated hour, the first time', () => {
    const within = { cron: '30 2 * * *', durationMs: HOUR_MS / 2 };
    expect(until(within, '2026-10-25T00:30:00Z')).toBe('2026-10-25T01:00:00.000Z');
    expect(until(within, '2026-10-25T01:30:00Z')).toBeNull();
    expect(until(within, '2026-10-26T01:30:00Z')).toBe('2026-10-26T02:00:00.000Z');
  });

  it('of several that are open the one that closes last counts; one that begins again meanwhile closes later', () => {
    const long = { ...nightly, durationMs: 3 * HOUR_MS };
    expect(openWindow([nightly, long, nightly], at('2026-07-02T00:30:00Z'))).toEqual({
      window: long,
      untilWallMs: at('2026-07-02T03:00:00Z'),
    });
    const often = { cron: '0,30 2 * * *', durationMs: HOUR_MS, timeZone: 'UTC' };
    expect(until(often, '2026-07-02T02:29:00Z')).toBe('2026-07-02T03:00:00.000Z');
    expect(until(often, '2026-07-02T02:30:00Z')).toBe('2026-07-02T03:30:00.000Z');
  });

  it('is one answer for one moment, whatever was asked before', () => {
    const windows = [nightly, { ...nightly, timeZone: 'America/New_York' }];
    const moments = Array.from({ length: 200 }, (_, i) => wallMs(Date.UTC(2026, 2, 27) + i * 1_234_567));
    const forwards = moments.map((moment) => openWindow(windows, moment)?.untilWallMs ?? null);
    const backwards = moments.toReversed().map((moment) => openWindow(windows, moment)?.untilWallMs ?? null);
    expect(backwards.toReversed()).toEqual(forwards);
    expect(forwards.some((one) => one !== null)).toBe(true);
    expect(forwards.some((one) => one === null)).toBe(true);
  });

  it('says in words what it is and when the next one begins', () => {
    expect(maintenanceWindowText(nightly)).toBe('0 2 * * * (Europe/Berlin) for 1 h 0 min');
    expect(iso(nextWindowWallMs([nightly], at('2026-07-02T00:00:00Z')))).toBe('2026-07-03T00:00:00.000Z');
    expect(nextWindowWallMs([], at('2026-07-02T00:00:00Z'))).toBeNull();
  });
});

describe('a maintenance window that is none is refused with', () => {
  it.each<[Partial<MaintenanceWindow>, string]>([
    [{ cron: '61 2 * * *' }, 'Invalid value for minute: 61'],
    [{ cron: '0 2 * *' }, '"0 2 * *" is not a cron of five fields'],
    [{ cron: '0 0 2 * * *' }, 'is not a cron of five fields'],
    [{ cron: '@daily' }, 'is not a cron of five fields'],
    [{ cron: '2026-01-01T00:00:00' }, 'is not a cron of five fields'],
    [{ cron: '0 2 30 2 *' }, 'never begins'],
    [{ timeZone: 'Europe/Bielefeld' }, '"Europe/Bielefeld" is not an IANA time zone'],
    [{ timeZone: '' }, 'timeZone'],
    [{ durationMs: 59_999 }, 'durationMs'],
    [{ durationMs: 86_400_001 }, 'durationMs'],
    [{ durationMs: 86_400_000 }, 'durationMs = 86400000 ≥ 86400000, the longest time between two beginnings'],
    [{ cron: '*/10 * * * *', durationMs: 600_000 }, 'durationMs = 600000 ≥ 600000'],
  ])('%j: %s', (change, message) => {
    const { error } = MaintenanceWindowSchema.safeParse({ ...nightly, ...change });
    expect(JSON.stringify(error?.issues).replaceAll('\\"', '"')).toContain(message);
  });

  it('an unknown key, or an eleventh window', () => {
    expect(MaintenanceWindowSchema.safeParse({ ...nightly, days: 3 }).success).toBe(false);
    const windows = (count: number) => ({
      guard: { maintenanceWindows: Array.from({ length: count }, () => nightly) },
    });
    expect(GroupPolicySchema.safeParse(windows(10)).success).toBe(true);
    expect(GroupPolicySchema.safeParse(windows(11)).success).toBe(false);
  });

  it('but a window that closes once a week is one: 23 h on workdays', () => {
    const workdays = { cron: '0 0 * * 1-5', durationMs: 86_400_000, timeZone: 'UTC' };
    expect(MaintenanceWindowSchema.parse(workdays)).toEqual(workdays);
  });
});
