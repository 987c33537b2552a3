import { join } from 'node:path';
import { settleIn } from '../faults/lab/private-world.ts';
import { Cluster } from './cluster/cluster.ts';
import { SEATS } from './cluster/seats.ts';
import type { CommandLine } from './command-line.ts';
import type { Report } from './report.ts';
import type { Scenario } from './scenario.ts';
import { ensureTree } from './tree/tree.ts';
import { buildRegion } from './world/region.ts';

/** An orderly end takes no longer. After this we end at once, and everything with us. */
const END_LIMIT_MS = 15_000;

/**
 * Runs the scenarios as process 1 of a private world, and sends one report each to the process that
 * started us. Returns the exit code.
 */
export async function runInside({ scenarios, keep, small }: CommandLine, folder: string): Promise<number> {
  const gone = new Promise<'gone'>((resolve) => process.once('disconnect', () => resolve('gone')));
  process.once('disconnect', () => setTimeout(() => process.exit(1), END_LIMIT_MS).unref());
  settleIn();
  buildRegion();
  const { path } = await ensureTree();
  const cluster = await Cluster.open(folder, path, small ? SEATS.slice(0, 1) : SEATS);
  try {
    await Promise.race([runAll(cluster, scenarios, folder), gone]);
    if (keep) await gone;
    return 0;
  } finally {
    await cluster.close();
  }
}

/** Ends with the first that fails: the others begin with a cluster that is well. */
async function runAll(cluster: Cluster, scenarios: readonly Scenario[], folder: string): Promise<void> {
  for (const scenario of scenarios) {
    const report = await runScenario(cluster, scenario);
    if (report.verdict === 'failed') await cluster.keepWords(join(folder, 'logs', scenario.name));
    process.send?.(report);
    if (report.verdict === 'failed' || process.connected !== true) return;
  }
}

async function runScenario(cluster: Cluster, scenario: Scenario): Promise<Report> {
  const startedAtMs = performance.now();
  const before = cluster.world.boots;
  const report = (verdict: Report['verdict'], evidence: string, outcome: string): Report => {
    const boots = cluster.world.boots - before;
    return { name: scenario.name, verdict, evidence, outcome, tookMs: performance.now() - startedAtMs, boots };
  };
  try {
    const { evidence, outcome } = await scenario.run(cluster);
    await cluster.well();
    return report('ok', evidence, outcome);
  } catch (error) {
    return report('failed', '', error instanceof Error ? error.message : String(error));
  }
}
