import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';

/**
 * The product as a stranger meets it: `understudy demo`, real processes, nothing in common with
 * this test but the terminal.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = `${ROOT}packages/cli/src/main.ts`;

const Recovery = z.object({
  member: z.string(),
  oldInstanceId: z.string(),
  newInstanceId: z.string(),
  instancesLaunched: z.number(),
  detectMs: z.number(),
  totalMs: z.number(),
  criticalPathMs: z.number(),
  leaderChanges: z.number(),
  steps: z.array(z.object({ step: z.string() })),
});
const Report = z.object({
  recoveries: z.array(Recovery),
  falseFailovers: z.number(),
  violations: z.array(z.string()),
  /** What would become of each member if it failed at the end. */
  readiness: z.array(z.object({ member: z.string(), verdict: z.string(), rtoMs: z.number().nullable() })).min(6),
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function demo(
  args: readonly string[],
  onStderr: (text: string, interrupt: () => void) => void = () => undefined,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', MAIN, 'demo', ...args], {
      cwd: ROOT,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      onStderr(stderr, () => child.kill('SIGINT'));
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

const demoFolders = () => readdirSync(`${ROOT}.cache`).filter((name) => name.startsWith('demo-'));

/** Command lines of all processes that mention the folder of a demo. */
const processesOfDemos = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')];
      } catch {
        return [];
      }
    })
    .filter((command) => command.includes('.cache/demo-'));

describe('the demo', () => {
  let ended: Ended;
  const before = new Set<string>();

  beforeAll(async () => {
    for (const folder of demoFolders()) before.add(folder);
    ended = await demo(['--json']);
  }, 150_000);

  it('ends well, and its last line is one JSON object', () => {
    expect(ended.code, ended.stderr).toBe(0);
    expect(() => Report.parse(JSON.parse(ended.stdout.trimEnd().split('\n').at(-1) ?? ''))).not.toThrow();
  });

  it('replaced both failures with exactly one launch each, and touched nothing else', () => {
    const report = Report.parse(JSON.parse(ended.stdout));
    expect(report.recoveries.map((each) => [each.member, each.instancesLaunched])).toEqual([
      ['orders-db/primary', 1],
      ['ci/license-server', 1],
    ]);
    expect(report.falseFailovers).toBe(0);
    expect(report.violations).toEqual([]);
  });

  it('moved the disks in the first one, and copied them in the second', () => {
    const [first = [], second = []] = Report.parse(JSON.parse(ended.stdout)).recoveries.map(({ steps }) =>
      steps.map(({ step }) => step),
    );
    expect(first).toContain('assemble-1');
    expect(first).not.toContain('capture');
    expect(second).toContain('capture');
  });

  it('killed the leader in the middle of the second one, and a successor finished it', () => {
    expect(ended.stderr).toContain('was killed with SIGKILL in the middle of it');
    expect(Report.parse(JSON.parse(ended.stdout)).recoveries[1]?.leaderChanges).toBe(1);
  });

  it('leaves no process and no file behind', () => {
    expect(processesOfDemos().filter((command) => ![...before].some((folder) => command.includes(folder)))).toEqual([]);
    expect(demoFolders().filter((folder) => !before.has(folder))).toEqual([]);
  });
});

it('interrupted in the middle of a recovery, the demo takes everything along and says so with exit code 130', async () => {
  const before = new Set(demoFolders());
  let interrupted = false;
  const ended = await demo(['--json'], (text, interrupt) => {
    if (interrupted || !text.includes('fence:')) return;
    interrupted = true;
    interrupt();
  });
  expect(interrupted, ended.stderr).toBe(true);
  expect(ended.code).toBe(130);
  expect(processesOfDemos().filter((command) => ![...before].some((folder) => command.includes(folder)))).toEqual([]);
  expect(demoFolders().filter((folder) => !before.has(folder))).toEqual([]);
}, 60_000);

it('kept, it says where the cloud is and how to break something, and the line works; ended, it leaves nothing', async () => {
  const before = new Set(demoFolders());
  let broke: { readonly status: number | null; readonly output: string } | null = null;
  const ended = await demo(['--json', '--keep'], (text, interrupt) => {
    const line = /Break something: +(curl -X POST http:\S+\/_sim\/instances\/i-\w+\/crash)\n/.exec(text)?.[1];
    if (broke || line === undefined || !text.includes('Ctrl-C ends it')) return;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', `${line} --fail --silent --show-error`], {
      encoding: 'utf8',
    });
    broke = { status, output: stdout + stderr };
    interrupt();
  });
  expect(broke, ended.stderr).toMatchObject({ status: 0 });
  expect(ended.stderr).toMatch(/cloud http:\/\/127\.0\.0\.1:\d+/);
  expect(processesOfDemos().filter((command) => ![...before].some((folder) => command.includes(folder)))).toEqual([]);
  expect(demoFolders().filter((folder) => !before.has(folder))).toEqual([]);
}, 200_000);
