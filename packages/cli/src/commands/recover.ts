import { LADDER_RUNGS } from '@understudy/shared';
import { Option } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';
import { collect } from '../program-context.ts';
import { operatorCommand } from '../operator/operator-request.ts';

export const recover: CommandDefinition = operatorCommand('recover', {
  summary:
    'begin a recovery of a member that is dead and held by a gate, or that we stopped and that waits for a person',
  more: (command) => {
    command
      .addOption(new Option('--strategy <way>', 'this way, whatever the ladder would take').choices(LADDER_RUNGS))
      .option('--override <gate>', 'this gate does not stop it, such as MassFailure; may be repeated', collect)
      .option('--plan <token>', 'only by the plan that `understudy plan` has shown under this token');
  },
  examples: [
    { line: "understudy recover db/one --reason 'the disk is repaired'", what: 'as if it had just been found dead' },
    {
      line: "understudy recover db/one --override MassFailure --reason 'the switch is back, this one is dead'",
      what: 'a member that is dead, and held by a gate that a person may override',
    },
  ],
});
