import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TriedMutant, triedOf } from './report.ts';
import { ROOT, type Room } from './rooms.ts';
import { CACHE } from './tree.ts';

/** Texts for people, and patterns. A test that pins them down to the letter is worth little. */
const NOT_MUTATED = ['StringLiteral', 'Regex', 'ObjectLiteral'];
/** Added to one and a half times what the tests took without a mutant, in ms. */
const PATIENCE_MS = 20_000;

const NO_TESTS = ['**/*.integration.test.ts', '**/node_modules/**'];

const testFilesOf = (tree: string, { tests, slow = [] }: Room): readonly string[] =>
  tests
    .flatMap((glob) => globSync(glob, { cwd: tree, exclude: [...NO_TESTS, ...slow] }).sort())
    .map((file) => join(tree, file));

export interface StrykerOptions {
  readonly workers: number;
  /** Files, or \`file:from-to\` lines. */
  readonly mutate: readonly string[];
  /** Take over what an earlier run of this room found where neither code nor tests have changed. */
  readonly incremental: boolean;
}

const strykerConfig = (tree: string, room: Room, { workers, mutate, incremental }: StrykerOptions): object => ({
  testRunner: 'in-process',
  testRunnerNodeArgs: ['--conditions=source', '--disable-warning=ExperimentalWarning'],
  plugins: ['./test/mutants/in-process/plugin.ts', './test/mutants/ignore-words.mjs'],
  ignorers: ['words'],
  inProcess: { testFiles: testFilesOf(tree, room) },
  // The tree is a copy already.
  inPlace: true,
  mutate,
  mutator: { excludedMutations: NOT_MUTATED },
  coverageAnalysis: 'perTest',
  concurrency: workers,
  timeoutMS: PATIENCE_MS,
  disableTypeChecks: false,
  checkers: [],
  reporters: ['json'],
  jsonReporter: { fileName: reportOf(room) },
  incremental,
  incrementalFile: knownOf(room),
  allowConsoleColors: false,
});

const knownOf = (room: Room): string => join(CACHE, 'known', `${room.name}.json`);
const reportOf = (room: Room): string => join(CACHE, 'reports', `${room.name}.json`);

const BIN = join(ROOT, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js');

/**
 * Only kills of an earlier run are taken over. Survivors are tried again, whatever the tests have
 * become.
 */
function forgetSurvivors(known: string): void {
  if (!existsSync(known)) return;
  const report = JSON.parse(readFileSync(known, 'utf8')) as {
    files: Record<string, { mutants: { status: string }[] }>;
  };
  for (const file of Object.values(report.files))
    file.mutants = file.mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout');
  writeFileSync(known, JSON.stringify(report));
}

/**
 * Mutates files of one room in the copy and runs the room's tests against every mutant.
 * @throws when Stryker does not get through, with the end of its output.
 */
export async function mutateRoom(tree: string, room: Room, options: StrykerOptions): Promise<readonly TriedMutant[]> {
  for (const folder of ['known', 'reports']) mkdirSync(join(CACHE, folder), { recursive: true });
  forgetSurvivors(knownOf(room));
  const config = join(tree, `mutants-${room.name}.json`);
  writeFileSync(config, JSON.stringify(strykerConfig(tree, room, options)));
  const child = spawn(process.execPath, [BIN, 'run', config], { cwd: tree, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  writeFileSync(join(CACHE, 'reports', `${room.name}.log`), said);
  if (code !== 0) throw new Error(`Stryker ended with ${code} in ${room.name}: ${said.slice(-2_000)}`);
  // The report also has what earlier runs knew of other files.
  const asked = new Set(options.mutate.map((one) => one.replace(/:\d+-\d+$/, '')));
  return triedOf(JSON.parse(readFileSync(reportOf(room), 'utf8'))).filter(({ file }) => asked.has(file));
}
