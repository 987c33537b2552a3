import { type Command, Option } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';
import { type PrintedPolicyOptions, printedPolicy } from '../iam/printed-policy.ts';
import { collect } from '../program-context.ts';
import { complain, print, shownJson } from '../terminal.ts';

interface IamPolicyOptions extends PrintedPolicyOptions {
  readonly json?: boolean;
}

const PROCESS = '--process <name>';
const FORMAT = '--format <format>';

function addScope(command: Command): void {
  command
    .option('--partition <name>', 'aws, aws-cn or aws-us-gov', 'aws')
    .option('--region <name>', 'only there (default: every Region)')
    .option('--account <id>', 'only this account (default: any)')
    .option(
      '--group <name>',
      'a recovery group, as in the tag understudy:group; iam-policy: may be repeated, default every group',
      collect,
    )
    .option('--pass-role <arn>', "a role of a member's instance profile; may be repeated (default: none)", collect)
    .option('--kms-key <arn>', 'a key of volumes, or of a key that is stored; may be repeated (default: any)', collect)
    .option('--hosted-zone <id>', 'a zone whose records follow members; may be repeated (default: none)', collect)
    .option(
      '--target-group <arn>',
      'a target group in which members are registered; may be repeated, * at its end (default: none)',
      collect,
    )
    .option('--event-queue <arn>', 'a queue that events are read from; may be repeated (default: none)', collect)
    .option('--run-commands', 'hooks run on members through Systems Manager (docs/hooks.md)')
    .option('--agent-pings', 'explain tells when Systems Manager last heard an agent (docs/judging.md)')
    .option('--topic <arn>', 'a topic that is told of changes; may be repeated (default: none)', collect)
    .option('--event-bus <arn>', 'a bus that is told of changes; may be repeated (default: none)', collect)
    .option('--tagged-resources', 'touch only volumes and Elastic IP addresses tagged understudy:group');
}

export const iamPolicy: CommandDefinition = {
  name: 'iam-policy',
  summary: 'the least rights of a role, from the table of the AWS calls that are sent',
  kind: 'local-read',
  watch: false,
  examples: [
    { line: 'understudy iam-policy', what: 'of a coordinator, everywhere; JSON, --json leaves out the line breaks' },
    {
      line: 'understudy iam-policy --region eu-central-1 --account 123456789012 --group orders --pass-role arn:aws:iam::123456789012:role/orders-db',
      what: 'only there, only members of orders; only this role may be given to an instance',
    },
    {
      line: 'understudy iam-policy --process agent --region eu-central-1 --account 123456789012 --group orders --member db1',
      what: 'of an agent that reads its key from the parameter /understudy/keys/orders/db1',
    },
    { line: 'understudy iam-policy --format cloudformation', what: 'as a template with managed policies' },
  ],
  define: (command) => {
    addScope(command);
    command
      .addOption(new Option(PROCESS, 'whose role').choices(['coordinator', 'agent']).default('coordinator'))
      .addOption(new Option(FORMAT, 'how').choices(['json', 'cloudformation']).default('json'))
      .option('--part <number>', 'of several policies only this one', Number)
      .option('--member <name>', 'the member, with --group; iam-policy: for --process agent; simulate: as group/name')
      .option('--parameter <name>', 'the parameter a key is in; may be repeated (default, agent: its own)', collect)
      .option('--secret-name <name-or-arn>', 'the secret a key is in; may be repeated (default: none)', collect)
      .action((options: IamPolicyOptions) => {
        const { document, notes } = printedPolicy(options);
        print(shownJson(document, options.json === true ? 0 : 2));
        for (const note of notes) complain(`understudy: ${note}`);
      });
  },
};
