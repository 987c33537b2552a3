import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { makeClusterDir, ProcessGroup, removeRunDir } from '@understudy/local-cluster';
import { errorText } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { reportText, succeeded } from './report.ts';
import { soak } from './soak.ts';
import { STEADY_COUNT } from './soak-setting.ts';

const USAGE = `usage: pnpm run soak [--minutes N] [--members N] [--json FILE] [--keep]
  --minutes N   how long things fail, 0.5 to 1 440 (default 30)
  --members N   instances, ${STEADY_COUNT} of which are never harmed, ${STEADY_COUNT + 2} to 30 (default 8)
  --json FILE   the report and every sample, as one JSON object
  --keep        keep folder and logs
exit codes: 0 flat and safe, 1 something grew or an invariant broke, 64 usage, 130 interrupted`;
const EXIT = { ok: 0, failed: 1, usage: 64, interrupted: 130 } as const;

function numberIn(text: string, what: string, min: number, max: number): number {
  const value = Number(text);
  if (value >= min && value <= max) return value;
  process.stderr.write(`${what} ${text}: want ${min} to ${max}\n${USAGE}\n`);
  process.exit(EXIT.usage);
}

function options() {
  try {
    return parseArgs({
      options: {
        minutes: { type: 'string', default: '30' },
        members: { type: 'string', default: '8' },
        json: { type: 'string' },
        keep: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n${USAGE}\n`);
    process.exit(EXIT.usage);
  }
}

/**
 * A signal that the first SIGINT or SIGTERM aborts. A second one ends the process at once (the
 * kernel then ends the children too).
 */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT.interrupted);
      controller.abort(new Error(`interrupted by ${name}`));
    });
  }
  return controller.signal;
}

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function run(): Promise<number> {
  const { minutes, members, json, keep } = options();
  const runMs = numberIn(minutes, '--minutes', 0.5, 1_440) * 60_000;
  const memberCount = numberIn(members, '--members', STEADY_COUNT + 2, 30);
  const signal = interruption();
  const clock = new SystemClock();
  const dir = makeClusterDir('soak', clock.wallMs());
  const group = new ProcessGroup({ clock, logDir: `${dir}/logs` });
  let code: number = EXIT.failed;
  try {
    const random = new SystemRandom();
    const { report, recording } = await soak({ clock, random, runMs, memberCount, dir, group, signal, say });
    process.stdout.write(`${reportText(report, recording)}\n`);
    if (json !== undefined) writeFileSync(json, `${JSON.stringify({ ...report, series: recording.series() })}\n`);
    code = succeeded(report) ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (signal.aborted) code = EXIT.interrupted;
    else say(`the soak broke off: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    for (const one of group.all()) one.signal('SIGCONT');
    await group.stopAll();
  }
  if (keep || code === EXIT.failed) say(`logs are kept in ${dir}/logs`);
  else removeRunDir(dir);
  return code;
}

process.exitCode = await run();
