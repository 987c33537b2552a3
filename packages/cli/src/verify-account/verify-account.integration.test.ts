import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSimConfigSchema, type RunningCloudSim, startCloudSim } from '@understudy/cloud-sim';
import { type Clock, type MonotonicMs, silentLog } from '@understudy/shared';
import { SystemClock, SystemRandom } from '@understudy/shared/node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildProgram } from '../program.ts';

const SPEED = 200;
const real = new SystemClock();
/** What was slept through, in less time. */
let skippedMs = 0;
const quick: Clock = {
  monotonicMs: () => (real.monotonicMs() + skippedMs) as MonotonicMs,
  wallMs: () => real.wallMs(),
  setTimer: (delayMs, callback) => real.setTimer(delayMs, callback),
  sleep: async (durationMs, signal) => {
    await real.sleep(durationMs / SPEED, signal);
    skippedMs += durationMs * (1 - 1 / SPEED);
  },
};

let folder = '';
let server: RunningCloudSim;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'verify-account-'));
  const config = CloudSimConfigSchema.parse({ workDir: join(folder, 'cloud'), speed: SPEED, http: { port: 0 } });
  server = await startCloudSim(config, { clock: real, random: new SystemRandom(), log: silentLog, env: {} });
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAACCEPTED');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
  rmSync(folder, { recursive: true });
});

async function verifyAccount(...more: readonly string[]) {
  const { imageId, subnets } = server.sim.defaultResources;
  const [subnet = '', other = ''] = Object.values(subnets);
  const context = { clock: quick, random: new SystemRandom(), environment: { AWS_REGION: 'us-east-1' } };
  const scene = ['--endpoint', server.url, '--image', imageId, '--subnet', subnet, '--other-subnet', other];
  let output = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output += String(text);
    return true;
  });
  const complaints = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    await buildProgram(context).parseAsync(['node', 'understudy', 'verify-account', ...scene, '--json', ...more]);
    return { report: JSON.parse(output), code: process.exitCode };
  } finally {
    process.exitCode = undefined;
    write.mockRestore();
    complaints.mockRestore();
  }
}

test('by default nothing is made, by the real client', async () => {
  const { report, code } = await verifyAccount('--only', 'interface-gone');
  expect(code).toBe(0);
  expect(report).toMatchObject({
    dry: true,
    calls: expect.arrayContaining([{ action: 'RunInstances', word: 'allowed' }]),
  });
  expect(server.sim.seed('DescribeInstances', {})).toMatchObject({ Reservations: [] });
});

test('with --run it is asked for real, told in a file, and removed', async () => {
  const file = join(folder, 'report.md');
  const agreed = ['--run', '--yes', '--reason', 'a test', '--report', file];
  const { report, code } = await verifyAccount('--only', 'interface-gone', '--only', 'token-other-zone', ...agreed);
  expect(report.questions.map(({ outcome }: { outcome: { answer?: object } }) => outcome.answer)).toMatchObject([
    { verdict: 'as-assumed' },
    { verdict: 'as-assumed' },
  ]);
  expect(report).toMatchObject({ dry: false, leftCount: 0, removed: { instance: 1 } });
  expect(code).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('## token-other-zone');
});

test('what is too dear, unknown or not agreed to is refused, and nothing is made', async () => {
  await expect(verifyAccount('--budget', '0.01')).rejects.toThrow(/more than --budget/);
  await expect(verifyAccount('--only', 'nonsense')).rejects.toThrow(/no question is called/);
  await expect(verifyAccount('--instance-type', 'x9.huge')).rejects.toThrow(/--hour-price/);
  await expect(verifyAccount('--run', '--yes')).rejects.toThrow(/reason/);
  await expect(verifyAccount('--remove', '*')).rejects.toThrow(/12 hex digits/);
});
