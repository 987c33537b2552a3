import type { MembersView, MemberView } from '@understudy/shared';
import ansis from 'ansis';
import type { Facts } from '../changes.ts';
import { tableText, verdictText } from './format.ts';
import { heardBy, sinceText } from './group-tree.ts';
import { PIPE, type Screen, shortAge, shortId, shortZone, wrapText } from './screen.ts';

function conditionText(member: MemberView): string {
  if (member.recovery) return ansis.magenta(`recovering (${member.recovery})`);
  if (member.hold) return ansis.yellow(`held: ${member.hold.reason}`);
  if (member.readinessProblems.length > 0)
    return ansis.yellow(`not ready: ${member.readinessProblems.map((each) => each.code).join(', ')}`);
  return member.degraded ? ansis.yellow('degraded') : '';
}

/**
 * `tcp-5432 fails from c1, c2: Refused`. It is shown also where only some observers find it
 * failing, which is no fault of the member.
 */
function serviceTexts({ opinions }: MemberView): string[] {
  const failing = opinions.flatMap(({ observer, service }) =>
    service?.state === 'failing' ? [{ observer, what: service.probe, why: service.reason }] : [],
  );
  const byFault = Map.groupBy(failing, ({ what, why }) => `${what} ${why}`);
  const faults = [...byFault.values()].map((all) => {
    const [first] = all;
    return `${first?.what} fails from ${all.map((one) => one.observer).join(', ')}: ${first?.why}`;
  });
  const warnings = new Set(opinions.flatMap(({ service }) => service?.warning ?? []));
  return [...faults, ...warnings];
}

/**
 * The verdict as shown. A verdict that no present leader stands behind is none; the last one
 * follows in brackets.
 */
const shownVerdict = ({ verdict, judged }: MemberView): string =>
  judged.verdict !== null && judged.verdict !== verdict
    ? `${verdictText(verdict)} (was ${judged.verdict})`
    : verdictText(verdict);

interface At {
  readonly nowWallMs: number;
  readonly screen: Screen;
}

const HEAD = ['member', 'verdict', 'for', 'instance', 'act.', 'zone', 'heard by', 'heard', 'note'];

function row(member: MemberView, { nowWallMs, screen }: At): string[] {
  const failing = member.checks
    .filter((check) => check.status === 'fail')
    .map((check) => `${check.name}: ${check.code}`);
  return [
    member.member,
    shownVerdict(member),
    sinceText(member, nowWallMs),
    shortId(member.instanceId, screen),
    member.incarnation === null ? '-' : `#${member.incarnation}`,
    shortZone(member.az, screen),
    heardBy(member),
    member.lastHeardAgoMs === null ? 'never' : shortAge(member.lastHeardAgoMs),
    [
      conditionText(member),
      ...(member.verdict === 'alive' ? [] : [member.refusedDatagrams ?? '']),
      ...member.unexpectedHeartbeats,
      ...failing,
      ...serviceTexts(member),
    ]
      .filter((text) => text !== '')
      .join('; '),
  ];
}

function notEnrolledText(all: MembersView['notEnrolled'], screen: Screen): string[] {
  if (all.length === 0) return [];
  const rows = all.map(({ instanceId, code, text, remedy }) => [instanceId || '-', code, text, remedy]);
  return [tableText(['not enrolled', 'why', '', 'what to do'], rows, screen)];
}

/**
 * What `understudy members` prints: a table, then a sentence for every member that is not simply
 * alive.
 */
export function membersText(
  members: readonly MemberView[],
  notEnrolled: MembersView['notEnrolled'] = [],
  at: At = { nowWallMs: 0, screen: PIPE },
): string {
  const others = notEnrolledText(notEnrolled, at.screen);
  const none = 'no members: tag an instance with understudy:group and understudy:member';
  if (members.length === 0) return [none, ...others].join('\n\n');
  const sorted = members.toSorted((a, b) => (a.member < b.member ? -1 : 1));
  const table = tableText(
    HEAD,
    sorted.map((member) => row(member, at)),
    at.screen,
  );
  const notes = sorted
    .filter((member) => member.verdict !== 'alive' || member.hold)
    .map((member) => `${member.member}: ${member.hold ? member.hold.text : member.reason}`);
  return [table, ...(notes.length > 0 ? [wrapText(notes.join('\n'), at.screen)] : []), ...others].join('\n\n');
}

/** What of the members may change. */
export const membersFacts = ({ members, notEnrolled }: MembersView): Facts =>
  new Map([
    ...members.map(({ member, verdict, instanceId, incarnation, hold, recovery }) => {
      const more = [
        ...(recovery === null ? [] : [`recovering (${recovery})`]),
        ...(hold === null ? [] : [`held: ${hold.reason}`]),
      ];
      return [member, [verdict, `${instanceId} #${incarnation ?? '-'}`, ...more].join(', ')] as const;
    }),
    ...notEnrolled.map(({ instanceId, code }) => [instanceId, `not enrolled: ${code}`] as const),
  ]);
