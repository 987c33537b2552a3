import {
  durationText,
  type PlanForecast,
  type PlannedCallView,
  type PlannedStepView,
  type PlansView,
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

/** What `understudy plan <member>` prints. `full`: with the parameters of each call. */
export function planText(view: PlanView, full: boolean): string {
  const { member, verdict, reason, gates, token, lines, losses, problems, notices, expectedMs } = view;
  const holding = gates.filter((one) => !one.passes);
  const overrides = holding.filter((one) => one.overridable).map((one) => ` --override ${one.gate}`);
  return [
    `${member} is ${verdict}: ${reason}`,
    ...(view.strategy === null ? [] : [`by ${view.strategy.name}: ${view.strategy.why}`]),
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
    ...(view.forecast === null ? [] : forecastLines(view.forecast)),
    ...(view.prepared === undefined ? [] : [`prepared: ${preparedText(view.prepared)}`]),
    ...(view.undo === undefined ? [] : [undoLine(view.member, view.undo)]),
    'lost in any case: what stood in memory only, as with a power cut',
    `takes: ${expectedMs === null ? 'not known, none of this group has ended' : `about ${durationText(expectedMs)}`}`,
    ...(token === null ? [] : [`run it: understudy recover ${member} --plan ${token}${overrides.join('')}`]),
  ].join('\n');
}

/** What `understudy plan --all` prints. */
export function plansText({ plans, notLookedAt }: PlansView, screen: Screen = PIPE): string {
  const rows = plans.map(({ member, strategy, candidates, losses, problems, forecast, permissions }) => [
    member,
    strategy ?? 'no plan',
    candidates.map((one) => `${one.instanceType} in ${one.az}`).join(', ') || '–',
    forecast === null ? '–' : durationText(forecast.servesAfter.typicalMs),
    String(losses.length),
    permissions.denied.length > 0 ? `DENIED: ${permissions.denied.join(', ')}` : `${permissions.allowed} allowed`,
    problems.map(({ code }) => code).join(', ') || 'ready',
  ]);
  const head = ['member', 'strategy', 'places', 'serves after', 'losses', 'permissions', 'readiness'];
  const waiting = notLookedAt.length === 0 ? [] : [`not looked at yet: ${notLookedAt.join(', ')}`];
  return [...(rows.length === 0 ? ['no plan has been looked at'] : [tableText(head, rows, screen)]), ...waiting].join(
    '\n',
  );
}
