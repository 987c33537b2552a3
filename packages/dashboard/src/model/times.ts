import { durationText } from '@understudy/shared/browser';

/** `0.4 s`, `12 s`, `3 min`, `2 h`, `4 d`: short enough for a tile. `–`: not known. */
export function ageText(ageMs: number | null): string {
  if (ageMs === null) return '–';
  const seconds = Math.max(0, ageMs) / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** `3 min ago`, `in 12 s`, `now`. */
export function relativeText(atMs: number, nowMs: number): string {
  const awayMs = atMs - nowMs;
  if (Math.abs(awayMs) < 1_000) return 'now';
  return awayMs < 0 ? `${ageText(Math.round(-awayMs / 1_000) * 1_000)} ago` : `in ${ageText(awayMs)}`;
}

/** `4 min 5 s`: whole seconds, because a figure that runs is read, not measured. */
export const spanText = (spanMs: number): string =>
  spanMs < 10_000 ? ageText(spanMs) : durationText(Math.round(spanMs / 1_000) * 1_000).replace(/\.0 s$/, ' s');

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-28 14:03:09 UTC`: the same for everybody who reads it, whatever their zone. */
export function absoluteText(atMs: number): string {
  const date = new Date(atMs);
  const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} UTC`;
}
