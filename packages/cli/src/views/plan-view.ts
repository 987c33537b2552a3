import {
  durationText,
  isAllAllowed,
  permissionCounts,
  permissionsText,
  type PlanForecast,
  type PlannedCallView,
  type PlannedRungView,
  type PlannedStepView,
  type PlansView,
  type PlanSummary,
  type PlanView,
  preparedText,
  type UndoView,
} from '@understudy/shared';
import { tableText, timeText } from './format.ts';
import { PIPE, type Screen } from './screen.ts';

/** How sure EC2's word is, in a word of fixed width. */
const WORD: Readonly<Record<PlannedCallView['permission']['word'], string>> = {
  allowed: 'allowed',
  denied: 'DENIED',
  refused: 'REFUSED',
  'not-asked': 'not asked yet',
  'cannot-be-asked': 'cannot be asked',
};

const indented = (text: string): string[] => text.split('\n').map((line) => `        ${line}`);

function callLines({ action, parameters, when, permission }: PlannedCallView, full: boolean): readonly string[] {
  const asked = permission.text === '' ? '' : `: ${permission.text}`;
  const only = when === null ? '' : `, only if ${when}`;
  return [
    `      ${action}${only} (${WORD[permission.word]}${asked})`,
    ...(full ? indented(JSON.stringify(parameters, null, 2)) : []),
  ];
}

const BASIS = { published: 'by published figures', measured: 'as measured here', unknown: 'a guess' } as const;

/** One step, with its calls and EC2's word on each. */
export function stepLines(
  { id, needs, onFailure, takes, basis, calls }: PlannedStepView,
  full: boolean,
): readonly string[] {
  const time =
    takes === null ? '' : `about ${durationText(takes.typicalMs)}${basis === null ? '' : ` ${BASIS[basis]}`}`;
  const after = needs.length === 0 ? '' : `after ${needs.join(', ')}`;
  const notes = [onFailure ? 'only when an attempt has failed' : '', after, time].filter((one) => one !== '');
  return [
    `  ${id}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`,
    ...(calls === null
      ? ['      its calls are not told by this build']
      : calls.flatMap((call) => callLines(call, full))),
  ];
}

export const forecastLines = ({
  servesAfter,
  closedAfter,
  losesSinceWallMs,
  undo,
}: PlanForecast): readonly string[] => [
  `serves again after: about ${durationText(servesAfter.typicalMs)}, ${durationText(servesAfter.slowMs)} on a bad day; closed after about ${durationText(closedAfter.typicalMs)}`,
  losesSinceWallMs === null
    ? 'loses: nothing that is on its disks'
    : `loses: what was written after ${timeText(losesSinceWallMs)} UTC`,
  `undo: ${undo}`,
];

/** Whether the recovery before this one can be put back. */
function undoLine(member: string, { isPossible, code, text, untilWallMs }: UndoView): string {
  const why = code === '' ? '' : ` (${code}: ${text})`;
  if (!isPossible) return `undo of the last recovery: not possible${why}`;
  const until = untilWallMs === null ? '' : ` until ${timeText(untilWallMs)} UTC`;
  return `undo of the last recovery: understudy undo ${member}${until}${why}`;
}

const SAID = { taken: 'it begins here', tried: 'tried', skipped: 'left out', later: 'later' } as const;

/** One way of the ladder: condition, how long it is given, what proves it, and the next one. */
function rungLine({ rung, said, why, deadlineMs, proof, next }: PlannedRungView): string {
  if (said === 'skipped' || said === 'tried') return `  ${rung} (${SAID[said]}): ${why}`;
  const given = deadlineMs === null ? 'without a limit' : `given ${durationText(deadlineMs)}`;
  const then = next === null ? 'a person is waited for' : next;
  return `  ${rung} (${SAID[said]}): ${why}; ${given}; it has helped when ${proof}; if not: ${then}`;
}

/** EC2's word on all calls of the steps. */
const permissionsLine = (steps: readonly PlannedStepView[]): string =>
  `permissions: ${permissionsText(permissionCounts(steps.flatMap(({ calls }) => calls ?? [])))}`;

