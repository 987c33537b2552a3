import { type MemberId, UndoPreviewViewSchema } from '@understudy/shared';
import { ControlClient } from '../control/control-client.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { EndingTold, EXIT } from '../exit-codes.ts';
import { parseDuration } from '../options/parsers.ts';
import { operatorCommand, type OperatorOptions } from '../operator/operator-request.ts';
import type { ProgramContext } from '../program-context.ts';
import { print, shownJson, shownOf } from '../terminal.ts';
import { undoText } from '../views/undo-view.ts';

/** @throws EndingTold where the command would be refused */
async function look(context: ProgramContext, member: MemberId, options: OperatorOptions): Promise<void> {
  const { acceptLoss, opId, json, calls } = options;
  const query = new URLSearchParams({
    ...(acceptLoss === undefined ? {} : { acceptLossMs: String(acceptLoss) }),
    ...(opId === undefined ? {} : { opId }),
  });
  const asked = query.size === 0 ? '' : `?${query.toString()}`;
  const view = await new ControlClient(context, options).read(
    UndoPreviewViewSchema,
    `/v1/members/${member}/undo${asked}`,
  );
  print(json === true ? shownJson(view, 2) : shownOf(view, (shown) => undoText(shown, calls === true)));
  if (!view.wouldBegin) throw new EndingTold(EXIT.failed, 'it would be refused');
}

export const undo: CommandDefinition = operatorCommand('undo', {
  summary:
    'put the last recovery of a member back: its retired instance serves again, without what was written since (`--dry-run` says what it would do, or why not)',
  more: (command) => {
    command
      .option(
        '--accept-loss <duration>',
        'writes of this long, up to now, may be lost, such as 20m; without it none may',
        parseDuration,
      )
      .option('--dry-run', 'only show what would change')
      .option('--calls', 'with the parameters of each call');
  },
  look: (context, member, options) => (options.dryRun === true ? look(context, member, options) : null),
  examples: [
    {
      line: "understudy undo db/one --accept-loss 20m --reason 'it was the switch, not the machine'",
      what: 'the instance that was replaced is started, activated, and gets its addresses back',
    },
    {
      line: 'understudy undo db/one --accept-loss 20m --dry-run',
      what: 'says each step and call, what is lost, and until when; or why it would be refused',
    },
  ],
});
