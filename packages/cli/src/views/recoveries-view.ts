import { durationText, type OpenRecoveryView, type RecoveriesView, staysInPlace } from '@understudy/shared';
import ansis from 'ansis';
import type { Facts } from '../changes.ts';
import { tableText } from './format.ts';
import { historyTable } from './history-view.ts';
import { requestLine } from './request-text.ts';
import { PIPE, type Screen, wrapText } from './screen.ts';
import { barColumns, barText } from './timeline.ts';

const HISTORY_SHOWN = 10;

const STATE: Readonly<Record<string, (text: string) => string>> = {
  done: ansis.green,
  failed: ansis.red,
  started: ansis.magenta,
};
const stateText = (state: string): string => (STATE[state] ?? ((text: string) => text))(state);

type Step = OpenRecoveryView['steps'][number];

function failingText({ failing }: Step, nowWallMs: number): string {
  if (!failing) return '';
  const { action, code, count, sinceWallMs, nextTryWallMs, text } = failing;
  const again =
    nextTryWallMs === null ? 'trying now' : `next try in ${durationText(Math.max(0, nextTryWallMs - nowWallMs))}`;
  const times = count === 1 ? 'once' : `${count} times`;
  const since = durationText(Math.max(0, nowWallMs - sinceWallMs));
  return ansis.red(`${action ?? 'a call'} failed ${times} in ${since}: ${code}: ${text}; ${again}`);
}

interface At {
  readonly nowWallMs: number;
  readonly fromWallMs: number;
  readonly columns: number;
}

function stepRow(step: Step, { nowWallMs, fromWallMs, columns }: At): string[] {
  const { startedAtWallMs, endedAtWallMs, attempt, text } = step;
  const tookMs = Math.max(0, (endedAtWallMs ?? nowWallMs) - startedAtWallMs);
  return [
    step.step,
    attempt === null || attempt === undefined ? '' : String(attempt),
    stateText(step.state),
    barText(step, { fromWallMs, toWallMs: nowWallMs }, columns),
    durationText(tookMs),
    [text ?? '', failingText(step, nowWallMs)].filter((part) => part !== '').join('; '),
  ];
}

/**
 * `launch-2, attempt 2, for 3.2 s: waiting for EC2`: the present step of an open recovery, in one
 * line.
 */
export function nowText(recovery: OpenRecoveryView, nowWallMs: number): string {
  const step = recovery.steps.findLast((one) => one.state !== 'done') ?? recovery.steps.at(-1);
  if (!step) return recovery.activity ?? 'begun, no step yet';
  const attempt = step.attempt ? `, attempt ${step.attempt}` : '';
  const forMs = Math.max(0, nowWallMs - step.startedAtWallMs);
  const activity = recovery.activity ?? step.text ?? '';
  const what = [activity, failingText(step, nowWallMs)].filter((part) => part !== '').join('; ');
  return `${step.step} ${step.state}${attempt}, for ${durationText(forMs)}${what === '' ? '' : `: ${what}`}`;
}

function replacesText({ strategy = '', oldInstanceId, newInstanceId }: OpenRecoveryView): string {
  if (staysInPlace({ strategy })) return `keeps      ${oldInstanceId}`;
  return `replaces   ${oldInstanceId} by ${newInstanceId ?? 'an instance that is not launched yet'}`;
}

/** One open recovery: the reason, the start, the present step, and every step. */
export function openRecoveryText(recovery: OpenRecoveryView, nowWallMs: number, screen: Screen = PIPE): string {
  const { opId, member, reason, startedAtWallMs, captureProgressPercent, hold, request, strategy } = recovery;
  const lines = [
    `${ansis.bold(member)}  ${ansis.magenta(`recovery ${opId}`)}, open for ${durationText(Math.max(0, nowWallMs - startedAtWallMs))}`,
    `because    ${reason}`,
    ...(strategy === undefined ? [] : [`way        ${strategy}`]),
    replacesText(recovery),
    `now        ${nowText(recovery, nowWallMs)}`,
    ...(captureProgressPercent === null ? [] : [`snapshots  ${captureProgressPercent} %`]),
    ...(hold ? [ansis.yellow(`held       ${hold.reason}: ${hold.text}`)] : []),
    ...(request ? [requestLine(request, nowWallMs)] : []),
  ];
  const at = { nowWallMs, fromWallMs: startedAtWallMs, columns: barColumns(screen.width) };
  const rows = recovery.steps.map((step) => stepRow(step, at));
  const head = wrapText(lines.join('\n'), screen);
  if (rows.length === 0) return head;
  const span = `0 to ${durationText(Math.max(0, nowWallMs - startedAtWallMs))}`;
  return `${head}\n\n${tableText(['step', 'try', 'state', span, 'took', ''], rows, screen)}`;
}

/** The present step without its age: what may change. */
export function stepFact(recovery: OpenRecoveryView): string {
  const step = recovery.steps.findLast((one) => one.state !== 'done') ?? recovery.steps.at(-1);
  if (!step) return 'begun';
  const attempt = step.attempt ? `, attempt ${step.attempt}` : '';
  const failing = step.failing ? `, ${step.failing.action ?? 'a call'} fails: ${step.failing.code}` : '';
  const held = recovery.hold ? `, held: ${recovery.hold.reason}` : '';
  return `${step.step} ${step.state}${attempt}${failing}${held}`;
}

/** What of the recoveries may change. */
export const recoveriesFacts = ({ open, history, requests }: RecoveriesView): Facts =>
  new Map([
    ...open.map((one) => [`${one.member} recovery ${one.opId}`, stepFact(one)] as const),
    ...history.map(
      ({ member, opId, outcome, newInstanceId }) =>
        [
          `${member} recovery ${opId}`,
          `ended: ${outcome}${newInstanceId === null ? '' : ` by ${newInstanceId}`}`,
        ] as const,
    ),
    ...requests.map(({ member, kind, by }) => [`${member} asked`, `${kind} by ${by}`] as const),
  ]);

/**
 * What `understudy recoveries` prints: the open ones step by step, then other requests, then the
 * recoveries that ended last.
 */
export function recoveriesText(
  { open, history, requests }: RecoveriesView,
  nowWallMs: number,
  screen: Screen = PIPE,
): string {
  const opened =
    open.length === 0 ? ['no recovery is open'] : open.map((one) => openRecoveryText(one, nowWallMs, screen));
  const isShown = (opId: string) => open.some((one) => one.request?.opId === opId);
  const asked = requests.filter(({ opId }) => !isShown(opId)).map((one) => requestLine(one, nowWallMs));
  const ended = history.length === 0 ? [] : [historyTable(history.slice(0, HISTORY_SHOWN), nowWallMs, screen)];
  return [...opened, ...(asked.length > 0 ? [asked.join('\n')] : []), ...ended].join('\n\n');
}
