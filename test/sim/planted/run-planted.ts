import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { INVARIANT_IDS } from '../invariants/invariant.ts';
import type { PlantedBug } from './planted-bug.ts';

const OutcomeSchema = z.object({
  violations: z.array(z.object({ invariant: z.enum(INVARIANT_IDS), atMs: z.number(), text: z.string() })),
});
export type PlantedOutcome = z.infer<typeof OutcomeSchema>;

const SIM = join(import.meta.dirname, '..', 'main.ts');
const PLANT = join(import.meta.dirname, 'plant.ts');
/** A bug may send the run round in circles: nobody else would end it once the test is over. */
const LIMIT_MS = 170_000;
const FLAGS = ['--conditions=source', '--max-semi-space-size=64', '--disable-warning=ExperimentalWarning'];

/**
 * The bug's own run in a process of its own, whose code has the bug. @throws when the process ends
 * in another way than with a result.
 */
export async function runPlanted(bug: PlantedBug): Promise<PlantedOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-planted-'));
  try {
    const faults = join(folder, 'faults.json');
    writeFileSync(faults, JSON.stringify(bug.run.faults));
    const {
      seed,
      days,
      members,
      serveLease,
      reattach,
      ladder,
      identities,
      way,
      shared,
      makes,
      events,
      follows,
      enrols,
    } = bug.run;
    const spec = ['--seed', seed, '--days', days, '--members', members, '--faults', faults, '--json', '--no-shrink'];
    if (serveLease) spec.push('--serve-lease');
    if (reattach) spec.push('--reattach');
    if (identities) spec.push('--identities');
    if (ladder) spec.push('--ladder');
    if (way) spec.push('--way', way);
    if (shared) spec.push('--shared');
    if (makes) spec.push('--makes');
    if (events) spec.push('--events', events);
    if (follows) spec.push('--follows');
    if (enrols) spec.push('--enrols');
    if (bug.run.inventory) spec.push('--inventory');
    if (bug.run.commands) spec.push('--commands');
    const text = await outputOf([...FLAGS, '--import', PLANT, SIM, ...spec.map(String)], bug.name);
    return OutcomeSchema.parse(JSON.parse(text.split('\n')[0] ?? ''));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function outputOf(args: readonly string[], name: string): Promise<string> {
  const env = {
    ...process.env,
    UNDERSTUDY_PLANTED_BUG: name,
    NODE_OPTIONS: '',
    // A hundred processes load the same modules but for the one with the bug.
    NODE_COMPILE_CACHE: join(tmpdir(), 'understudy-compile-cache'),
  };
  const child = spawn(process.execPath, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  await new Promise<void>((resolve) => child.once('close', () => resolve()));
  if (!output.startsWith('{')) throw new Error(`${name}: no result: ${errors.slice(0, 2_000)}${output.slice(0, 500)}`);
  return output;
}
