import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as z from 'zod';

/**
 * The soak as somebody runs it, for a minute instead of half an hour: does it do what it says, and
 * does it look? Whether anything grows takes longer.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const Report = z.object({
  happened: z.record(z.string(), z.number()),
  failures: z.array(z.object({ member: z.string(), replaced: z.object({ launchAttempts: z.number() }).nullable() })),
  audit: z.object({ violations: z.array(z.string()), retention: z.record(z.string(), z.number()) }),
  rows: z.array(z.object({ kind: z.string(), measure: z.string(), worst: z.null(), seriesCount: z.number() })),
  series: z.array(
    z.object({
      kind: z.string(),
      name: z.string(),
      points: z.array(z.object({ atMs: z.number(), value: z.number() })),
    }),
  ),
});

function run(args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', 'test/soak/main.ts', ...args], {
      cwd: ROOT,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

it('fails on every side, and finds everything replaced once, tidied up and measured', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'soak-'));
  const file = join(dir, 'soak.json');
  try {
    const { code, output } = await run(['--minutes', '0.6', '--members', '4', '--json', file]);
    expect(code, output).toBe(0);
    const { happened, failures, audit, rows, series } = Report.parse(JSON.parse(readFileSync(file, 'utf8')));
    expect(audit.violations).toEqual([]);
    expect(Object.keys(happened)).toHaveLength(5);
    // Two members can fail: one of them did twice, and its first recovery was trimmed.
    expect(failures.length).toBeGreaterThanOrEqual(3);
    expect(failures.every((one) => one.replaced !== null)).toBe(true);
    expect(audit.retention.historyTrimmed).toBeGreaterThan(0);
    expect(audit.retention.instancesTerminated).toBe(failures.length);
    const kinds = ['coordinator', 'agent', 'cloud-sim', 'etcd', 'etcd keys', 'EC2 objects'];
    for (const kind of kinds) {
      expect(rows.some((row) => row.kind === kind)).toBe(true);
      expect(series.find((one) => one.kind === kind)?.points.length).toBeGreaterThan(5);
    }
    // A killed coordinator comes back as another process, with a series of its own.
    expect(rows.find((row) => row.kind === 'coordinator')?.seriesCount).toBeGreaterThan(3);
    expect(output).toContain('Memory (RSS), MiB');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 180_000);
