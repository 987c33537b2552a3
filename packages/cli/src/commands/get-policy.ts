import { OperationError, PoliciesViewSchema, type PolicyView } from '@understudy/shared';
import { ControlClient } from '../control/control-client.ts';
import { policyText } from '../control/policy-files.ts';
import type { CommandDefinition } from '../command-definition.ts';
import { outputOf, type ReadOptions } from '../options/output-options.ts';
import { present } from '../watch.ts';

export const getPolicy: CommandDefinition = {
  name: 'get policy',
  summary: 'the policy of a group, or of all, as YAML that `apply` takes back; what is default stands in comments',
  kind: 'read',
  examples: [{ line: 'understudy get policy db', what: 'edit what it prints, then apply it' }],
  define: (command, context) => {
    command.argument('[group]', 'only this one').action((group: string | undefined, options: ReadOptions) => {
      const client = new ControlClient(context, options);
      const read = async (): Promise<readonly PolicyView[]> => {
        const { policies } = await client.read(PoliciesViewSchema, '/v1/policies');
        const found = policies.filter((one) => group === undefined || one.group === group);
        if (group === undefined || found.length > 0) return found;
        throw new OperationError('REQUEST_REFUSED', `no group ${group} has a member, or a policy of its own`);
      };
      return present(context.clock, outputOf(options), read, (all) => all.map(policyText).join('\n---\n'));
    });
  },
};
