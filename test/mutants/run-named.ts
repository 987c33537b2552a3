import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { applied, type Edit } from './edits.ts';
import { ROOT } from './rooms.ts';

/**
 * A rule broken on purpose in one place, or in several that cover each other, and the tests that
 * have to fail then.
 */
export interface NamedMutant {
  readonly name: string;
  /** The rule of docs/SPEC.md that is broken. */
  readonly rule: string;
  readonly story: string;
  readonly edits: readonly Edit[];
  /** Paths from the project's root. */
  readonly tests: readonly string[];
  /** Only tests whose names fit. */
  readonly only?: string;
}

export type NamedOutcome =
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'survived' }
  /**
   * It was never loaded, or could not be applied, or no test was found. This says nothing about the
   * tests.
   */
  | { readonly kind: 'void'; readonly text: string };

const CONFIG = join(import.meta.dirname, 'named.vitest.config.ts');
const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
/** Limit for an endless loop, which a test's own timeout cannot end. */
const LIMIT_MS = 180_000;

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

function runTests(mutant: NamedMutant, root: string, notes: string): Promise<Ended> {
  const only = mutant.only === undefined ? [] : ['-t', mutant.only];
  const args = [VITEST, 'run', '--config', CONFIG, '--no-color', ...only, ...mutant.tests];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', UNDERSTUDY_MUTANT: JSON.stringify({ root, edits: mutant.edits, notes }) },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })));
}

const firstFailure = (text: string): string =>
  /^ *FAIL +(.+)$/m.exec(text)?.[1] ?? (text.includes('Worker') ? 'it never ended' : 'it ended by itself');

/** Which files of the mutant no test has loaded. */
function unloaded(mutant: NamedMutant, notes: string): readonly string[] {
  let seen = '';
  try {
    seen = readFileSync(notes, 'utf8');
  } catch {
    // Nothing was loaded at all.
  }
  const loaded = new Set(seen.split('\n'));
  return mutant.edits.map((edit) => edit.file).filter((file) => !loaded.has(file));
}

/** Runs the tests of one mutant against it. */
export async function tryNamed(mutant: NamedMutant, root = ROOT): Promise<NamedOutcome> {
  try {
    for (const edit of mutant.edits) applied(readFileSync(join(root, edit.file), 'utf8'), edit);
  } catch (error) {
    return { kind: 'void', text: error instanceof Error ? error.message : String(error) };
  }
  const cache = join(ROOT, '.cache', 'mutants');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'named-'));
  try {
    const notes = join(folder, 'loaded');
    const { code, text } = await runTests(mutant, root, notes);
    const missing = unloaded(mutant, notes);
    if (missing.length > 0) return { kind: 'void', text: `no test loads ${missing.join(', ')}` };
    if (/No test files found|no tests/i.test(text) && !/ failed/.test(text))
      return { kind: 'void', text: 'no test was run' };
    return code === 0 ? { kind: 'survived' } : { kind: 'killed', by: firstFailure(text) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
