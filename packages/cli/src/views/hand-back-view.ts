import type { HandBackResource, HandBackView } from '@understudy/shared';
import type { HandBackPapers, HandBackStep, HandBackTool } from '../handback/tool.ts';
import { tableText, timeText } from './format.ts';
import { counted, PIPE, type Screen } from './screen.ts';

const FATES: Readonly<Record<HandBackResource['fate'], string>> = {
  kept: 'as it was',
  moved: 'moved along',
  replaced: 'replaced',
  left: 'nothing takes its place',
  unknown: 'not known',
};

const row = ({ kind, was, is, fate, place, madeBy }: HandBackResource): string[] => [
  kind,
  was,
  fate === 'replaced' ? (is ?? '-') : '',
  FATES[fate],
  place ?? '',
  madeBy === null ? '' : `${madeBy.stack}/${madeBy.logicalId}`,
];

const said = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What was, what is, and what drifted. */
function facts(view: HandBackView, screen: Screen): readonly string[] {
  const lost = Object.keys(view.lostTags);
  return [
    `hand-back of ${view.member}: ${view.isDue ? 'what its code names is not what is there' : 'nothing is to be handed back'}`,
    ...view.recoveries.map(
      (one) =>
        `  ${one.opId} (${one.outcome} by ${one.strategy}, ${timeText(one.endedAtWallMs)} UTC): ${one.was} → ${one.is ?? one.was}`,
    ),
    '',
    tableText(['kind', 'was', 'is', '', 'at', 'stack'], view.resources.map(row), screen),
    ...(view.drift.length === 0
      ? []
      : [
          '',
          tableText(
            ['drifted', 'was', 'is'],
            view.drift.map(({ property, was, is }) => [property, said(was), said(is)]),
            screen,
          ),
        ]),
    ...(lost.length === 0 ? [] : ['', `tags that only AWS writes, and the successor has not: ${lost.join(', ')}`]),
    ...view.notes.map(({ code, text }) => `! ${code}: ${text}`),
  ];
}

const stepLines = ({ title, text, edits, commands }: HandBackStep, index: number): readonly string[] => [
  '',
  `${index + 1}. ${title}`,
  `   ${text}`,
  ...edits.map((one) => `   ~ ${one}`),
  ...commands.map((one) => `   $ ${one}`),
];

/** The steps of one tool, for a terminal and for the file that lies beside the others. */
export function papersText(tool: Pick<HandBackTool, 'title'>, { notes, steps, files }: HandBackPapers): string {
  return [
    `${tool.title}: ${steps.length === 0 ? 'nothing to do' : counted(steps.length, 'step')}`,
    ...notes.map((one) => `  ${one}`),
    ...steps.flatMap(stepLines),
    ...(files.length === 0 ? [] : ['', `files, which --folder writes: ${files.map(({ name }) => name).join(', ')}`]),
  ].join('\n');
}

/** What `understudy handback <member>` prints. `tool`: null without `--tool`. */
export function handBackText(
  view: HandBackView,
  papers: { readonly tool: HandBackTool; readonly papers: HandBackPapers } | null,
  screen: Screen = PIPE,
): string {
  return [
    ...facts(view, screen),
    ...(papers === null
      ? view.isDue
        ? ['', 'how to take it over: --tool cloudformation, or --tool terraform --terraform FILE']
        : []
      : ['', papersText(papers.tool, papers.papers)]),
    'nothing was done',
  ].join('\n');
}
