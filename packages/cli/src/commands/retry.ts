import type { CommandDefinition } from '../command-definition.ts';
import { operatorCommand } from '../operator/operator-request.ts';

export const retry: CommandDefinition = operatorCommand('retry', {
  summary: 'try a held recovery again at once, with all its tries',
  examples: [
    { line: "understudy retry db/one --reason 'the subnet has room again'", what: 'once the obstacle is gone' },
  ],
});
