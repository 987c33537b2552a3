import { INSIDE } from '../faults/lab/private-world.ts';
import { type CommandLine, readCommandLine, USAGE } from './command-line.ts';
import { runInside } from './inside.ts';
import { missingPrerequisite } from './prerequisites.ts';
import { listOf } from './report.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { superviseMachines } from './supervise.ts';

/**
 * `npm run machines`. Exit codes: 0 all held, 1 a scenario failed, 2 wrong command line, 77 cannot
 * run here (as in automake's tests), 130 Ctrl-C.
 */
const EXIT = { ok: 0, usage: 2, cannotRun: 77 } as const;

async function run(command: CommandLine, args: readonly string[]): Promise<number> {
  if (command.list) {
    console.log(listOf(command.scenarios));
    return EXIT.ok;
  }
  const folder = process.env[INSIDE];
  if (folder !== undefined) return runInside(command, folder);
  const missing = missingPrerequisite();
  if (missing === null) return superviseMachines(command, args);
  console.error(`understudy: ${missing}`);
  return EXIT.cannotRun;
}

const args = process.argv.slice(2);
const command = readCommandLine(args, SCENARIOS);
if (typeof command === 'string') {
  console.error(`understudy: ${command}\n${USAGE}`);
  process.exitCode = EXIT.usage;
} else {
  process.exitCode = await run(command, args);
}
// The end of pid 1 ends everything in a private world.
if (process.env[INSIDE] !== undefined) process.exit();
