import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { Command, type CommanderError, InvalidArgumentError, Option } from 'commander';
import * as z from 'zod';
import { replay, type Side, SIDES, Tally } from './episode.ts';
import { readFixture, stepsOf } from './fixture.ts';
import { explain, fuzz, memoryFault, type RunOptions, tallyText } from './run.ts';

const EXIT_BROKEN = 1;
const EXIT_USAGE = 64;

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('want a whole number');
  return value;
};

interface Flags {
  readonly side: Side | 'both';
  readonly seed: number;
  readonly datagrams: number;
  readonly perEpisode: number;
  readonly episode?: number;
  readonly keep: string;
  readonly memory: number;
  readonly shrink: boolean;
  readonly json?: true;
  readonly workers?: number;
  readonly replay?: string;
}

const optionsOf = ({ side, seed, datagrams, perEpisode, episode }: Flags): RunOptions => ({
  sides: side === 'both' ? SIDES : [side],
  seed,
  datagrams,
  perEpisode,
  ...(episode === undefined ? {} : { episode }),
});

const TallySchema = z.strictObject({
  thrown: z.record(z.string(), z.number()),
  outcomes: z.record(z.string(), z.number()),
  datagrams: z.number(),
  failure: z.string().nullable(),
});

/** Null: nothing broke. */
async function run(flags: Flags, tally: Tally): Promise<string | null> {
  const options = optionsOf(flags);
  const failure = await fuzz(options, tally);
  if (failure) return explain(failure, flags.shrink ? flags.keep : null);
  if (flags.episode !== undefined || flags.memory === 0) return null;
  for (const side of options.sides) {
    const fault = await memoryFault(side, flags.seed, flags.memory);
    if (fault !== null) return fault;
  }
  return null;
}

function finish(failure: string | null, tally: Tally, startedAtMs: number): void {
  process.stdout.write(`${tallyText(tally, (performance.now() - startedAtMs) / 1_000)}\n`);
  process.stdout.write(failure === null ? 'nothing broke\n' : `${failure}\n`);
  process.exitCode = failure === null ? 0 : EXIT_BROKEN;
}

/** Runs a kept list of datagrams again. */
async function again(file: string): Promise<void> {
  const fixture = readFixture(file);
  const finding = await replay(fixture.side, fixture.nonce, stepsOf(fixture));
  process.stdout.write(finding ? `BROKEN ${finding.invariant}: ${finding.text}\n` : 'nothing broke\n');
  process.exitCode = finding ? EXIT_BROKEN : 0;
}

async function alone(flags: Flags): Promise<void> {
  if (flags.replay !== undefined) return again(flags.replay);
  const startedAtMs = performance.now();
  const tally = new Tally();
  const failure = await run(flags, tally);
  if (!flags.json) return finish(failure, tally, startedAtMs);
  const { thrown, outcomes, datagrams } = tally;
  const plain = { thrown: Object.fromEntries(thrown), outcomes: Object.fromEntries(outcomes), datagrams, failure };
  process.stdout.write(`${JSON.stringify(plain)}\n`);
}

/** Runs a share of the night in a process of its own, with a seed of its own. */
async function worker(flags: Flags, index: number, count: number): Promise<z.infer<typeof TallySchema>> {
  const { side, seed, datagrams, perEpisode, keep } = flags;
  const share = ['--side', side, '--seed', seed + index, '--datagrams', Math.ceil(datagrams / count), '--json'];
  const args = [...process.execArgv, import.meta.filename, ...share, '--per-episode', perEpisode, '--keep', keep];
  const child = spawn(process.execPath, args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const output = await text(child.stdout);
  const code = await ended;
  if (output === '') throw new Error(`the worker of seed ${seed + index} ended with ${code} and without a word`);
  return TallySchema.parse(JSON.parse(output));
}

async function night(flags: Flags): Promise<void> {
  const startedAtMs = performance.now();
  const count = flags.workers ?? availableParallelism();
  const shares = await Promise.all(Array.from({ length: count }, (_, index) => worker(flags, index, count)));
  const tally = new Tally();
  for (const { thrown, outcomes, datagrams } of shares) {
    tally.datagrams += datagrams;
    for (const [name, times] of Object.entries(thrown)) tally.add(tally.thrown, name, times);
    for (const [name, times] of Object.entries(outcomes)) tally.add(tally.outcomes, name, times);
  }
  const failures = shares.flatMap(({ failure }) => failure ?? []);
  finish(failures.length > 0 ? failures.join('\n\n') : null, tally, startedAtMs);
}

const program = new Command('fuzz').description(
  'Hostile datagrams against the coordinator’s receiving side and a whole agent, each with an oracle beside it. Exit code 1: something broke.',
);
for (const [name, datagrams, action] of [
  ['run', 200_000, alone],
  ['night', 10_000_000, night],
] as const) {
  const command = program
    .command(name, { isDefault: name === 'run' })
    .addOption(new Option('--side <side>', 'who is under fire').choices([...SIDES, 'both']).default('both'))
    .option('--seed <n>', 'what decides everything', number, 1)
    .option('--datagrams <n>', 'in all', number, datagrams)
    .option('--per-episode <n>', 'against one process before a new one begins', number, 2_000)
    .option('--memory <n>', 'live memory after so many datagrams and after ten times as many; 0: not', number, 20_000)
    .option('--keep <folder>', 'where what broke something goes', '.cache/fuzz')
    .option('--no-shrink', 'do not look for the smallest list of datagrams')
    .action(action);
  if (name === 'night') command.option('--workers <n>', 'processes; default: one per processor', number);
  else
    command
      .option('--episode <n>', 'only this one', number)
      .option('--replay <file>', 'only this kept list of datagrams')
      .option('--json', 'one line of JSON');
}

// A wrong argument must not look like a broken invariant.
const leave = (error: CommanderError): never => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
for (const command of [program, ...program.commands]) command.exitOverride(leave);
await program.parseAsync();
