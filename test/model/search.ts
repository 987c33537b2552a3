import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Configuration } from './configurations.ts';
import { type Found, judge, type PanReport, readPanReport } from './pan-report.ts';

const MODELS = fileURLToPath(new URL('../../model/', import.meta.url));
/** Limit for translating and compiling, in ms. */
const BUILD_LIMIT_MS = 120_000;
const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

export interface SearchBounds {
  /** Limit of one search. One that takes longer is incomplete. */
  readonly limitMs: number;
  readonly memoryMiB: number;
}

/** For the configurations of the tests, on a slow and busy machine. */
export const TEST_BOUNDS: SearchBounds = { limitMs: 600_000, memoryMiB: 2_000 };
export const DEEP_BOUNDS: SearchBounds = { limitMs: 3_600_000, memoryMiB: 12_000 };

export interface SearchResult {
  readonly configuration: Configuration;
  readonly report: PanReport;
  readonly found: Found;
  /** Wall time of the search alone. */
  readonly seconds: number;
}

export const agrees = ({ configuration, found }: SearchResult): boolean => found.kind === configuration.expected;

/**
 * Searches one configuration. `use` may look at the folder (trail, generated source) before it is
 * removed.
 */
export async function search(
  configuration: Configuration,
  bounds: SearchBounds,
  use: (folder: string, result: SearchResult) => Promise<void> = async () => {},
): Promise<SearchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-model-'));
  try {
    await build(configuration, bounds, folder);
    const startedAtMs = performance.now();
    const report = readPanReport(await runPan(configuration, bounds, folder));
    const seconds = (performance.now() - startedAtMs) / 1_000;
    const result = { configuration, report, found: judge(configuration, report), seconds };
    await use(folder, result);
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const modelFile = ({ model }: Configuration): string => join(MODELS, `${model}.pml`);

export const definitionsOf = ({ switches, properties }: Configuration): readonly string[] =>
  [...switches, ...properties].map((one) => `-D${one}`);

/**
 * A counterexample is searched breadth first, because the shortest one is the one to read. A proof
 * is searched depth first, which needs less memory.
 */
async function build(configuration: Configuration, { memoryMiB }: SearchBounds, folder: string): Promise<void> {
  const way = configuration.expected === 'holds' ? ['-O2', '-DNOFAIR'] : ['-O1', '-DBFS'];
  await succeed('spin', [...definitionsOf(configuration), '-a', modelFile(configuration)], folder);
  await succeed('gcc', ['-w', '-DSAFETY', `-DMEMLIM=${memoryMiB}`, ...way, '-o', 'pan', 'pan.c'], folder);
}

async function succeed(command: string, args: readonly string[], folder: string): Promise<void> {
  const { output, failure } = await outputOf(command, args, folder, BUILD_LIMIT_MS);
  if (failure !== null) throw new Error(`${command} ${args.join(' ')}: ${failure}\n${output}`);
}

/**
 * `-E`: a coordinator with nothing to do, and a model at its bounds, are no deadlocks. `-m`: deeper
 * than any of them gets. `-w`: hash slots, log 2.
 */
async function runPan(configuration: Configuration, { limitMs }: SearchBounds, folder: string): Promise<string> {
  const flags = configuration.expected === 'holds' ? ['-E', '-m1000000', '-w24'] : ['-E'];
  const { output, failure } = await outputOf(join(folder, 'pan'), flags, folder, limitMs);
  return failure === null ? output : `${output}\nSearch not completed: ${failure}`;
}

function outputOf(
  command: string,
  args: readonly string[],
  cwd: string,
  timeout: number,
): Promise<{ output: string; failure: string | null }> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd, timeout, maxBuffer: OUTPUT_MAX_BYTES }, (error, stdout, stderr) => {
      resolve({ output: `${stdout}${stderr}`, failure: error === null ? null : (error.message.split('\n')[0] ?? '') });
    });
  });
}
