import type { CommandDefinition } from '../command-definition.ts';
import { operatorCommand } from '../operator/operator-request.ts';

export const replan: CommandDefinition = operatorCommand('replan', {
  summary:
    'make the plan of an open recovery again, from the policy of now, under the same proven fence; nothing of the old plan stays launched',
  examples: [
    { line: "understudy replan db/one --reason 'policy names another subnet'", what: 'after the policy was corrected' },
  ],
});
