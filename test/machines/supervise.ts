import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keepOnlyLogs, makeRunDir, removeRunDir } from '@understudy/local-cluster';
import { SystemClock } from '@understudy/shared/node';
import { startPrivateWorld } from '../faults/lab/private-world.ts';
import { build } from './cluster/handout.ts';
import type { CommandLine } from './command-line.ts';
import { removeGroupsOf, removeStaleGroups } from './leftovers.ts';
import { lineOf, type Report, seconds, tableOf } from './report.ts';
import { ensureTree } from './tree/tree.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const EXIT = { ok: 0, failed: 1, stopped: 130 } as const;

/**
 * Makes the tree, then runs the scenarios in a private world, and leaves nothing behind but the
 * logs of what failed. On Ctrl-C the world is asked to end.
 */
export async function superviseMachines(command: CommandLine, args: readonly string[]): Promise<number> {
  const { path, tookMs } = await ensureTree();
  console.log(`· the machines begin with ${path} (${tookMs < 1_000 ? 'cached' : `made in ${seconds(tookMs)}`})`);
  const folder = makeRunDir('machines', new SystemClock().wallMs());
  // The world has no network. What packaging fetches once (Node, of both kinds) has to be there.
  await build(['agent', 'tarball'], join(folder, 'fetched'));
  removeStaleGroups();
  const reports: Report[] = [];
  let stopped = false;
  const world = startPrivateWorld(MAIN, args, folder, (message) => {
    const report = message as Report;
    reports.push(report);
    console.log(lineOf(report));
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      stopped = true;
      world.end();
    });
  if (command.keep) console.log(`· left running until Ctrl-C; to look around: ${world.enter}, then ip netns list`);
  const code = await world.exited;
  const failed = code !== 0 || reports.length === 0 || reports.some(({ verdict }) => verdict === 'failed');
  console.log(`\n${tableOf(reports)}`);
  if (failed) {
    keepOnlyLogs(folder);
    console.log(`  logs: ${folder}/logs${code === 0 ? '' : ` (the world ended with ${code})`}`);
  } else removeRunDir(folder);
  removeGroupsOf(folder);
  if (stopped) return EXIT.stopped;
  return failed ? EXIT.failed : EXIT.ok;
}
