import type { CommandDefinition } from '../command-definition.ts';
import { collect } from '../program-context.ts';
import { print, shownJson } from '../terminal.ts';

interface IamPolicyOptions {
  readonly json?: boolean;
  readonly partition: string;
  readonly passRole?: string[];
}

export const iamPolicy: CommandDefinition = {
  name: 'iam-policy',
  summary: "the IAM policy a coordinator's role needs, from the table of the EC2 actions it calls",
  kind: 'local-read',
  watch: false,
  examples: [
    { line: 'understudy iam-policy', what: 'JSON; --json leaves out the line breaks' },
    {
      line: 'understudy iam-policy --pass-role arn:aws:iam::123456789012:role/database',
      what: 'only this role may be given to an instance',
    },
  ],
  define: (command) => {
    command
      .option('--pass-role <arn>', "a role of a member's instance profile; may be repeated (default: any)", collect)
      .option('--partition <name>', 'aws, aws-cn or aws-us-gov', 'aws')
      .action(async (options: IamPolicyOptions) => {
        const { iamPolicyOf } = await import('@understudy/aws');
        const { partition, passRole, json } = options;
        const policy = iamPolicyOf({ partition, ...(passRole === undefined ? {} : { passRoles: passRole }) });
        print(shownJson(policy, json === true ? 0 : 2));
      });
  },
};
