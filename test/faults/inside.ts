import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@understudy/shared/node';
import { AGENT_NODE_FLAGS, bundleAgent } from '../../scripts/bundle-agent.mjs';
import { converge } from './audit/convergence.ts';
import { metadataFound } from './audit/imds.ts';
import type { CommandLine } from './command-line.ts';
import { labFolder } from './lab/folder.ts';
import { Lab } from './lab/lab.ts';
import { ZONES } from './lab/network.ts';
import { settleIn } from './lab/private-world.ts';
import { runScenario } from './run-scenario.ts';

/**
 * An orderly end takes no longer. After this we end at once, and everything with us, because we are
 * pid 1 of our world.
 */
const END_LIMIT_MS = 15_000;

/**
 * Builds the lab, runs the scenarios in it and sends one report each to the process that started
 * us. Returns the exit code.
 */
export async function runInside(command: CommandLine, folderPath: string): Promise<number> {
  const gone = new Promise<'gone'>((resolve) => process.once('disconnect', () => resolve('gone')));
  process.once('disconnect', () => setTimeout(() => process.exit(1), END_LIMIT_MS).unref());
  settleIn();
  const lab = await Lab.open(labFolder(folderPath), [process.execPath, ...AGENT_NODE_FLAGS, await bundleAgent()]);
  try {
    await converge(lab);
    console.log(`· ${await until('metadata found', () => metadataFound(lab).catch(() => null), 15_000)}`);
    await Promise.race([runAll(lab, command, () => process.connected === true), gone]);
    if (command.keep) await gone;
    return 0;
  } finally {
    await lab.close();
  }
}

/** Runs all scenarios. Ends early when one leaves the lab in a state it does not recover from. */
async function runAll(lab: Lab, { scenarios }: CommandLine, wanted: () => boolean): Promise<void> {
  for (const scenario of scenarios) {
    if (!wanted()) return;
    const report = await runScenario(lab, scenario);
    writeLogs(lab, scenario.name);
    process.send?.(report);
    if (report.verdict === 'failed' && !(await recovers(lab))) return;
  }
}

const recovers = (lab: Lab): Promise<boolean> =>
  converge(lab).then(
    () => true,
    () => false,
  );

function writeLogs(lab: Lab, name: string): void {
  const dir = join(lab.folder.path, 'logs', name);
  mkdirSync(dir, { recursive: true });
  for (const [index, seat] of lab.seats.entries()) {
    writeFileSync(join(dir, `${seat.id}.log`), lab.logOf(seat));
    writeFileSync(join(dir, `etcd-${ZONES[index]}.log`), lab.etcd.output(index));
  }
}
