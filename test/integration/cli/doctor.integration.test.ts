import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { EtcdCluster } from '@understudy/local-cluster';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** The command as operators type it, against a real etcd with one member. */

interface Found {
  readonly check: string;
  readonly severity: string;
  readonly text: string;
}

let folder: string;
let etcd: EtcdCluster;
let config: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-doctor-'));
  etcd = await EtcdCluster.start({ members: 1 });
  writeFileSync(join(folder, 'master.key'), `${'ab'.repeat(32)}\n`, { mode: 0o644 });
  config = join(folder, 'coordinator.yaml');
});
afterAll(async () => {
  await etcd.stop();
  rmSync(folder, { recursive: true });
});

function write(udpPort: number): void {
  const body = {
    ...{ id: 'c1', az: 'us-east-1a', udp: { host: '127.0.0.1', port: udpPort }, http: { port: 0 } },
    etcd: { hosts: [...etcd.hosts] },
    ...{ keys: [{ id: 1, file: join(folder, 'master.key') }] },
    aws: { region: 'us-east-1', endpoint: 'http://127.0.0.1:1' },
    observer: { minimumObservers: 1, minimumZones: 1 },
  };
  writeFileSync(config, JSON.stringify(body), { mode: 0o600 });
}

async function doctor(): Promise<{ code: number | null; findings: readonly Found[] }> {
  const root = join(import.meta.dirname, '../../..');
  const child = spawn(join(root, 'understudy'), ['doctor', 'coordinator', '--config', config, '--json'], {
    env: { ...process.env, AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' },
  });
  let out = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, findings: (JSON.parse(out) as { findings: readonly Found[] }).findings };
}
const texts = (findings: readonly Found[], check: string, severity: string): string =>
  findings
    .filter((one) => one.check === check && one.severity === severity)
    .map(({ text }) => text)
    .join('\n');

describe('doctor coordinator', () => {
  it('finds a wide key file, a port that is taken, a lonely etcd and an EC2 out of reach', async () => {
    const other = createSocket('udp4');
    await new Promise<void>((resolve) => other.bind(0, '127.0.0.1', () => resolve()));
    write(other.address().port);
    const { code, findings } = await doctor();
    other.close();
    expect(code).toBe(3);
    expect(texts(findings, 'files', 'fault')).toContain('mode 0644');
    expect(texts(findings, 'addresses', 'fault')).toContain('another process');
    expect(texts(findings, 'etcd members', 'warning')).toContain('1 members');
    expect(texts(findings, 'permissions', 'warning')).toContain('DescribeInstances');
    expect(texts(findings, 'etcd latency', 'ok')).toContain('a write through');
    expect(texts(findings, 'etcd compaction', 'ok')).toMatch(/keeps \d+ old revisions/);
    expect(texts(findings, 'clock', 'ok')).toContain('1 others have the same time');
  });

  it('finds the alarm NOSPACE, and that etcd takes no write', async () => {
    write(0);
    const alarm = await fetch(`${etcd.hosts[0]}/v3/maintenance/alarm`, {
      method: 'POST',
      body: JSON.stringify({ action: 'ACTIVATE', memberID: '0', alarm: 'NOSPACE' }),
    });
    expect(alarm.ok).toBe(true);
    const { findings } = await doctor();
    expect(texts(findings, 'etcd space', 'fault')).toContain('NOSPACE');
    expect(texts(findings, 'etcd latency', 'fault')).toContain('takes no write');
  });

  it('says only what is wrong with a configuration that is not valid', async () => {
    writeFileSync(config, 'id: c1\nnonsense: 1\n');
    const { code, findings } = await doctor();
    expect(code).toBe(3);
    expect(findings.map(({ check }) => check)).toEqual(['configuration']);
    expect(findings[0]?.text).toMatch(/coordinator\.yaml:\d+: .*nonsense/);
  });
});
