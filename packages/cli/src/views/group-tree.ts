import { groupOf, type MemberView } from '@understudy/shared';
import ansis from 'ansis';
import { verdictText } from './format.ts';
import { type Screen, shortAge, shortId, wrapLine } from './screen.ts';

/** Names that are listed before the rest is only counted. */
const LISTED_MAX = 4;

const isOrdinary = ({ verdict, hold, recovery, degraded }: MemberView): boolean =>
  verdict === 'alive' && hold === null && recovery === null && !degraded;

function namesText(members: readonly MemberView[]): string {
  const names = members.map(({ member }) => member);
  if (names.length <= LISTED_MAX) return names.join(', ');
  return `${names[0]} … ${names.at(-1)} (--all lists them)`;
}

/** `2/3`: how many of the observers that have an opinion find it alive. */
export function heardBy({ opinions }: MemberView): string {
  const hearing = opinions.filter(({ verdict }) => verdict === 'alive').length;
  return opinions.length === 0 ? '-' : `${hearing}/${opinions.length}`;
}

/** Time since the verdict is this one. `-`: not known. */
export const sinceText = ({ judged }: MemberView, nowWallMs: number): string =>
  judged.sinceWallMs === null ? '-' : shortAge(nowWallMs - judged.sinceWallMs);

function memberLine(member: MemberView, nowWallMs: number, screen: Screen): string {
  const { hold, recovery, degraded } = member;
  const notes = [
    ...(recovery === null ? [] : [ansis.magenta(`recovering (${recovery})`)]),
    ...(hold === null ? [] : [ansis.yellow(`held: ${hold.reason}`)]),
    ...(degraded ? [ansis.yellow('degraded')] : []),
  ];
  return [
    ansis.bold(member.member),
    `${verdictText(member.verdict)} for ${sinceText(member, nowWallMs)}`,
    shortId(member.instanceId, screen),
    `heard by ${heardBy(member)}`,
    ...notes,
  ].join('  ');
}

function groupText(group: string, members: readonly MemberView[], all: boolean, at: At): string {
  const ordinary = members.filter(isOrdinary);
  const odd = members.filter((one) => !isOrdinary(one));
  const head = `${ansis.bold(group)}  ${ordinary.length} of ${members.length} alive`;
  const folded = ordinary.length > 0 ? [`${ordinary.length} alive: ${namesText(ordinary)}`] : [];
  const line = (one: MemberView): string => memberLine(one, at.nowWallMs, at.screen);
  const children = all ? members.map(line) : [...odd.map(line), ...folded];
  const branches = children.map((child, index) => `${index < children.length - 1 ? '├─' : '└─'} ${child}`);
  return [head, ...branches.map((branch) => wrapLine(branch, at.screen))].join('\n');
}

interface At {
  readonly nowWallMs: number;
  readonly screen: Screen;
}

/**
 * The groups with their members: what is not ordinary first, what is ordinary in one line. `all`
 * lists every member in the order of their names.
 */
export function groupTree(members: readonly MemberView[], all: boolean, at: At): string {
  const sorted = members.toSorted((a, b) => (a.member < b.member ? -1 : 1));
  const groups = Map.groupBy(sorted, ({ member }) => groupOf(member));
  return [...groups].map(([group, of]) => groupText(group, of, all, at)).join('\n');
}
