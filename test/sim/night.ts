import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Coverage } from './faults/coverage.ts';
import { replayCommand } from './replay-command.ts';
import { NightMessageSchema, type NightRun } from './night-message.ts';

export interface NightOptions {
  readonly seed: number;
  readonly days: number;
  readonly members: number;
  readonly workers?: number;
  readonly minutes?: number;
  readonly report: string;
}

const YEAR_MS = 365.25 * 86_400_000;
const WRITE_EVERY_RUNS = 10;
const RUNS_PER_PROCESS = 20;

/** Everything a night has found so far. */
class Findings {
  readonly coverage = new Coverage();
  readonly broken: NightRun[] = [];
  /** Processes that ended by themselves: as bad as a broken invariant. */
  readonly crashed: string[] = [];
  readonly #options: NightOptions;
  readonly #startedAt = new Date();
  runs = 0;
  simulatedMs = 0;
  cpuMs = 0;
  recoveries = 0;
  readonly #did = new Map<string, number>();
  faults = 0;

  constructor(options: NightOptions) {
    this.#options = options;
  }

  add(run: NightRun): void {
    this.runs += 1;
    this.simulatedMs += run.simulatedMs;
    this.cpuMs += run.cpuMs;
    this.recoveries += run.recoveries;
    for (const [what, n] of Object.entries(run.did)) this.#did.set(what, (this.#did.get(what) ?? 0) + n);
    this.faults += run.faults;
    this.coverage.mergeCells(run.cells);
    if (run.violations.length > 0) this.broken.push(run);
  }

  get emptyCells(): readonly string[] {
    return this.coverage.empty().map(({ kind, stage }) => `${kind} at ${stage}`);
  }

  text(): string {
    const { days, members } = this.#options;
    const broken = this.broken.flatMap((run) => [
      `- seed ${run.seed}: ${run.violations.map(({ invariant, text }) => `**${invariant}** ${text}`).join('; ')}`,
      `  \`${replayCommand({ seed: run.seed, days, members, coordinators: 3 })}\``,
    ]);
    const empty = this.emptyCells;
    return [
      `# Simulated night, ${this.#startedAt.toISOString()} to ${new Date().toISOString()}`,
      '',
      `${this.runs} runs of ${days} days with ${members} members: ${(this.simulatedMs / YEAR_MS).toFixed(3)} simulated years, ${Math.round(this.simulatedMs / Math.max(1, this.cpuMs))} × processor time.`,
      `${this.faults} faults happened, ${this.recoveries} recoveries finished, ${this.broken.length} runs broke an invariant.`,
      '',
      '## Broken',
      '',
      ...(broken.length > 0 || this.crashed.length > 0 ? broken : ['Nothing.']),
      ...this.crashed.map((what) => `- crashed: ${what}`),
      '',
      '## What recoveries did',
      '',
      ...[...this.#did].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([what, n]) => `- ${what}: ${n}`),
      '',
      '## Fault × stage',
      '',
      empty.length === 0 ? 'Every cell was reached.' : `Never reached (${empty.length}): ${empty.join(', ')}.`,
      '',
      '```',
      this.coverage.table(),
      '```',
      '',
    ].join('\n');
  }
}

/** Exit code: 0 clean, 1 an invariant was broken, 2 a cell of the coverage table stayed empty. */
export async function night(options: NightOptions): Promise<number> {
  const findings = new Findings(options);
  mkdirSync(dirname(options.report), { recursive: true });
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const timer = options.minutes === undefined ? null : setTimeout(stop, options.minutes * 60_000);
  const count = options.workers ?? availableParallelism();
  await Promise.all(
    Array.from({ length: count }, (_, index) => worker(options, index, count, findings, stopping.signal)),
  );
  if (timer) clearTimeout(timer);
  writeFileSync(options.report, findings.text());
  process.stdout.write(`${findings.text()}\nreport: ${options.report}\n`);
  return findings.broken.length > 0 || findings.crashed.length > 0 ? 1 : findings.emptyCells.length > 0 ? 2 : 0;
}

/**
 * Every `count`-th seed, in one process after the other: what a finished cluster leaves behind
 * (signals with listeners live for ever) goes with its process.
 */
async function worker(
  options: NightOptions,
  index: number,
  count: number,
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  const stride = count * RUNS_PER_PROCESS;
  for (let first = options.seed + index; !signal.aborted; first += stride)
    await portion(options, { first, step: count }, findings, signal);
}

async function portion(
  options: NightOptions,
  { first, step }: { readonly first: number; readonly step: number },
  findings: Findings,
  signal: AbortSignal,
): Promise<void> {
  const args = [first, step, RUNS_PER_PROCESS, options.days, options.members].map(String);
  const child = spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, 'night-worker.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  for await (const line of createInterface({ input: child.stdout })) {
    const run = NightMessageSchema.parse(JSON.parse(line));
    findings.add(run);
    const mark = run.violations.length > 0 ? ` BROKE ${run.violations.map((one) => one.invariant).join(', ')}` : '';
    process.stdout.write(
      `seed ${run.seed}: ${(run.simulatedMs / 3_600_000).toFixed(1)} h, ${run.recoveries} recoveries${mark}\n`,
    );
    if (findings.runs % WRITE_EVERY_RUNS === 0) writeFileSync(options.report, findings.text());
  }
  if ((await ended) !== 0 && !signal.aborted) findings.crashed.push(`the process of seeds ${first} and on`);
  signal.removeEventListener('abort', stop);
}
