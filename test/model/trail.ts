import { execFileSync } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { definitionsOf, modelFile, search, type SearchBounds } from './search.ts';
import type { Configuration } from './configurations.ts';

/**
 * `proc 2 (Coordinator:1) model.pml:402 (state 2) [holder = me]` or, from `-g`, an indented `name =
 * value` of a global that changed.
 */
const STEP = /^\s*(\d+):\s*proc\s+(\d+) \((\w+):\d+\) [^:]+:(\d+) \(state \d+\)\s*\[(.*)\]/;

interface TrailLine {
  readonly step: string;
  readonly who: string;
  readonly line: number;
  readonly statement: string;
}

/** Process numbers: init 0, environment 1, coordinators from 2. */
const nameOf = (process: number, type: string): string =>
  type === 'Coordinator' ? `coordinator ${process - 2}` : type.toLowerCase();

function linesOf(output: string): TrailLine[] {
  return output.split('\n').flatMap((text) => {
    const [, step = '', process = '', type = '', line = '', statement = ''] = STEP.exec(text) ?? [];
    return step === '' ? [] : [{ step, who: nameOf(Number(process), type), line: Number(line), statement }];
  });
}

/**
 * Statements that only steer, or look something up. Their effect shows in what follows. An
 * assertion that held says nothing.
 */
const STEERS =
  /^(?:else|1|\(1\)|break|goto .*|\.\(goto\)|scan = .*|\(.*\bscan\b.*\)|reply = 0|\(+reply\b.*\)|assert\(.*\))$/;

/** One paragraph per actor's turn, and under it each statement, with the line of the model. */
export function readableTrail(output: string, label: (line: number) => string): string {
  let actor = '';
  return linesOf(output)
    .filter(({ statement }) => !STEERS.test(statement))
    .flatMap(({ who, line, statement }) => {
      const text = `    ${String(line).padStart(4)}  ${label(line).padEnd(18)} ${statement}`;
      if (who === actor) return [text];
      actor = who;
      return [who, text];
    })
    .join('\n');
}

/** The label that a line of the model stands under, which is the step of the recovery. */
function labels(model: string): (line: number) => string {
  const lines = model.split('\n');
  return (line) => {
    for (let index = line - 1; index >= 0; index -= 1) {
      const text = lines[index] ?? '';
      const label = /^(\w+):\s*$/.exec(text)?.[1] ?? /^(?:inline|proctype) (\w+)/.exec(text)?.[1];
      if (label !== undefined) return label;
    }
    return '';
  };
}

/**
 * Searches the configuration and tells its counterexample step by step. Says so when there is none.
 */
export async function trailOf(configuration: Configuration, bounds: SearchBounds): Promise<string> {
  let told = `${configuration.name}: no counterexample`;
  await search(configuration, bounds, async (folder, { report }) => {
    if (report.violated === null) return;
    const file = `${configuration.model}.pml`;
    await copyFile(modelFile(configuration), join(folder, file));
    const args = ['-t', '-p', ...definitionsOf(configuration), file];
    const output = execFileSync('spin', args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
    const label = labels(await readFile(modelFile(configuration), 'utf8'));
    told = `${readableTrail(output, label)}\nviolated: ${report.violated}`;
  });
  return told;
}
