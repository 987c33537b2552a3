import { readFileSync } from 'node:fs';
import { Command, type CommanderError, InvalidArgumentError, Option } from 'commander';
import { EVENTS, PLACES, PREPARED, WAYS, type World } from './cluster/world.ts';
import { FaultListSchema } from './faults/fault.ts';
import * as z from 'zod';
import { night } from './night.ts';
import { readRegression, specOf, writeRegression } from './regression.ts';
import { replayCommand } from './replay-command.ts';
import { failureOf, summaryOf } from './report.ts';
import { shrink } from './shrink.ts';
import { type RunResult, type RunSpec, simulate } from './simulation.ts';

const EXIT_VIOLATION = 1;
const EXIT_USAGE = 64;
const SHRINK_RUNS_MAX = 200;

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('want a number');
  return value;
};

interface RunFlags {
  readonly seed: number;
  readonly seeds: number;
  readonly days: number;
  readonly members: number;
  readonly coordinators: number;
  readonly serveLease?: true;
  readonly probes?: true;
  readonly ladder?: true;
  readonly encrypted?: true;
  readonly reattach?: true;
  readonly way?: World['way'];
  readonly shared?: true;
  readonly places?: World['places'];
  readonly prepare?: World['prepare'];
  readonly makes?: true;
  readonly events?: World['events'];
  readonly follows?: true;
  readonly enrols?: true;
  readonly inventory?: true;
  readonly commands?: true;
  readonly identities?: true;
  readonly faults?: string;
  readonly trace?: true;
  readonly json?: true;
  readonly shrink: boolean;
  readonly keep?: string;
}

/** A file of its own list per episode, or a kept regression. */
function specFrom(flags: RunFlags, seed: number): RunSpec {
  const { days, members, coordinators, faults, serveLease = false, probes = false, ladder = false } = flags;
  const { encrypted, reattach, identities, way, shared, places, prepare, makes } = flags;
  const { events, follows, enrols, inventory, commands } = flags;
  const shape = {
    ...{ seed, days, members, coordinators, serveLease, probes, ladder },
    ...(encrypted && { encrypted }),
    ...(reattach && { reattach }),
    ...(way && { way }),
    ...(shared && { shared }),
    ...(places && { places }),
    ...(prepare && { prepare }),
    ...(makes && { makes }),
    ...(events && { events }),
    ...(follows && { follows }),
    ...(enrols && { enrols }),
    ...(inventory && { inventory }),
    ...(commands && { commands }),
    ...(identities && { identities }),
  };
  if (faults === undefined) return shape;
  try {
    const content: unknown = JSON.parse(readFileSync(faults, 'utf8'));
    if (!Array.isArray(content)) return specOf(readRegression(faults));
    return { ...shape, faults: z.array(FaultListSchema).parse(content) };
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return program.error(`error: ${faults} is no list of faults: ${why}`, { exitCode: EXIT_USAGE });
  }
}

async function runOne(flags: RunFlags, seed: number): Promise<RunResult> {
  const before = process.cpuUsage();
  const print = flags.trace ? { print: (line: string) => process.stdout.write(`${line}\n`) } : {};
  const result = await simulate(specFrom(flags, seed), print);
  const { user, system } = process.cpuUsage(before);
  if (flags.json) process.stdout.write(`${JSON.stringify(asJson(result, (user + system) / 1_000))}\n`);
  else process.stdout.write(`${summaryOf(result, (user + system) / 1_000)}\n`);
  return result;
}

const asJson = (result: RunResult, cpuMs: number) => ({
  seed: result.spec.seed,
  traceHash: result.traceHash,
  simulatedMs: result.simulatedMs,
  cpuMs,
  eventCount: result.eventCount,
  recoveries: result.tally.recoveriesFinished,
  violations: result.violations,
});

