import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import * as z from 'zod';
import { CONDITION_NAMES } from '../condition-names.ts';
import { startPrivateWorld } from '../../faults/lab/private-world.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

const Message = z.union([
  z.object({ crashes: z.array(z.object({ firstMs: z.number(), allMs: z.number() })) }),
  z.object({ rate: z.object({ name: z.string(), nodeSeconds: z.number(), falseVerdicts: z.number() }) }),
]);

export interface SerfFindings {
  readonly version: string;
  readonly crashes: readonly { readonly firstMs: number; readonly allMs: number }[];
  readonly rates: readonly { readonly name: string; readonly nodeSeconds: number; readonly falseVerdicts: number }[];
}

/** What `serf version` says first; null: it is not installed. */
function serfVersion(): string | null {
  try {
    return (
      execFileSync('serf', ['version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ?? ''
    );
  } catch {
    return null;
  }
}

/**
 * Serf on this machine, in network namespaces: a world for each condition and one for the crashes,
 * all at once, so that an hour of watching takes an hour. Needs root, iproute2, nftables and
 * Debian's package `serf`. @throws with what is missing
 */
export async function runSerf(nodes: number, seconds: number, crashes: number): Promise<SerfFindings> {
  const version = serfVersion();
  if (version === null) throw new Error('Serf is not installed: apt-get install serf');
  const found: { crashes: SerfFindings['crashes']; rates: SerfFindings['rates'][number][] } = {
    crashes: [],
    rates: [],
  };
  const worlds = [String(crashes), ...CONDITION_NAMES].map((measured) =>
    runWorld([String(nodes), String(seconds), measured], (message) => {
      const read = Message.parse(message);
      if ('rate' in read) found.rates.push(read.rate);
      else found.crashes = read.crashes;
      process.stderr.write(`… Serf: ${JSON.stringify(read)}\n`);
    }),
  );
  await Promise.all(worlds);
  const order = (name: string) => CONDITION_NAMES.findIndex((one) => one === name);
  return { version, crashes: found.crashes, rates: found.rates.toSorted((a, b) => order(a.name) - order(b.name)) };
}

async function runWorld(args: readonly string[], onMessage: (message: unknown) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-serf-'));
  const world = startPrivateWorld(MAIN, args, folder, onMessage);
  const code = await world.exited.finally(() => rmSync(folder, { recursive: true, force: true }));
  if (code !== 0) throw new Error(`Serf's world of ${args.join(', ')} ended with ${code}`);
}
