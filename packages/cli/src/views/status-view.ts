import { durationText, type MemberView, type StatusView, WAYS_OUT } from '@understudy/shared';
import ansis from 'ansis';
import { agoText, tableText } from './format.ts';
import type { Facts } from '../changes.ts';
import { healthOf } from '../health.ts';
import { groupTree } from './group-tree.ts';
import { nowText, stepFact } from './recoveries-view.ts';
import { requestLine } from './request-text.ts';
import { PIPE, type Screen, wrapText } from './screen.ts';
import { verdictLine } from './verdict-line.ts';

function countsLine(counts: StatusView['counts']): string {
  const { alive, suspect, dead, unknown, left } = counts;
  return `members    ${counts.members}: ${alive} alive, ${suspect} suspect, ${dead} dead, ${unknown} unknown, ${left} left; ${counts.recovering} recovering, ${counts.held} held`;
}

function judgedLine({ standing, by, ageMs }: StatusView['judgement'], leader: StatusView['leader']): string {
  if (standing === 'current') return `verdicts   of ${by ?? '?'}, ${durationText(ageMs ?? 0)} old`;
  const who = leader ? `${leader.coordinatorId} leads and has not judged yet` : 'no leader judges now';
  const last =
    standing === 'none' ? 'nobody has judged' : `last judgement of ${by ?? '?'}, ${durationText(ageMs ?? 0)} old`;
  return ansis.yellow(`verdicts   ${who}; ${last}`);
}

/** What a person has to act on: problems with their remedies, then holds with their ways out. */
function troubleLines({ problems, holds }: StatusView): string[] {
  return [
    ...problems.flatMap(({ code, text, remedy }) => [
      ansis.red(`problem    ${code}: ${text}`),
      `           → ${remedy}`,
    ]),
    ...holds.flatMap(({ member, reason, text }) => [
      ansis.yellow(`held       ${member}: ${reason}: ${text}`),
      `           → ${WAYS_OUT[reason].act}`,
    ]),
  ];
}

/** The line shows how far the builds that run beside each other are: `docs/upgrading.md`. */
function levelLine({ understood, agreed, inForce }: StatusView['featureLevels']): string {
  const line = `level      ${inForce} in force, ${agreed ?? 'none'} agreed on, this build understands ${understood}`;
  return inForce === understood && agreed === understood ? line : ansis.yellow(line);
}

/** What a status is shown with. */
export interface StatusMore {
  /** For the tree of groups. None where they could not be read. */
  readonly members?: readonly MemberView[];
  /** Every member by name. */
  readonly all?: boolean;
  readonly screen?: Screen;
}

/**
 * What `understudy status` prints: one line with the verdict, then faults, what is going on, the
 * groups, and the coordinators.
 */
export function statusText(
  status: StatusView,
  nowWallMs: number,
  { members = [], all = false, screen = PIPE }: StatusMore = {},
): string {
  const lines = (all: readonly string[]): string[] => (all.length === 0 ? [] : [wrapText(all.join('\n'), screen)]);
  const tree = members.length === 0 ? [] : [groupTree(members, all, { nowWallMs, screen })];
  return [
    ...lines([verdictLine(status, nowWallMs)]),
    ...lines(troubleLines(status)),
    ...lines(goingOnLines(status, nowWallMs)),
    ...tree,
    ...lines(clusterLines(status)),
    coordinatorTable(status, screen),
  ].join('\n\n');
}

const goingOnLines = (status: StatusView, nowWallMs: number): string[] => [
  ...status.recoveries.map((one) =>
    ansis.magenta(`recovery   ${one.member} (${one.opId}): ${nowText(one, nowWallMs)}`),
  ),
  ...status.requests.map((request) => requestLine(request, nowWallMs)),
  ...status.pauses.map((pause) => ansis.yellow(`paused     ${pause.scope} by ${pause.who}: ${pause.why}`)),
];

function clusterLines(status: StatusView): string[] {
  const leader = status.leader
    ? `${ansis.bold(status.leader.coordinatorId)} (term ${status.leader.term})`
    : ansis.red('none that is known here');
  const store = status.store.fresh ? ansis.green('fresh') : ansis.red('stale: no recovery starts until etcd answers');
  const observer = status.observer.abstains
    ? ansis.yellow(`abstains: ${status.observer.reason ?? 'no reason given'}`)
    : 'has opinions';
  return [
    countsLine(status.counts),
    judgedLine(status.judgement, status.leader),
    `leader     ${leader}`,
    `etcd       ${store}, last contact ${agoText(status.store.lastContactAgoMs)}`,
    `answering  ${status.coordinatorId} in ${status.az}, up ${durationText(status.uptimeMs)}, version ${status.version}`,
    levelLine(status.featureLevels),
    `its ears   hear ${status.observer.heardAgents} of ${status.observer.watchedAgents} agents; its observer ${observer}`,
  ];
}

function coordinatorTable(status: StatusView, screen: Screen): string {
  const rows = status.coordinators.map((each) => [
    each.coordinatorId,
    each.az,
    each.leader ? 'leader' : status.leader ? 'follower' : 'unknown',
    each.version,
    String(each.featureLevel),
    each.httpUrl,
  ]);
  return tableText(['coordinator', 'zone', 'role', 'version', 'level', 'url'], rows, screen);
}

/** What of a status may change. */
export function statusFacts(status: StatusView): Facts {
  const { leader, store, problems, holds, recoveries, pauses, requests, counts } = status;
  return new Map([
    ['status', healthOf(status)],
    ['leader', leader === null ? 'none' : `${leader.coordinatorId} (term ${leader.term})`],
    ['etcd', store.fresh ? 'fresh' : 'silent'],
    ['members', countsLine(counts).replace('members    ', '')],
    ...problems.map(({ code, text }) => [`problem ${code}`, text] as const),
    ...holds.map(({ member, reason }) => [`${member} held`, reason] as const),
    ...recoveries.map((one) => [`${one.member} recovery ${one.opId}`, stepFact(one)] as const),
    ...pauses.map(({ scope, who, why }) => [`paused ${scope}`, `by ${who}: ${why}`] as const),
    ...requests.map(({ member, kind, by }) => [`${member} asked`, `${kind} by ${by}`] as const),
  ]);
}