/** What `understudy plan <member>` prints. `full`: with the parameters of each call. */
export function planText(view: PlanView, full: boolean): string {
  const { member, verdict, reason, gates, token, lines, losses, problems, notices, expectedMs } = view;
  const holding = gates.filter((one) => !one.passes);
  const overrides = holding.filter((one) => one.overridable).map((one) => ` --override ${one.gate}`);
  return [
    `${member} is ${verdict}: ${reason}`,
    ...(view.supposes === undefined ? [] : [`the plan: ${view.supposes.text}`]),
    ...(view.strategy === null ? [] : [`by ${view.strategy.name}: ${view.strategy.why}`]),
    ...(view.rungs.length === 0 ? [] : ['ways back:', ...view.rungs.map(rungLine)]),
    ...lines.map(({ sign, text }) => `${sign} ${text}`),
    ...losses.map(({ code, text }) => `! ${code}: ${text}`),
    ...problems.map(({ code, text }) => `no plan: ${code}: ${text}`),
    ...notices.map(({ code, text }) => `look at: ${code}: ${text}`),
    ...holding.map(({ gate, text, overridable, because }) => {
      const way = overridable ? `--override ${gate}` : `never overridden: ${because}`;
      return `held by ${gate}: ${text} (${way})`;
    }),
    ...(view.steps.length === 0 ? [] : ['steps, with their calls and what EC2 says to each (dry run):']),
    ...view.steps.flatMap((step) => stepLines(step, full)),
    ...(view.steps.length === 0 ? [] : [permissionsLine(view.steps)]),
    ...(view.forecast === null ? [] : forecastLines(view.forecast)),
    ...(view.prepared === undefined ? [] : [`prepared: ${preparedText(view.prepared)}`]),
    ...(view.undo === undefined ? [] : [undoLine(view.member, view.undo)]),
    'lost in any case: what stood in memory only, as with a power cut',
    `takes: ${expectedMs === null ? 'not known, none of this group has ended' : `about ${durationText(expectedMs)}`}`,
    ...(token === null
      ? []
      : [`run it: understudy recover ${member}${wayOf(view)} --plan ${token}${overrides.join('')}`]),
  ].join('\n');
}

/** The way has to be named with a plan that was made for it. */
const wayOf = ({ supposes, strategy }: PlanView): string =>
  supposes?.kind === 'asked' && strategy !== null ? ` --strategy ${strategy.name}` : '';

/** The way that it would begin with, and the longest one. */
const waysText = ({ strategy, worst }: PlanSummary): string =>
  strategy === null ? 'no plan' : worst === null || worst === strategy ? strategy : `${strategy}, at worst ${worst}`;

function servesText({ forecast, worst, rungs }: PlanSummary): string {
  if (forecast === null) return '–';
  const longest = rungs.find(({ rung }) => rung === worst)?.forecast ?? forecast;
  const [soon, late] = [forecast, longest].map((one) => durationText(one.servesAfter.typicalMs));
  return soon === late ? (soon ?? '') : `${soon}, at worst ${late}`;
}

/** "ready" by itself only where EC2 has allowed every call. */
function readinessText({ problems, permissions, rungs }: PlanSummary): string {
  if (problems.length > 0) return problems.map(({ code }) => code).join(', ');
  const blocked = rungs.flatMap(({ rung, problems: [first] }) => (first ? [`not by ${rung} (${first.code})`] : []));
  return [isAllAllowed(permissions) ? 'ready' : 'ready as far as EC2 was asked', ...blocked].join('; ');
}

/** What EC2 was not asked about, each with how many members it is of. */
function unaskedLines(plans: readonly PlanSummary[]): readonly string[] {
  const members = new Map<string, number>();
  for (const { permissions } of plans)
    for (const action of new Set(permissions.cannotBeAsked)) members.set(action, (members.get(action) ?? 0) + 1);
  if (members.size === 0) return [];
  const named = [...members].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([action, count]) => `${action} (${count})`);
  return [`cannot be asked beforehand (of how many members): ${named.join(', ')}`];
}

/** What `understudy plan --all` prints. */
export function plansText({ plans, notLookedAt }: PlansView, screen: Screen = PIPE): string {
  const rows = plans.map((one) => [
    one.member,
    waysText(one),
    one.candidates.map(({ instanceType, az }) => `${instanceType} in ${az}`).join(', ') || '–',
    servesText(one),
    String(one.losses.length),
    permissionsText({ ...one.permissions, cannotBeAsked: [] }) +
      (one.permissions.cannotBeAsked.length === 0
        ? ''
        : `; ${one.permissions.cannotBeAsked.length} cannot be asked beforehand`),
    readinessText(one),
  ]);
  const head = ['member', 'strategy', 'places', 'serves after', 'losses', 'permissions', 'readiness'];
  const waiting = notLookedAt.length === 0 ? [] : [`not looked at yet: ${notLookedAt.join(', ')}`];
  const table = rows.length === 0 ? ['no plan has been looked at'] : [tableText(head, rows, screen)];
  return [...table, ...unaskedLines(plans), ...waiting].join('\n');
}