async function explain(flags: RunFlags, result: RunResult): Promise<void> {
  const [first] = result.violations;
  if (!first) return;
  process.stdout.write(`\n${failureOf(result)}\n`);
  if (!flags.shrink) return;
  process.stdout.write('\nshrinking …\n');
  const onStep = (text: string) => process.stdout.write(`  ${text}\n`);
  const { result: smallest, runs } = await shrink(result, first.invariant, { runsMax: SHRINK_RUNS_MAX, onStep });
  const file = flags.keep ?? `.cache/sim/seed-${result.spec.seed}.json`;
  writeRegression(file, first.invariant, `Found with seed ${result.spec.seed}: ${first.text}`, smallest.spec);
  process.stdout.write(`\nsmallest after ${runs} runs, kept in ${file}:\n${failureOf(smallest)}\n`);
  process.stdout.write(`again: ${replayCommand(smallest.spec, file)}\n`);
}

async function run(flags: RunFlags): Promise<void> {
  for (let seed = flags.seed; seed < flags.seed + flags.seeds; seed += 1) {
    const result = await runOne(flags, seed);
    if (result.violations.length === 0) continue;
    process.exitCode = EXIT_VIOLATION;
    await explain(flags, result);
    return;
  }
}

const program = new Command('sim').description(
  'The production code of agents, observers, leadership and engine in a simulated cluster that breaks. Exit code 1: an invariant was broken.',
);
program
  .command('run', { isDefault: true })
  .description('one seed, or several one after the other, until an invariant breaks')
  .option('--seed <n>', 'what decides everything', number, 1)
  .option('--seeds <n>', 'this many seeds from there on', number, 1)
  .option('--days <d>', 'simulated time, at least one episode of about 40 min', number, 0.02)
  .option('--members <n>', 'watched members', number, 12)
  .option('--coordinators <n>', 'coordinators', number, 3)
  .option('--probes', 'the group has a service probe')
  .option('--ladder', 'the group has the default ladder')
  .option('--encrypted', 'also with --faults: the data volumes of members are encrypted')
  .option(
    '--identities',
    'also with --faults: members have records, groups and further addresses, and the group has hooks',
  )
  .option('--reattach', 'the disks of members move to their replacements where they can')
  .addOption(new Option('--way <way>', 'how members come back; default: as the seed has it').choices(WAYS))
  .option('--shared', 'some members share a volume with somebody, also where that is not the way')
  .addOption(new Option('--places <order>', 'further zones and types').choices(PLACES))
  .addOption(new Option('--prepare <what>', 'what is read while a member is suspect').choices(PREPARED))
  .addOption(new Option('--events <how>', 'how events of EC2 come').choices(EVENTS))
  .option('--makes', 'something is made at EC2 while a member is suspect')
  .option('--enrols', 'every second member comes without a key, and gets it for the identity of its instance')
  .option('--follows', 'the primary private address follows: predecessors end before their successors run')
  .option('--commands', 'with --identities: some hooks run on instances')
  .option('--inventory', 'the coordinators keep an inventory history')
  .option('--serve-lease', 'the members keep serve leases, and the policy counts on them')
  .option('--faults <file>', 'these faults instead of what the seed gives: a list per episode, or a kept regression')
  .option('--trace', 'every line of the trace')
  .option('--json', 'one JSON line per run')
  .option('--no-shrink', 'do not look for a smaller run that breaks the same')
  .option('--keep <file>', 'where the smaller run goes')
  .action(run);
program
  .command('night')
  .description(
    'seed after seed on all processors until told to stop (Ctrl-C, SIGTERM) or until --minutes are over; writes a report',
  )
  .option('--seed <n>', 'first seed', number, 1_000)
  .option('--days <d>', 'simulated time per seed', number, 0.1)
  .option('--members <n>', 'watched members', number, 12)
  .option('--workers <n>', 'processes; default: one per processor', number)
  .option('--minutes <m>', 'real time; default: until told', number)
  .option('--report <file>', 'where the report goes', '.cache/sim/night.md')
  .action(async (flags) => {
    process.exitCode = await night(flags);
  });

// A wrong word must not look like a broken invariant.
const leave = (error: CommanderError): never => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE);
for (const command of [program, ...program.commands]) command.exitOverride(leave);
await program.parseAsync();
