import { fileURLToPath } from 'node:url';
import { removeRunDir } from '@understudy/local-cluster';
import type { CommandLine } from './command-line.ts';
import { removeStaleGroups } from './faults/slow-disk.ts';
import { makeLabFolder } from './lab/folder.ts';
import { type PrivateWorld, startPrivateWorld } from './lab/private-world.ts';
import { lineOf, tableOf } from './report.ts';
import type { Report } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const EXIT = { ok: 0, failed: 1, stopped: 130 } as const;

const namesOf = (scenarios: readonly Scenario[]): string[] => scenarios.flatMap(({ name }) => ['--exactly', name]);
const lost = (name: string, outcome: string): Report => ({ name, verdict: 'failed', evidence: '', outcome, tookMs: 0 });

/**
 * Runs the scenarios in private worlds, one after the other. Usually one world does them all. A
 * world that a scenario leaves in ruins ends, and the rest go on in a new one.
 */
export async function superviseLab({ scenarios, keep }: CommandLine): Promise<number> {
  const reports: Report[] = [];
  const stop = endOnSignals();
  const left = () => scenarios.filter(({ name }) => !reports.some((report) => report.name === name));
  const note = (report: Report) => {
    reports.push(report);
    console.log(lineOf(report));
  };
  while (left().length > 0 && !stop.asked()) {
    const before = reports.length;
    const how = await runWorld(left(), keep, note, stop);
    const [next] = left();
    if (next && reports.length === before && !stop.asked()) note(lost(next.name, `the lab ended: ${how}`));
  }
  console.log(`\n${tableOf(reports)}`);
  if (stop.asked()) return EXIT.stopped;
  return reports.some(({ verdict }) => verdict === 'failed') ? EXIT.failed : EXIT.ok;
}

/**
 * Runs one world. Its folder stays when something failed in it (its logs say why), until the next
 * run removes it. Returns how it ended.
 */
async function runWorld(
  scenarios: readonly Scenario[],
  keep: boolean,
  note: (report: Report) => void,
  stop: ReturnType<typeof endOnSignals>,
): Promise<string> {
  removeStaleGroups();
  const folder = makeLabFolder();
  let failed = false;
  const args = [...namesOf(scenarios), ...(keep ? ['--keep'] : [])];
  const world = startPrivateWorld(MAIN, args, folder, (message) => {
    const report = message as Report;
    failed ||= report.verdict === 'failed';
    note(report);
  });
  stop.watch(world);
  if (keep)
    console.log(`· it will be left running until Ctrl-C; to look around, as root: ${world.enter}, then ip netns list`);
  const code = await world.exited;
  if (failed || code !== 0) console.log(`  logs: ${folder}/logs`);
  else removeRunDir(folder);
  return `exit code ${code}`;
}

/** On Ctrl-C the world is asked to end, and nothing further is started. */
function endOnSignals() {
  let asked = false;
  let current: PrivateWorld | null = null;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      asked = true;
      current?.end();
    });
  }
  return {
    asked: () => asked,
    watch: (world: PrivateWorld) => {
      current = world;
    },
  };
}
