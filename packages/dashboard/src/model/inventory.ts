import type { InventoryPage, InventoryStanding, InventoryVersion } from '@understudy/shared/browser';
import { absoluteText } from './times.ts';

/** Steps of the slider between the first crawl and the last. */
export const SLIDER_STEPS = 1_000;

/** The times between which the slider moves. Null: nothing was crawled yet. */
export interface SliderRange {
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

/** As far back as crawls of this kind go. */
export function sliderRange(standing: InventoryStanding, kind: string): SliderRange | null {
  const known = standing.kinds.find((one) => one.kind === kind);
  const oldest = known?.covered.at(-1);
  const newest = known?.lastCompleteWallMs;
  if (!oldest || newest === null || newest === undefined) return null;
  return { fromWallMs: oldest.fromWallMs, toWallMs: Math.max(newest, oldest.fromWallMs + 1) };
}

/** The moment at a place of the slider. Null: its end, which is now. */
export function momentAt({ fromWallMs, toWallMs }: SliderRange, step: number): number | null {
  if (step >= SLIDER_STEPS) return null;
  return Math.round(fromWallMs + ((toWallMs - fromWallMs) * Math.max(0, step)) / SLIDER_STEPS);
}

export const momentText = (atWallMs: number | null): string => (atWallMs === null ? 'now' : absoluteText(atWallMs));

/** Whether somebody looked then. */
export const isCovered = (standing: InventoryStanding, kind: string, atWallMs: number | null): boolean =>
  atWallMs === null ||
  (standing.kinds.find((one) => one.kind === kind)?.covered ?? []).some(
    ({ fromWallMs, toWallMs }) => fromWallMs <= atWallMs && atWallMs <= toWallMs,
  );

/** The question for a page of a kind, as it was then. */
export function questionOf(
  kind: string,
  asked: { readonly atWallMs: number | null; readonly where: string; readonly cursor: string | null },
): string {
  const query = new URLSearchParams({ limit: '50' });
  if (asked.atWallMs !== null) query.set('at', String(asked.atWallMs));
  const where = asked.where.trim();
  if (where !== '') query.append(isCondition(where) ? 'where' : 'id', where);
  if (asked.cursor !== null) query.set('cursor', asked.cursor);
  return `/v1/inventory/${encodeURIComponent(kind)}?${query}`;
}

/** A condition has an operator; all else is an id. */
const isCondition = (text: string): boolean => /[=~]/.test(text) && !text.startsWith('arn:');

/** The same on a terminal. */
export const commandFor = (kind: string, atWallMs: number | null): string =>
  atWallMs === null
    ? `understudy inventory list ${kind}`
    : `understudy inventory list ${kind} --at ${new Date(atWallMs).toISOString()}`;

/** What tells people most about a resource of any kind. */
export function gistOf({ document }: InventoryVersion): string {
  const { State, Status, Tags, GroupName, Name } = document;
  const inside = (value: unknown, member: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, member) : undefined;
  const words = [inside(State, 'Name') ?? State ?? Status, inside(Tags, 'Name') ?? GroupName ?? Name];
  return words.filter((one) => typeof one === 'string').join(' · ');
}

/** The pages that were read, in one. */
export const joined = (before: InventoryPage | null, next: InventoryPage): InventoryPage => ({
  versions: [...(before?.versions ?? []), ...next.versions],
  next: next.next,
});
