import { durationOf } from '@understudy/shared';
import { InvalidArgumentError } from 'commander';

/**
 * A moment as people say it: ISO 8601 in UTC, or how long ago (`2h`, `3d`).
 * @throws InvalidArgumentError
 */
export const parseMoment =
  (nowWallMs: () => number) =>
  (text: string): number => {
    const agoMs = durationOf(text);
    if (agoMs !== null) return Math.round(nowWallMs() - agoMs);
    const isDated = /^\d{4}-\d{2}-\d{2}/.test(text);
    const zoned = /(?:Z|[+-]\d{2}:\d{2})$/.test(text) || !text.includes('T') ? text : `${text}Z`;
    const wallMs = isDated ? Date.parse(zoned.replace(/^(\S+) (\S+)$/, '$1T$2Z')) : Number.NaN;
    if (Number.isFinite(wallMs)) return wallMs;
    throw new InvalidArgumentError('want a time in UTC, such as 2026-11-29T14:02:00, or how long ago, such as 2h');
  };

export const AT_TEXT = 'as it was then: ISO 8601 in UTC, or how long ago, such as 2h';
export const FROM_TEXT = 'the beginning: ISO 8601 in UTC, or how long ago, such as 2h';
export const TO_TEXT = 'the end; default: now';
export const WHERE_TEXT = 'PATH=VALUE, PATH!=VALUE or PATH~PATTERN; given again, all have to hold';

export const parseLimit = (text: string): number => {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 500) return limit;
  throw new InvalidArgumentError('want a number from 1 to 500');
};

export const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** A path with its questions. What is undefined is not asked. */
export function pathOf(
  base: string,
  asked: Readonly<Record<string, string | number | readonly string[] | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked))
    for (const one of [value].flat()) if (one !== undefined) query.append(name, String(one));
  return query.size === 0 ? base : `${base}?${query.toString()}`;
}

export const kindPath = (kind: string, rest = ''): string => `/v1/inventory/${encodeURIComponent(kind)}${rest}`;
