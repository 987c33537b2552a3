import { durationText, type UndoPreviewView } from '@understudy/shared';
import { timeText } from './format.ts';
import { forecastLines, stepLines } from './plan-view.ts';

function undoneLines({ undoes }: UndoPreviewView): readonly string[] {
  if (undoes === null) return [];
  const { opId, presentInstanceId, retainedInstanceId, servedSinceWallMs, lostMs, untilWallMs } = undoes;
  return [
    `~ puts ${opId} back: ${presentInstanceId} is stopped, and kept; ${retainedInstanceId} serves again`,
    `! loses ${durationText(lostMs)} of writes: what ${presentInstanceId} has written since ${timeText(servedSinceWallMs)} UTC`,
    untilWallMs === null
      ? 'possible for as long as the instance is kept, which has no end'
      : `possible until ${timeText(untilWallMs)} UTC`,
  ];
}

/** What `understudy undo <member> --dry-run` prints. `full`: with the parameters of each call. */
export function undoText(view: UndoPreviewView, full: boolean): string {
  const { member, opId, wouldBegin, code, text, losses, steps, forecast } = view;
  return [
    `undo of ${member} (${opId}): ${wouldBegin ? 'would begin now' : `would be refused: ${code}: ${text}`}`,
    ...undoneLines(view),
    ...losses.map((one) => `! ${one.code}: ${one.text}`),
    ...(steps.length === 0 ? [] : ['steps, with their calls and what EC2 says to each (dry run):']),
    ...steps.flatMap((step) => stepLines(step, full)),
    ...(forecast === null ? [] : forecastLines(forecast)),
    'nothing was done',
  ].join('\n');
}
