import type { LeftoverView } from '@understudy/shared';
import type { Facts } from '../changes.ts';
import { PIPE, type Screen, shortId } from './screen.ts';
import { tableText, timeText } from './format.ts';

const when = (afterWallMs: number | null): string =>
  afterWallMs === null ? 'kept until you remove it' : `after ${timeText(afterWallMs)} UTC`;

/** What `understudy leftovers` prints. */
export function leftoversText(leftovers: readonly LeftoverView[], screen: Screen = PIPE): string {
  if (leftovers.length === 0) return 'nothing is left to remove or to put in place';
  const rows = leftovers.map((one) => [
    one.member,
    one.kind,
    shortId(one.id, screen),
    one.obstacle === null ? when(one.afterWallMs) : `${one.obstacle.code}: ${one.obstacle.text}`,
    one.text,
  ]);
  return tableText(['member', 'kind', 'id', 'when, or what is in the way', 'what'], rows, screen);
}

export const leftoversFacts = (leftovers: readonly LeftoverView[]): Facts =>
  new Map(leftovers.map(({ member, kind, id, obstacle, text }) => [`${member} ${kind} ${id}`, obstacle?.code ?? text]));
