import { type Command, InvalidArgumentError } from 'commander';
import { readKeyStatus, retirementAnswer } from './commands/key-status.ts';
import { agentKeyHex, generateMaster, masterFingerprint } from './commands/keys.ts';
import { coordinatorUrls } from './coordinator-urls.ts';
import { EXIT } from './exit-codes.ts';
import { collect, type ProgramContext } from './program-context.ts';
import { print, shownText } from './terminal.ts';
import { keysText } from './views/keys-view.ts';
import { present } from './watch.ts';

function keyId(text: string): number {
  const id = Number(text);
  if (Number.isInteger(id) && id >= 1 && id <= 255) return id;
  throw new InvalidArgumentError('want a key id, 1-255');
}

interface DeriveOptions {
  readonly master: string;
  readonly keyId: number;
  readonly next?: boolean;
}

function derive(member: string, { master, keyId: id, next }: DeriveOptions): void {
  const hex = agentKeyHex(master, id, member);
  print(shownText(next === true ? `${id} ${hex}` : hex));
}

const withMaster = (command: Command): Command =>
  command
    .requiredOption('--master <file>', 'master secret: 64 hex characters')
    .option('--key-id <id>', 'key id, 1-255', keyId, 1);

interface StatusOptions {
  readonly url?: string[];
  readonly json?: boolean;
  readonly retire?: number;
}

async function showStatus(context: ProgramContext, options: StatusOptions): Promise<void> {
  const status = await readKeyStatus(coordinatorUrls(options.url, context.environment));
  await present(context.clock, { json: options.json === true, watch: false }, async () => status, keysText);
  const isWell =
    options.retire === undefined ? status.problems.length === 0 : retirementAnswer(status, options.retire).safe;
  if (!isWell) process.exitCode = EXIT.failed;
}

/** `understudy keys …`: the heartbeat keys and their rotation (docs/key-rotation.md). */
export function addKeys(program: Command, context: ProgramContext): void {
  const keys = program.command('keys').description('heartbeat keys: make, derive, and see how far a rotation is');
  keys
    .command('generate')
    .description('write a new master secret (mode 0600); never overwrites')
    .argument('<file>', 'where to')
    .option('--key-id <id>', 'only for the fingerprint that is printed', keyId, 1)
    .action((file: string, options: { keyId: number }) => {
      generateMaster(file, context.random);
      print(shownText(`${file}: id ${options.keyId} has fingerprint ${masterFingerprint(file, options.keyId)}`));
    });
  withMaster(keys.command('derive'))
    .description("print one agent's heartbeat key, derived from the master secret")
    .argument('<member>', 'group/name')
    .option('--next', "as the agent's next.key wants it: id and key")
    .action(derive);
  withMaster(keys.command('fingerprint'))
    .description('print what `keys status` shows for this master secret')
    .action((options: DeriveOptions) => {
      print(shownText(masterFingerprint(options.master, options.keyId)));
    });
  keys
    .command('status')
    .description('which key ids the coordinators accept and the members use; what may be retired')
    .option(
      '--url <url>',
      'a coordinator; it names the others (default: $UNDERSTUDY_URL, then http://127.0.0.1:8080)',
      collect,
    )
    .option('--json', 'machine-readable output')
    .option(
      '--retire <id>',
      'exit code 0 only if this id may be retired now (without it: 0 unless something is wrong)',
      keyId,
    )
    .action((options: StatusOptions) => showStatus(context, options));
  withMaster(program.command('agent-key', { hidden: true }))
    .description('the older name of `keys derive`')
    .argument('<member>', 'group/name')
    .action(derive);
}
