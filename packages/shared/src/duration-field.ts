import * as z from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `10s`, `1.5 h`, `250ms` in ms. Null for anything else. */
export function durationOf(text: string): number | null {
  const [, figure, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return figure === undefined || unitMs === undefined ? null : Math.round(Number(figure) * unitMs * 1e6) / 1e6;
}

/**
 * Text of the fault. Taking a number without its unit would be a guess by a factor of a thousand.
 */
const wanted = (text: string): string =>
  /^\s*\d+(?:\.\d+)?\s*$/.test(text)
    ? `"${text}" has no unit: write ${text.trim()} for milliseconds (a number, not a text), or "${text.trim()}s" for seconds`
    : `"${text}" is no duration: want a number of milliseconds, or a text such as 250ms, 10s, 5m, 1.5h, 1d`;

/**
 * A field in milliseconds, as every field whose name ends in `Ms`. A number is milliseconds; a text
 * says its unit. The result is a number. Every such field in configurations and policies uses this,
 * so that all take the same.
 */
export const duration = <T extends z.ZodType<number>>(limits: T) =>
  z.preprocess((given, context) => {
    if (typeof given !== 'string') return given;
    const ms = durationOf(given);
    if (ms !== null) return ms;
    context.issues.push({ code: 'custom', message: wanted(given), input: given });
    return z.NEVER;
  }, limits);

/** A duration in whole milliseconds, with a default and limits. */
export const durationMs = (fallback: number, min: number, max: number) =>
  duration(z.number().int().min(min).max(max)).default(fallback);
