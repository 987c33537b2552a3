import { durationText, type ExplainView, shownLines } from '@understudy/shared';
import ansis from 'ansis';
import { agoText, tableText, timeText, verdictText } from './format.ts';
import type { Facts } from '../changes.ts';
import { openRecoveryText, stepFact } from './recoveries-view.ts';
import { requestLine } from './request-text.ts';
import { PIPE, type Screen, shortAge, wrapText } from './screen.ts';

const WEIGHT: Readonly<Record<ExplainView['evidence'][number]['weight'], string>> = {
  veto: 'settles it',
  'for-dead': 'for dead',
  'against-dead': 'against dead',
  neutral: '',
};

const CONSOLE_LINES = 12;

function headLines(view: ExplainView): string[] {
  const { instanceId, incarnation, az, verdict, degraded, answeredBy } = view;
  const role = answeredBy.leader ? `leader, term ${answeredBy.term ?? '?'}` : 'follower';
  const what = instanceId === null ? 'no instance' : `${instanceId} #${incarnation ?? '?'}`;
  return [
    `${ansis.bold(view.member)}  ${what} in ${az || 'an unknown zone'}`,
    `verdict    ${verdictText(verdict)}${degraded ? ', degraded' : ''} (${view.reasonCode}): ${view.reason}`,
    ...(answeredBy.leader && view.judged.standing === 'current' ? [] : [`judged     ${judgedText(view)}`]),
    `decision   ${decisionText(view)}`,
    ...(view.request && !view.openRecovery?.request ? [requestLine(view.request, view.atWallMs)] : []),
    `answered   by ${answeredBy.coordinatorId} (${role}) at ${timeText(view.atWallMs)} UTC`,
  ];
}

function judgedText({ judged, ownView }: ExplainView): string {
  const { standing, by, ageMs, verdict } = judged;
  const own = ownView ? `; ${ownView.observer}'s own view: ${ownView.verdict} (${ownView.reason})` : '';
  if (standing === 'none') return `by nobody${own}`;
  const last = standing === 'last' ? `, no leader stands behind it; its last word was ${verdict ?? 'unknown'}` : '';
  return `by ${by ?? '?'}, ${durationText(ageMs ?? 0)} ago${last}${own}`;
}

function decisionText({ decision, hold }: ExplainView): string {
  const { kind, reason, text, untilWallMs } = decision;
  const until = untilWallMs === null ? '' : `, until ${timeText(untilWallMs)} UTC`;
  if (kind === 'hold') return ansis.yellow(`held: ${reason ?? ''}: ${text}${until}`);
  const standing = hold && kind !== 'recovering' ? ansis.yellow(`; held: ${hold.reason}: ${hold.text}`) : '';
  const shown = kind === 'replace' ? ansis.red(text) : kind === 'recovering' ? ansis.magenta(text) : text;
  return `${shown}${standing}`;
}

/** `1.0 s of 6.5 s`: its age, and the age up to which it counts. */
function ageText(ageMs: number | null, freshForMs: number | null): string {
  const age = ageMs === null ? '-' : durationText(ageMs);
  if (freshForMs === null || ageMs === null) return age;
  const text = `${age} of ${durationText(freshForMs)}`;
  return ageMs > freshForMs ? ansis.yellow(text) : text;
}

const evidenceTable = ({ evidence }: ExplainView, screen: Screen): string =>
  tableText(
    ['evidence', 'age (allowed)', 'weighs', 'says'],
    evidence.map((item) => [item.source, ageText(item.ageMs, item.freshForMs), WEIGHT[item.weight], item.text]),
    screen,
  );

const gateTable = ({ gates }: ExplainView, screen: Screen): string =>
  tableText(
    ['gate', '', 'is', 'wanted'],
    gates.map(({ gate, passes, value, limit, untilWallMs }) => [
      gate,
      passes ? ansis.green('ok') : ansis.red('HOLDS'),
      value,
      untilWallMs === null ? limit : `${limit} (from ${timeText(untilWallMs)})`,
    ]),
    screen,
  );

const changeTable = ({ changes, atWallMs }: ExplainView, screen: Screen): string =>
  tableText(
    [screen.width === null ? 'when (UTC)' : 'when', 'who', 'verdict', 'why'],
    changes.map((one) => [
      screen.width === null
        ? `${timeText(one.atWallMs)}, ${agoText(Math.max(0, atWallMs - one.atWallMs))}`
        : `${shortAge(atWallMs - one.atWallMs)} ago`,
      one.by,
      verdictText(one.verdict),
      one.reason === one.reasonCode ? one.reason : `${one.reasonCode}: ${one.reason}`,
    ]),
    screen,
  );

