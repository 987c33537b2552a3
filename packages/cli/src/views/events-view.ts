import type { FleetEvent } from '@understudy/shared';
import ansis from 'ansis';
import { timeText } from './format.ts';
import { type Screen, wrapLine } from './screen.ts';

const COLOUR: Readonly<Record<string, (text: string) => string>> = {
  critical: ansis.red,
  error: ansis.red,
  warning: ansis.yellow,
};

/** One event as a line: when, how bad, what kind, about whom, what and why, and what comes next. */
export function eventText(event: FleetEvent, screen: Screen): string {
  const { atWallMs, severity, kind, member, group, what, why, next } = event;
  const when = atWallMs === null ? 'time unknown       ' : timeText(atWallMs);
  const about = member ?? group ?? 'cluster';
  const text = [what, ...(why === '' ? [] : [why])].join(': ');
  const head = `${when}  ${(COLOUR[severity] ?? String)(severity)}  ${kind}  ${ansis.bold(about)}`;
  return wrapLine(`${head}  ${text}${next === '' ? '' : ` → ${next}`}`, screen);
}
