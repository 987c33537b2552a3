import { durationText, type StatusView } from '@understudy/shared';
import ansis from 'ansis';
import { agoText, tableText } from './format.ts';

function countsLine(counts: StatusView['counts']): string {
  const { alive, suspect, dead, unknown, left } = counts;
  return `members    ${counts.members}: ${alive} alive, ${suspect} suspect, ${dead} dead, ${unknown} unknown, ${left} left; ${counts.recovering} recovering, ${counts.held} held`;
}

/** What `understudy status` prints. */
export function statusText(status: StatusView): string {
  const leader = status.leader
    ? `${ansis.bold(status.leader.coordinatorId)} (term ${status.leader.term})`
    : ansis.red('none');
  const store = status.store.fresh ? ansis.green('fresh') : ansis.red('stale: no recovery starts until etcd answers');
  const observer = status.observer.abstains
    ? ansis.yellow(`abstains: ${status.observer.reason ?? 'no reason given'}`)
    : 'judges';
  const lines = [
    `leader     ${leader}`,
    `etcd       ${store}, last contact ${agoText(status.store.lastContactAgoMs)}`,
    `answering  ${status.coordinatorId} in ${status.az}, up ${durationText(status.uptimeMs)}, version ${status.version}`,
    `observer   hears ${status.observer.heardAgents} of ${status.observer.watchedAgents} agents, ${observer}`,
    countsLine(status.counts),
    ...status.pauses.map((pause) => {
      const nobody = pause.members === 0 ? ' (pauses no member)' : '';
      return ansis.yellow(`paused     ${pause.scope} by ${pause.who}: ${pause.why}${nobody}`);
    }),
  ];
  const rows = status.coordinators.map((each) => [
    each.coordinatorId,
    each.az,
    each.leader ? 'leader' : 'follower',
    each.httpUrl,
  ]);
  return `${lines.join('\n')}\n\n${tableText(['coordinator', 'zone', 'role', 'url'], rows)}`;
}
