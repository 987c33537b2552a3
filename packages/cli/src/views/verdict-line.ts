import { durationText, type StatusView } from '@understudy/shared';
import ansis from 'ansis';
import { type Health, healthOf, wantsPerson } from '../health.ts';
import { nowText } from './recoveries-view.ts';
import { counted, shortAge } from './screen.ts';

const more = (count: number): string => (count > 0 ? ` (and ${count} more)` : '');

function leaderlessText({ store, coordinatorId, judgement }: StatusView): string {
  const { lastContactAgoMs } = store;
  if (!store.fresh) {
    const since = lastContactAgoMs === null ? 'never' : `${durationText(lastContactAgoMs)} ago`;
    return `${ansis.red('ETCD SILENT')}  ${coordinatorId} heard etcd ${since}: nothing is recovered, and what follows is old`;
  }
  const judged = judgement.by === null ? '' : `; last judgement of ${judgement.by}`;
  return `${ansis.red('NO LEADER')}  nobody judges, nothing is recovered · etcd fresh${judged}`;
}

function personText({ holds, problems, counts }: StatusView, nowWallMs: number): string {
  const [hold] = holds;
  const wanting = problems.filter(wantsPerson);
  const beside = wanting.length === 0 ? '' : ` (and ${counted(wanting.length, 'problem')}, below)`;
  if (hold !== undefined) {
    const since = shortAge(nowWallMs - hold.sinceWallMs);
    const what = `${hold.member}: ${hold.reason}, since ${since} → understudy explain ${hold.member}${beside}`;
    return `${ansis.yellow('HOLD')}  ${Math.max(counts.held, holds.length)} of ${counts.members}: ${what}`;
  }
  const [problem] = wanting;
  if (problem === undefined) return `${ansis.yellow('HOLD')}  ${counts.held} of ${counts.members} → understudy holds`;
  return `${ansis.red('PROBLEM')}  ${problem.code}: ${problem.text}${more(wanting.length - 1)}`;
}

function underWayText({ recoveries, counts, leader, judgement, problems }: StatusView, nowWallMs: number): string {
  const [recovery] = recoveries;
  if (recovery !== undefined) {
    const what = `${recovery.member}: ${nowText(recovery, nowWallMs)}`;
    return `${ansis.magenta('RECOVERING')}  ${counts.recovering} of ${counts.members}: ${what} → understudy recoveries`;
  }
  const { suspect, dead, unknown, members } = counts;
  const odd = [
    [dead, 'dead'],
    [suspect, 'suspect'],
    [unknown, 'unknown'],
  ].flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]));
  const because =
    judgement.standing === 'current'
      ? problems[0]?.text
      : `${leader?.coordinatorId ?? '?'} leads and has not judged yet`;
  const text = odd.length > 0 ? `${odd.join(', ')} of ${members}` : (because ?? `${counts.recovering} recovering`);
  return `${ansis.yellow('UNDER WAY')}  ${text} → understudy members`;
}

function pausesText({ pauses }: StatusView): string {
  const [pause] = pauses;
  if (pause === undefined) return 'nothing paused';
  return ansis.yellow(`paused: ${pause.scope} by ${pause.who}${more(pauses.length - 1)}`);
}

function wellText(status: StatusView): string {
  const { counts, leader } = status;
  const { alive, left, members } = counts;
  const who = leader === null ? 'no leader' : `leader ${leader.coordinatorId} (term ${leader.term})`;
  const stopped = left > 0 ? `, ${left} stopped on purpose` : '';
  const facts = [`${members} members, ${alive} alive${stopped}`, who, 'etcd fresh', pausesText(status)];
  return `${ansis.green('OK')}  ${facts.join(' · ')}`;
}

const TEXTS: Readonly<Record<Health, (status: StatusView, nowWallMs: number) => string>> = {
  well: wellText,
  'under-way': underWayText,
  'needs-a-person': personText,
  leaderless: leaderlessText,
};

/** The first line of `understudy status`: whether all is well, and if not, what to ask next. */
export const verdictLine = (status: StatusView, nowWallMs: number): string =>
  TEXTS[healthOf(status)](status, nowWallMs);
