import { writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { EQUIVALENTS } from './equivalents.ts';
import { NAMED_MUTANTS } from './named/index.ts';
import type { TriedMutant } from './report.ts';
import { ROOMS, ROOT, type Scope, scopeOf, sourcesOf } from './rooms.ts';
import { rulesOf } from './rules.ts';
import { tryNamed } from './run-named.ts';
import { sampled } from './sample.ts';
import { type Score, scoreOf, staleEquivalents } from './score.ts';
import { mutateRoom } from './stryker.ts';
import { freshTree } from './tree.ts';

const EXIT_TOO_FEW = 1;
const EXIT_USAGE = 64;

const natural = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('want a whole number');
  return value;
};
const listed = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

interface Flags {
  readonly rule: readonly string[];
  readonly room: readonly string[];
  readonly file: readonly string[];
  readonly sample?: number;
  readonly seed: number;
  readonly workers: number;
  readonly threshold: number;
  readonly json?: string;
  readonly named: boolean;
  readonly generated: boolean;
  readonly again: boolean;
  readonly equivalents?: true;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Found {
  readonly rooms: Record<string, Score>;
  readonly named: { readonly name: string; readonly rule: string; readonly outcome: string }[];
  readonly problems: string[];
}

/** Files chosen by rule, room and name. Without any of them, all of the safety core. */
function chosenFiles(flags: Flags, problems: string[]): readonly string[] {
  const rules = rulesOf();
  const files = new Set<string>();
  for (const rule of flags.rule) {
    const own = rules.get(rule);
    if (!own) problems.push(`docs/SPEC.md has no rule ${rule}; it has ${[...rules.keys()].join(', ')}`);
    for (const file of own ?? []) files.add(file);
  }
  for (const name of flags.room) {
    const room = ROOMS.find((one) => one.name === name);
    if (!room) problems.push(`there is no room ${name}; there are ${ROOMS.map((one) => one.name).join(', ')}`);
    for (const file of sourcesOf(room?.files ?? [])) files.add(file);
  }
  for (const file of flags.file) files.add(relative(ROOT, resolve(file)));
  if (flags.rule.length + flags.room.length + flags.file.length === 0)
    for (const room of ROOMS) for (const file of sourcesOf(room.files)) files.add(file);
  return [...files];
}

async function named(flags: Flags, found: Found): Promise<void> {
  const wanted = NAMED_MUTANTS.filter((one) => flags.rule.length === 0 || flags.rule.includes(one.rule));
  say(`${wanted.length} named mutants`);
  for (const mutant of wanted) {
    const outcome = await tryNamed(mutant);
    found.named.push({ name: mutant.name, rule: mutant.rule, outcome: outcome.kind });
    if (outcome.kind === 'killed') continue;
    const text = outcome.kind === 'void' ? outcome.text : `no test fails: ${mutant.story}`;
    found.problems.push(`${mutant.rule} ${mutant.name}: ${text}`);
    say(`  ${outcome.kind.toUpperCase()} ${mutant.rule} ${mutant.name}: ${text}`);
  }
}

const survivorText = ({ file, line, mutator, original, replacement, outcome }: TriedMutant): string =>
  `  ${outcome} ${file}:${line} ${mutator}: ${original.slice(0, 90)} → ${replacement.slice(0, 90) || '(removed)'}`;

function tell(name: string, score: Score): void {
  const parts = [`${score.killed} of ${score.counted} killed`, `${score.equivalents} equivalent`, `${score.void} void`];
  say(`${name}: ${score.percent.toFixed(1)} % (${parts.join(', ')})`);
  for (const survivor of score.survivors) say(survivorText(survivor));
}

async function generated(flags: Flags, files: readonly string[], found: Found): Promise<void> {
  const { scope, homeless } = scopeOf(files);
  for (const file of homeless)
    say(`${file}: in no room (test/mutants/rooms.ts): no tests are known for it, not mutated`);
  const mutated: Scope = flags.sample === undefined ? scope : sampled(scope, flags.sample, flags.seed);
  if (mutated.size === 0) return;
  const tree = freshTree();
  const all: TriedMutant[] = [];
  for (const [room, mutate] of mutated) {
    const incremental = flags.sample === undefined && !flags.again;
    const tried = await mutateRoom(tree, room, { workers: flags.workers, mutate, incremental });
    all.push(...tried);
    found.rooms[room.name] = scoreOf(tried, EQUIVALENTS);
    tell(room.name, scoreOf(tried, EQUIVALENTS));
  }
  const total = scoreOf(all, EQUIVALENTS);
  say(`all: ${total.percent.toFixed(1)} % (${total.killed} of ${total.counted} killed)`);
  if (total.percent < flags.threshold)
    found.problems.push(`score ${total.percent.toFixed(1)} %, want ${flags.threshold} %`);
  if (flags.sample === undefined)
    for (const one of staleEquivalents(all, EQUIVALENTS))
      found.problems.push(`listed as equivalent, but no mutant fits any more: ${one.file}: ${one.on}`);
}

async function run(flags: Flags): Promise<void> {
  if (flags.equivalents) {
    for (const { file, on, replacement, why } of EQUIVALENTS)
      say(`${file}: ${on} → ${replacement ?? 'anything'}\n    ${why}`);
    return;
  }
  const found: Found = { rooms: {}, named: [], problems: [] };
  const files = chosenFiles(flags, found.problems);
  if (flags.named && flags.file.length + flags.room.length === 0) await named(flags, found);
  if (flags.generated) await generated(flags, files, found);
  if (flags.json !== undefined) writeFileSync(flags.json, JSON.stringify(found, null, 2));
  for (const problem of found.problems) say(`PROBLEM ${problem}`);
  if (found.problems.length > 0) process.exitCode = EXIT_TOO_FEW;
}

const program = new Command('mutants')
  .description('breaks the safety core on purpose and sees whether a test notices (docs/mutation.md)')
  .option('--rule <S>', 'files that enforce this rule of docs/SPEC.md, and its named mutants; repeatable', listed, [])
  .option('--room <name>', `one of ${ROOMS.map((one) => one.name).join(', ')}; repeatable`, listed, [])
  .option('--file <path>', 'this file; repeatable', listed, [])
  .option('--sample <count>', 'only so many stretches of twelve lines', natural)
  .option('--seed <number>', 'which stretches', natural, 1)
  .option('--workers <count>', 'mutants tried at once', natural, 1)
  .option('--threshold <percent>', 'exit 1 below this score', natural, 95)
  .option('--json <file>', 'write scores and survivors there')
  .option('--no-named', 'leave out the named mutants')
  .option('--no-generated', 'leave out what Stryker generates')
  .option('--again', 'try what an earlier run knows, too', false)
  .option('--equivalents', 'show the mutants that count as equivalent, with their argument')
  .exitOverride()
  .action(run);

program
  .command('night')
  .description('all named mutants, and a sample by the day')
  .action(async () => {
    const seed = Math.floor(Date.now() / 86_400_000);
    say(`seed ${seed}: npm run mutants -- --sample 60 --seed ${seed}`);
    const flags = program.opts<Flags>();
    await run({ ...flags, sample: flags.sample ?? 60, seed: flags.seed === 1 ? seed : flags.seed });
  });

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
}
