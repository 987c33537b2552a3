import { existsSync, writeFileSync } from 'node:fs';
import { errorText, OperationError } from '@understudy/shared';
import { InvalidArgumentError, type Command } from 'commander';
import type { CommandDefinition } from '../command-definition.ts';
import { consentTo } from '../consent.ts';
import { DOCTOR_EXIT } from '../doctor/doctor-exit.ts';
import { EXIT } from '../exit-codes.ts';
import { parseDuration } from '../options/parsers.ts';
import { collect, type ProgramContext } from '../program-context.ts';
import { complain, print, shownJson, shownOf } from '../terminal.ts';
import { type AccountOptions, accountCloud, accountRunOf } from '../verify-account/account-options.ts';
import { askAccount, type AccountRun, costOfRun, planAccount } from '../verify-account/ask-account.ts';
import { removeRun } from '../verify-account/removal.ts';
import { type AccountReport, reportMarkdown, worstOfReport } from '../verify-account/report.ts';
import { accountText } from '../views/account-view.ts';
import { standardOutput } from '../views/screen.ts';

function parseUsd(text: string): number {
  const usd = Number(text);
  if (text.trim() !== '' && Number.isFinite(usd) && usd >= 0) return usd;
  throw new InvalidArgumentError('want an amount in USD, such as 0.50');
}

function writeReport(file: string | undefined, report: AccountReport): void {
  if (file === undefined) return;
  try {
    // A report that is there already is somebody's.
    writeFileSync(file, reportMarkdown(report), { flag: 'wx' });
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `--report: ${errorText(cause)}`, { cause });
  }
  complain(`understudy: the report is in ${file}`);
}

async function asked(run: AccountRun, options: AccountOptions): Promise<AccountReport> {
  const again = `understudy verify-account --remove ${run.runId}`;
  const cost = `about ${costOfRun(run).toFixed(2)} USD, more where something hangs`;
  const reason = await consentTo(
    { text: `In ${run.region}, ${run.questions.length} questions make and remove things: ${cost}.` },
    options,
  );
  complain(`understudy: if this is interrupted, what is left goes with: ${again}`);
  return askAccount({ ...run, reason });
}

/** A run that was killed may have had a call under way. */
const QUIET_MS = 60_000;

async function remove(runId: string, options: AccountOptions, context: ProgramContext): Promise<void> {
  if (!/^[0-9a-f]{12}$/.test(runId))
    throw new OperationError('CONFIG_INVALID', '--remove: want the id of one run, 12 hex digits');
  const removal = await removeRun(await accountCloud(options, context), context.clock, runId, QUIET_MS);
  const lines = ({ removed, left }: typeof removal) =>
    [
      ...Object.entries(removed).map(([kind, count]) => `removed: ${count} × ${kind}`),
      ...left.map((one) => `left: ${one}`),
    ].join('\n') || 'nothing of that run is there';
  print(options.json === true ? shownJson(removal, 2) : shownOf(removal, lines));
  process.exitCode = removal.left.length === 0 ? EXIT.ok : EXIT.needsPerson;
}

async function verify(options: AccountOptions, context: ProgramContext): Promise<void> {
  if (options.remove !== undefined) return remove(options.remove, options, context);
  if (options.report !== undefined && existsSync(options.report))
    throw new OperationError('CONFIG_INVALID', `--report: ${options.report} is there already`);
  const cloud = await accountCloud(options, context);
  const run = accountRunOf(options, context, cloud, (text) => complain(`understudy: ${text}`));
  const report = options.run === true ? await asked(run, options) : await planAccount(run);
  writeReport(options.report, report);
  print(options.json === true ? shownJson(report, 2) : shownOf(report, (one) => accountText(one, standardOutput())));
  process.exitCode = DOCTOR_EXIT[worstOfReport(report)];
}

function addScene(command: Command): void {
  command
    .option('--aws-region <name>', 'where (default: AWS_REGION)')
    .option('--endpoint <url>', 'another EC2, such as cloud-sim')
    .option('--image <ami>', 'what instances are launched from: one of an operating system in use')
    .option('--subnet <subnet>', 'where they are launched')
    .option('--other-subnet <subnet>', 'in another zone, for the question that needs one')
    .option('--address <allocation>', 'an Elastic IP address that nobody uses, for the question that needs one')
    .option('--instance-type <type>', 'what is launched', 't3.micro')
    .option('--hour-price <usd>', 'what an hour of that type costs, where it is not known here', parseUsd);
}

export const verifyAccount: CommandDefinition = {
  name: 'verify-account',
  summary: 'asks a test account what only a real one can tell; by default dry, with the rights and the cost',
  kind: 'local-read',
  watch: false,
  exits: ['underWay', 'needsPerson'],
  examples: [
    {
      line: 'understudy verify-account --image ami-0123456789abcdef0 --subnet subnet-0123456789abcdef0',
      what: 'what would be asked, whether it is allowed, and what it costs; nothing is made',
    },
    {
      line: 'understudy verify-account --image ami-0123456789abcdef0 --subnet subnet-0123456789abcdef0 --run --yes --reason "first look" --report account.md',
      what: 'asks for real, removes all it has made, and writes a report for an issue',
    },
    { line: 'understudy verify-account --remove 0f1e2d3c4b5a', what: 'removes what a killed run has left' },
  ],
  define: (command, context) => {
    addScene(command);
    command
      .option('--only <question>', 'only this one; may be repeated', collect)
      .option('--patience <duration>', 'how long to wait where a question may take any time', parseDuration, 600_000)
      .option('--budget <usd>', 'refuse what may cost more', parseUsd, 0.5)
      .option('--run', 'ask for real: instances are launched, and paid for')
      .option('--reason <text>', 'why, for whoever reads the history')
      .option('--yes', 'do not ask: for scripts, and where there is no terminal; needs --reason')
      .option('--report <file>', 'write the report as Markdown, without an id or a message of the account')
      .option('--remove <run>', 'remove what an earlier run has left, and ask nothing')
      .action((options: AccountOptions) => verify(options, context));
  },
};
