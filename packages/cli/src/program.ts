import { harmlessText, KEY_ROOT, keyspace, type RecoveriesView, type StatusView } from '@understudy/shared';
import { type CoordinatorClient, coordinatorClient } from '@understudy/shared/node';
import { Command, InvalidArgumentError, Option } from 'commander';
import { keysText, readKeys } from './commands/inspect.ts';
import { chosenMembers, explainMember } from './commands/chosen-members.ts';
import { coordinatorUrls } from './coordinator-urls.ts';
import { HEALTH_EXIT, healthOf } from './health.ts';
import { addOperatorCommands } from './operator-program.ts';
import { readToken } from './operator-token.ts';
import { recoveriesText } from './views/recoveries-view.ts';
import { addKeys } from './keys-program.ts';
import { collect, type ProgramContext } from './program-context.ts';
import { EXIT } from './exit-codes.ts';
import { leftoversText } from './views/leftovers-view.ts';
import { complain, print, shownJson } from './terminal.ts';
import { explainText } from './views/explain-view.ts';
import { membersText } from './views/members-view.ts';
import { statusText } from './views/status-view.ts';
import { present } from './watch.ts';

interface ReadOptions {
  readonly url?: string[];
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly tokenFile?: string;
}

const HELP_STATUS_CODES = `
Exit codes: ${EXIT.ok} all is well · ${EXIT.underWay} something is going on, nobody is needed · ${EXIT.needsPerson} a hold or a problem: somebody is needed · ${EXIT.leaderless} nobody leads, or etcd does not answer · ${EXIT.unavailable} no coordinator answers`;

const HELP_EXIT_CODES = `
Exit codes: ${EXIT.ok} done · ${EXIT.failed} the answer is no (no such member) · ${EXIT.underWay}, ${EXIT.needsPerson}, ${EXIT.leaderless} see status --help · ${EXIT.usage} wrong usage · ${EXIT.unavailable} nobody answers · ${EXIT.software} a bug · ${EXIT.config} configuration refused`;

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('want a number above 0');
  return value;
}

const output = (options: ReadOptions) => ({ json: options.json === true, watch: options.watch === true });

/**
 * A client that says on standard error when another coordinator than the first answers, so that
 * standard output stays what was asked for.
 */
function clientOf(options: ReadOptions, environment: NodeJS.ProcessEnv): CoordinatorClient {
  return coordinatorClient(coordinatorUrls(options.url, environment), {
    token: readToken(options.tokenFile ?? environment.UNDERSTUDY_TOKEN_FILE),
    onFallback: (text) => complain(`understudy: ${harmlessText(text)}`),
  });
}

function readCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option(
      '--url <url>',
      'a coordinator, host:port or a URL; may be repeated or a list with commas, the next is asked when one does not answer (default: $UNDERSTUDY_URL, then http://127.0.0.1:8080)',
      collect,
    )
    .option(
      '--token-file <file>',
      "the operator's token, for what only operators see (default: $UNDERSTUDY_TOKEN_FILE)",
    )
    .option('--json', 'machine-readable output')
    .option('--watch', 'read again every second until interrupted');
}

function addReads(program: Command, { clock, environment }: ProgramContext): void {
  readCommand(
    program,
    'status',
    'what is wrong first; then what is going on, who leads, how many members are in which state',
  )
    .addHelpText('after', HELP_STATUS_CODES)
    .action(async (options: ReadOptions) => {
      const client = clientOf(options, environment);
      let last: StatusView | null = null;
      const read = async () => (last = await client.status());
      await present(clock, output(options), read, (status) => statusText(status, clock.wallMs()));
      if (last !== null) process.exitCode = HEALTH_EXIT[healthOf(last)];
    });
  readCommand(
    program,
    'recoveries',
    'open recoveries step by step: since when, which attempt, what keeps failing; then those that ended',
  ).action((options: ReadOptions) => {
    const client = clientOf(options, environment);
    const text = (all: RecoveriesView) => recoveriesText(all, clock.wallMs());
    return present(clock, output(options), () => client.recoveries(), text);
  });
  readCommand(
    program,
    'leftovers',
    'what ended recoveries still have to remove or to put in place, and what is in the way',
  ).action((options: ReadOptions) => {
    const client = clientOf(options, environment);
    return present(clock, output(options), () => client.leftovers(), leftoversText);
  });
  readCommand(program, 'members', 'every member: verdict, instance, why')
    .argument('[member]', 'only this one (group/name) or this group')
    .action((filter: string | undefined, options: ReadOptions) => {
      const client = clientOf(options, environment);
      const chosen = async () => chosenMembers(await client.membersView(), filter);
      return present(clock, output(options), chosen, (view) => membersText(view.members, view.notEnrolled));
    });
}

function addExplain(program: Command, { clock, environment }: ProgramContext): void {
  const about =
    'why a member is judged as it is: evidence with its age, every gate, what would flip it, the last changes';
  readCommand(program, 'explain', about)
    .argument('<member>', 'group/name')
    .action((text: string, options: ReadOptions) => {
      const client = clientOf(options, environment);
      return present(clock, output(options), () => explainMember(client, text), explainText);
    });
}

