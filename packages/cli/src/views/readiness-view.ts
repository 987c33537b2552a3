import {
  type Blocker,
  durationText,
  type MemberReadiness,
  READINESS_VERDICTS,
  type ReadinessView,
} from '@understudy/shared';
import { tableText } from './format.ts';
import { PIPE, type Screen } from './screen.ts';

const lasting = (ms: number | null): string => (ms === null ? '–' : durationText(ms));

/** `9.3 s`: on a bad day, and what is left of it when only the last way helps. */
function backText({ rtoMs, rto, rtoLastWayMs }: MemberReadiness): string {
  if (rtoMs === null || rto === null) return 'not known';
  const usual = `${durationText(rto.typicalMs)}, ${durationText(rtoMs)} on a bad day`;
  return rtoLastWayMs === null || rtoLastWayMs <= rtoMs
    ? usual
    : `${usual}, ${durationText(rtoLastWayMs)} by the last way`;
}

function lossText({ rpoMs, rpoDisksLostMs, losesEverythingWithDisks }: MemberReadiness): string {
  if (rpoMs === null) return 'not known';
  const byPlan = rpoMs === 0 ? 'nothing' : `the last ${durationText(rpoMs)}`;
  const withDisks = losesEverythingWithDisks ? 'everything' : `the last ${lasting(rpoDisksLostMs)}`;
  return losesEverythingWithDisks || rpoDisksLostMs !== null ? `${byPlan}; ${withDisks} with its disks` : byPlan;
}

/** What is in the way, as codes; then what is not known. */
function wayText({ blockers, missed, facts }: MemberReadiness): string {
  const open = facts.filter(({ state }) => state !== 'known').map(({ fact, state }) => `${fact} ${state}`);
  const said = [...blockers.map(({ code }) => code), ...missed.map(({ objective }) => `misses ${objective}`), ...open];
  return said.length === 0 ? '–' : [...new Set(said)].join(', ');
}

/** How long ago its oldest fact was looked at. */
function ageText({ facts }: MemberReadiness, nowWallMs: number): string {
  const looked = facts.flatMap(({ lookedAtWallMs }) => lookedAtWallMs ?? []);
  return looked.length === 0 ? 'never' : durationText(Math.max(0, nowWallMs - Math.min(...looked)));
}

/** `2 blocked, 1 at-risk, 3 ready of 6`: the worst first. */
export function readinessVerdict({ members, counts }: ReadinessView): string {
  if (members.length === 0) return 'no member is known';
  const said = READINESS_VERDICTS.filter((verdict) => (counts[verdict] ?? 0) > 0);
  return `${said.map((verdict) => `${counts[verdict]} ${verdict}`).join(', ')} of ${members.length}`;
}

const blockerLine = (member: string, { code, text, remedy, stops }: Blocker): string =>
  `${member}: ${stops ? '' : 'late, or not as wanted: '}${code}: ${text}. Remedy: ${remedy}`;

/** Each reason once, however many members have it. */
function reasonLines(members: readonly MemberReadiness[]): readonly string[] {
  const lines = members.flatMap(({ member, blockers, missed }) => [
    ...blockers.map((one) => blockerLine(member, one)),
    ...missed.map(({ objective, text, remedy }) => `${member}: misses ${objective}: ${text}. Remedy: ${remedy}`),
  ]);
  const shown = lines.slice(0, REASONS_MAX);
  return lines.length > shown.length ? [...shown, `and ${lines.length - shown.length} more (--json has all)`] : shown;
}

const REASONS_MAX = 30;

const HEAD = ['member', 'verdict', 'way', 'back after', 'loses', 'in the way', 'looked at'];

/** What `understudy readiness` prints. */
export function readinessText(view: ReadinessView, nowWallMs: number, screen: Screen = PIPE): string {
  const rows = view.members.map((one) => [
    ...[one.member, one.verdict, one.strategy ?? '–', backText(one), lossText(one), wayText(one)],
    `${ageText(one, nowWallMs)} ago`,
  ]);
  return [
    readinessVerdict(view),
    ...(view.ofFleet ?? []).map(({ code, text }) => `a recovery of any member would wait now: ${code}: ${text}`),
    ...(rows.length === 0 ? [] : [tableText(HEAD, rows, screen)]),
    ...reasonLines(view.members),
    `no verdict rests on: ${view.notKnown.join(', ')}`,
  ].join('\n');
}