/** Shows the last lines only. `--json` has all that was kept. */
function consoleText({ console }: ExplainView): string[] {
  if (console === null) return [];
  const title = `console of ${console.instanceId}, captured at ${timeText(console.capturedAtWallMs)} UTC`;
  if (console.text === null) return [`${ansis.bold(title)}: shown with the operator's token (--token-file)`];
  const all = shownLines(console.text);
  const lines = all.slice(0, all.findLastIndex((line) => line.trim() !== '') + 1).slice(-CONSOLE_LINES);
  return [[ansis.bold(title), ...lines.map((line) => `  | ${line}`)].join('\n')];
}

const SAID = { taken: 'next', tried: 'tried', skipped: 'left out', later: 'later' } as const;

/** The ways of the ladder: of an open recovery, `next` is the one that it takes. */
function rungTable({ rungs = [], openRecovery }: ExplainView, screen: Screen): string[] {
  if (rungs.length === 0) return [];
  const rows = rungs.map(({ rung, said, why, deadlineMs }) => {
    const word = said === 'taken' && openRecovery ? 'now' : SAID[said];
    const until = deadlineMs === null ? '-' : durationText(deadlineMs);
    return [rung, said === 'taken' ? ansis.magenta(word) : word, until, why];
  });
  return [tableText(['way back', '', 'given', 'because'], rows, screen)];
}

/** How each disk of an open recovery gets to where the member serves again. */
function diskTable({ openRecovery }: ExplainView, screen: Screen): string[] {
  const { volumes = [] } = openRecovery ?? {};
  if (volumes.length === 0) return [];
  const rows = volumes.map(({ volumeId, deviceName, path, why }) => [deviceName, volumeId, path, why]);
  return [tableText(['disk', 'volume', 'path', 'because'], rows, screen)];
}

const listed = (title: string, lines: readonly string[], screen: Screen): string[] =>
  lines.length === 0 ? [] : [wrapText([ansis.bold(title), ...lines.map((line) => `  - ${line}`)].join('\n'), screen)];

function flipTitle({ lookAgainInMs }: ExplainView): string {
  const again = lookAgainInMs === null ? '' : ` (looked at again within ${durationText(lookAgainInMs)})`;
  return `what would flip it${again}`;
}

/**
 * What `understudy explain` prints: verdict and decision first, then what they rest on, then what
 * would change them.
 */
export function explainText(view: ExplainView, screen: Screen = PIPE): string {
  const { evidence, gates, changes } = view;
  const list = (title: string, lines: readonly string[]): string[] => listed(title, lines, screen);
  return [
    wrapText(headLines(view).join('\n'), screen),
    ...list(
      'not ready for a recovery',
      view.readinessProblems.map((one) => `${one.code}: ${one.text}`),
    ),
    ...(view.openRecovery ? [openRecoveryText(view.openRecovery, view.atWallMs, screen)] : []),
    ...rungTable(view, screen),
    ...diskTable(view, screen),
    ...(evidence.length > 0 ? [evidenceTable(view, screen)] : []),
    ...(gates.length > 0 ? [gateTable(view, screen)] : []),
    ...list(flipTitle(view), view.wouldFlip),
    ...list('not known here; ask the leader', view.unknownHere),
    ...consoleText(view).map((text) => wrapText(text, screen)),
    ...(changes.length > 0 ? [changeTable(view, screen)] : ['no change of mind since this coordinator began']),
  ].join('\n\n');
}

/** What of an explanation may change, ages left out. */
export function explainFacts({
  member,
  verdict,
  reasonCode,
  instanceId,
  decision,
  gates,
  openRecovery,
}: ExplainView): Facts {
  return new Map([
    [`${member} verdict`, `${verdict} (${reasonCode})`],
    [`${member} instance`, instanceId ?? 'none'],
    [`${member} decision`, decision.reason === null ? decision.kind : `${decision.kind}: ${decision.reason}`],
    ...gates.map(({ gate, passes }) => [`gate ${gate}`, passes ? 'ok' : 'HOLDS'] as const),
    ...(openRecovery === null ? [] : [[`recovery ${openRecovery.opId}`, stepFact(openRecovery)] as const]),
  ]);
}
