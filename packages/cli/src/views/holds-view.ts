import { commandsFor, durationText, type HoldRecord, WAYS_OUT } from '@understudy/shared';
import ansis from 'ansis';
import type { Facts } from '../changes.ts';
import { PIPE, type Screen, shortAge, wrapText } from './screen.ts';

function holdText(hold: HoldRecord, nowWallMs: number, screen: Screen): string {
  const { member, reason, text, sinceWallMs, untilWallMs, opId } = hold;
  const { means, act, endsByItself } = WAYS_OUT[reason];
  const until =
    untilWallMs === null ? '' : `, looked at again in ${durationText(Math.max(0, untilWallMs - nowWallMs))}`;
  const what = opId === null ? 'no recovery was begun' : `recovery ${opId} waits`;
  const lines = [
    `${ansis.bold(member)}  ${ansis.yellow(reason)} for ${shortAge(nowWallMs - sinceWallMs)}${until}; ${what}`,
    `because    ${text}`,
    `means      ${means}`,
    `to do      ${act}${endsByItself ? ' (it also ends by itself, once its cause has passed)' : ''}`,
    ...commandsFor(reason, member).map((command) => `           $ ${command}`),
  ];
  return wrapText(lines.join('\n'), screen);
}

/** What `understudy holds` prints: each hold with what it means and its ways out. */
export function holdsText(holds: readonly HoldRecord[], nowWallMs: number, screen: Screen = PIPE): string {
  if (holds.length === 0) return 'nothing is held';
  const sorted = holds.toSorted((a, b) => a.sinceWallMs - b.sinceWallMs);
  return sorted.map((hold) => holdText(hold, nowWallMs, screen)).join('\n\n');
}

export const holdsFacts = (holds: readonly HoldRecord[]): Facts =>
  new Map(holds.map(({ member, reason, text }) => [`${member} held`, `${reason}: ${text}`]));
