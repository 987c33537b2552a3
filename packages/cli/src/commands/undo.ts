import type { CommandDefinition } from '../command-definition.ts';
import { parseDuration } from '../options/parsers.ts';
import { operatorCommand } from '../operator/operator-request.ts';

export const undo: CommandDefinition = operatorCommand('undo', {
  summary:
    'put the last recovery of a member back: its retired instance serves again, without what was written since (`understudy plan` says whether and until when)',
  more: (command) => {
    command.option(
      '--accept-loss <duration>',
      'writes of this long, up to now, may be lost, such as 20m; without it none may',
      parseDuration,
    );
  },
  examples: [
    {
      line: "understudy undo db/one --accept-loss 20m --reason 'it was the switch, not the machine'",
      what: 'the instance that was replaced is started, activated, and gets its addresses back',
    },
  ],
});