interface InspectOptions extends ReadOptions {
  readonly config?: string;
  readonly etcd?: string[];
  readonly root?: string;
}

function addInspect(program: Command, { clock, environment }: ProgramContext): void {
  readCommand(program, 'inspect', 'what stands in etcd, read directly')
    .argument(
      '[area]',
      'leader, coordinators, opinions, judgements, judge, findings, groups, members, activations, intents, journal, holds, requests, pauses, history; or a longer key',
      '',
    )
    .option(
      '--etcd <host>',
      'an etcd endpoint; may be repeated (default: $UNDERSTUDY_ETCD, then http://127.0.0.1:2379)',
      collect,
    )
    .option('--config <file>', "take etcd's hosts, TLS and user from a coordinator's configuration")
    .option('--root <prefix>', 'key root', KEY_ROOT)
    .action(async (area: string, options: InspectOptions) => {
      const { openStore } = await import('@understudy/coordinator');
      const hosts = options.etcd ?? environment.UNDERSTUDY_ETCD?.split(',') ?? ['http://127.0.0.1:2379'];
      const store = openStore(options.config === undefined ? { hosts } : { configPath: options.config });
      const root = keyspace(options.root ?? KEY_ROOT).root;
      try {
        await present(clock, output(options), () => readKeys(store, root, area), keysText);
      } finally {
        await store.close();
      }
    });
}

function addProcesses(program: Command): void {
  const config = new Option('--config <file>', 'YAML configuration').makeOptionMandatory();
  program
    .command('agent')
    .description('the process on each watched instance')
    .addOption(config)
    .option(
      '--imds <url>',
      'instance metadata endpoint (default: $AWS_EC2_METADATA_SERVICE_ENDPOINT, then the link-local address)',
    )
    .option('--exit-with-parent', 'stop in order when standard input closes')
    .action(async (options: { config: string; imds?: string; exitWithParent?: boolean }) => {
      const { runAgent } = await import('@understudy/agent/main');
      await runAgent({
        configPath: options.config,
        ...(options.imds === undefined ? {} : { imdsEndpoint: options.imds }),
      });
    });
  program
    .command('coordinator')
    .description('one of the equal coordinators: observes, judges, leads, recovers')
    .addOption(config)
    .action(async (options: { config: string }) => {
      const { runCoordinator } = await import('@understudy/coordinator/main');
      await runCoordinator({ configPath: options.config });
    });
  program
    .command('cloud-sim')
    .description('a local EC2 for rehearsals: Query protocol, IMDSv2, machines')
    .addOption(config)
    .action(async (options: { config: string }) => {
      const { runCloudSim } = await import('@understudy/cloud-sim/main');
      await runCloudSim({ configFile: options.config });
    });
}

interface IamPolicyCommandOptions {
  readonly json?: boolean;
  readonly partition: string;
  readonly passRole?: string[];
}

function addIamPolicy(program: Command): void {
  program
    .command('iam-policy')
    .description("the IAM policy a coordinator's role needs, from the table of the EC2 actions it calls")
    .option('--pass-role <arn>', "a role of a member's instance profile; may be repeated (default: any)", collect)
    .option('--partition <name>', 'aws, aws-cn or aws-us-gov', 'aws')
    .option('--json', 'the document without line breaks (it is JSON either way)')
    .action(async (options: IamPolicyCommandOptions) => {
      const { iamPolicyOf } = await import('@understudy/aws');
      const { partition, passRole, json } = options;
      const policy = iamPolicyOf({ partition, ...(passRole === undefined ? {} : { passRoles: passRole }) });
      print(shownJson(policy, json === true ? 0 : 2));
    });
}

interface DemoCommandOptions {
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly speed: number;
}

function addDemo(program: Command): void {
  program
    .command('demo')
    .description('three coordinators, a real etcd cluster and six agents: watch two failovers and one refusal')
    .option('--json', 'last line of standard output is one JSON object; the live view goes to standard error')
    .option(
      '--keep',
      'leave everything running at the end, until interrupted; says where the cloud is and how to break something',
    )
    .option('--speed <factor>', "the cloud's latencies are divided by this", positiveNumber, 10)
    .action(async (options: DemoCommandOptions) => {
      const { runDemo } = await import('./demo/demo.ts');
      process.exitCode = await runDemo({
        json: options.json === true,
        keep: options.keep === true,
        speed: options.speed,
      });
    });
}

/**
 * The whole command line. Actions throw, and `main.ts` turns errors into messages and exit codes.
 */
export function buildProgram(context: ProgramContext): Command {
  const program = new Command('understudy')
    .description('Replaces a failed stateful EC2 instance, with its data, its address and its name, exactly once.')
    .version('0.1.0')
    .exitOverride()
    .addHelpText('after', HELP_EXIT_CODES);
  addReads(program, context);
  addExplain(program, context);
  addInspect(program, context);
  addOperatorCommands(program, context);
  addProcesses(program);
  addIamPolicy(program);
  addKeys(program, context);
  addDemo(program);
  return program;
}
