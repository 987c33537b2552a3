import type { CommandDefinition } from '../command-definition.ts';
import { operatorCommand } from '../operator/operator-request.ts';

export const abandon: CommandDefinition = operatorCommand('abandon', {
  summary: 'end an open recovery without a replacement; the history says in what state everything was left',
  examples: [
    { line: "understudy abandon db/one --reason 'rebuilt by hand'", what: 'what it launched is ended first' },
    {
      line: "understudy abandon db/one --leave-open --reason 'looked at by hand'",
      what: 'a launch attempt is named and left as it is',
    },
  ],
  more: (command) => {
    command.option('--leave-open', 'leave a launch attempt as it is and name it, instead of ending it first');
  },
});
