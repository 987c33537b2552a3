import { deedText, durationText, hookEndText, type HistoryRecord } from '@understudy/shared';
import ansis from 'ansis';
import type { Facts } from '../changes.ts';
import { tableText, timeText } from './format.ts';
import { counted, PIPE, type Screen, shortAge, shortId } from './screen.ts';

const FENCES: Readonly<Record<string, string>> = {
  stopped: 'fenced: seen stopped',
  terminated: 'fenced: seen terminated',
  lease: 'fenced: its serve lease was waited out',
};

/** `2 disks by reattach, 1 by multi-attach`. */
function pathsText({ volumePaths = [] }: HistoryRecord): readonly string[] {
  const byPath = Map.groupBy(volumePaths, ({ path }) => path);
  if (byPath.size === 0) return [];
  return [[...byPath].map(([path, disks]) => `${counted(disks.length, 'disk')} by ${path}`).join(', ')];
}

/** What was unusual about it. */
function notesText(one: HistoryRecord): string {
  const {
    strategy,
    predictedMs,
    fencedBy,
    launchAttempts,
    leaderChanges,
    losses = [],
    acts = [],
    leftAs = [],
    leftovers,
    owed,
    failureHooks = [],
    deeds = [],
  } = one;
  return [
    ...(strategy === undefined ? [] : [`by ${strategy}`]),
    ...deeds.map((deed) => deedText(one.oldInstanceId, deed)),
    ...pathsText(one),
    ...(one.ladder ?? [])
      .filter(({ said }) => said === 'tried' || said === 'skipped')
      .map(({ rung, said, why }) => `${rung} ${said === 'tried' ? 'was tried' : 'was left out'}: ${why}`),
    ...(predictedMs === undefined ? [] : [`was to take ${durationText(predictedMs)}`]),
    fencedBy === null ? 'not fenced' : (FENCES[fencedBy] ?? fencedBy),
    ...(launchAttempts > 1 ? [`${launchAttempts} launch attempts`] : []),
    ...(leaderChanges > 0 ? [`the leader changed ${counted(leaderChanges, 'time')}`] : []),
    ...losses.map(({ code, text }) => ansis.yellow(`lost: ${code}: ${text}`)),
    ...acts.map(({ kind, by, why }) => `${kind} by ${by}: ${why}`),
    ...leftAs.map((text) => `left: ${text}`),
    ...failureHooks.map((hook) => `hook ${hook.name}: ${hookEndText(hook)}`),
    ...(leftovers.length + owed.length > 0 ? [counted(leftovers.length + owed.length, 'leftover')] : []),
    ...handBackText(one),
  ].join('; ');
}

/** Code that made the old instance names it still. */
const handBackText = ({ outcome, member }: HistoryRecord): readonly string[] =>
  outcome === 'replaced' || outcome === 'undone' ? [`made by code? understudy handback ${member}`] : [];

const isBack = ({ outcome }: HistoryRecord): boolean => outcome !== 'not-mended' && outcome !== 'abandoned';

const row = (one: HistoryRecord, nowWallMs: number, screen: Screen): string[] => [
  screen.width === null ? timeText(one.endedAtWallMs) : `${shortAge(nowWallMs - one.endedAtWallMs)} ago`,
  one.member,
  isBack(one) ? ansis.green(one.outcome) : ansis.yellow(one.outcome),
  [one.oldInstanceId, one.newInstanceId ?? '-']
    .map((id) => shortId(id, screen))
    .join(screen.width === null ? ' → ' : '→'),
  durationText(Math.max(0, one.endedAtWallMs - one.startedAtWallMs)),
  one.opId,
];

const HEAD = ['ended (UTC)', 'member', 'outcome', 'instance', 'took', 'recovery'];

/** Ended recoveries, a row each. On a terminal the end is shown by its age. */
export const historyTable = (history: readonly HistoryRecord[], nowWallMs: number, screen: Screen): string =>
  tableText(
    screen.width === null ? HEAD : ['ended', ...HEAD.slice(1)],
    history.map((one) => row(one, nowWallMs, screen)),
    screen,
  );

/**
 * What `understudy history` prints: the table, then for each recovery why it was and what was
 * unusual.
 */
export function historyText(history: readonly HistoryRecord[], nowWallMs: number, screen: Screen = PIPE): string {
  if (history.length === 0) return 'no recovery has ended';
  const notes = history.map((one) => [one.opId, one.reason, notesText(one)]);
  return [historyTable(history, nowWallMs, screen), tableText(['recovery', 'because', 'and'], notes, screen)].join(
    '\n\n',
  );
}

export const historyFacts = (history: readonly HistoryRecord[]): Facts =>
  new Map(history.map(({ member, opId, outcome }) => [`${member} recovery ${opId}`, outcome]));
