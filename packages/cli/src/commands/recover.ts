import type { CommandDefinition } from '../command-definition.ts';
import { operatorCommand } from '../operator/operator-request.ts';

export const recover: CommandDefinition = operatorCommand('recover', {
  summary: 'begin a recovery of a member that we stopped, and whose recovery was abandoned or has no records left',
  examples: [
    { line: "understudy recover db/one --reason 'the disk is repaired'", what: 'as if it had just been found dead' },
  ],
});
