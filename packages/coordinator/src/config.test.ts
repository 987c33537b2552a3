import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasCode, OperationError } from '@understudy/shared';
import { parseConfig } from '@understudy/shared/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadSecrets } from './adapters/node/load-secrets.ts';
import { CoordinatorConfigSchema, maskedConfig, publicUrlOf } from './config.ts';

const MINIMAL = `
id: c1
az: us-east-1a
udp: { host: 127.0.0.1, port: 7946 }
etcd: { hosts: [http://127.0.0.1:2379] }
keys: [{ id: 1, file: /etc/understudy/master.key }]
`;
const parse = (text: string) => parseConfig(CoordinatorConfigSchema, text, 'c.yaml');

function refusal(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof OperationError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('configuration', () => {
  test('the minimal file has the documented defaults', () => {
    expect(parse(MINIMAL)).toMatchObject({
      udp: { receiveBufferBytes: 4_194_304, receiveThreads: 1 },
      http: { host: '127.0.0.1', port: 8080 },
      etcd: { root: '/understudy/v1/', leaseTtlMs: 10_000, keepaliveMs: 2_000, callTimeoutMs: 1_500 },
      aws: { callTimeoutMs: 5_000 },
      observer: { warmUpMs: 20_000, minimumObservers: 2, minimumZones: 2 },
      loop: { tickMs: 250, enrolEveryMs: 15_000, evidenceEveryMs: 5_000, collectEveryMs: 60_000 },
      guard: { massMinimum: 3, massRatio: 0.2, zoneMinimum: 3, zoneRatio: 0.5, budgetPerMinute: 1, budgetBurst: 2 },
      policy: { detect: { suspectAfterMs: 5_000, confirmForMs: 3_000 } },
      log: { level: 'info' },
    });
  });

  test('unknown keys are refused with file, line and name', () => {
    expect(refusal(`${MINIMAL}observer:\n  warmUpSeconds: 3\n`)).toMatch(/c\.yaml:\d+: observer: .*warmUpSeconds/);
  });

  test.each([-1, 9, 1.5])('%f receive threads are refused', (receiveThreads) => {
    const udp = `udp: { host: 127.0.0.1, port: 7946, receiveThreads: ${receiveThreads} }`;
    expect(refusal(MINIMAL.replace(/^udp: .*$/m, udp))).toContain('udp.receiveThreads');
  });

  test.each<[string, string, readonly string[]]>([
    ['keepalive against lease', 'etcd: { hosts: [http://h:1], leaseTtlMs: 5000, keepaliveMs: 2000 }', ['6000', '5000']],
    [
      'etcd calls against lease',
      'etcd: { hosts: [http://h:1], leaseTtlMs: 3000, keepaliveMs: 1000, callTimeoutMs: 900 }',
      ['2800', '2520'],
    ],
    [
      'an action that EC2 does not have',
      'aws: { rates: { raised: { Run: { burst: 9, refillPerSecond: 3 } } } }',
      ['Run'],
    ],
    ['EC2 call against lease', 'aws: { callTimeoutMs: 7000 }', ['7000', '6400']],
    ['zones against observers', 'observer: { minimumObservers: 1, minimumZones: 2 }', ['2', '1']],
    ['warm-up against suspicion', 'observer: { warmUpMs: 1000 }', ['1000', '5000']],
    ['suspicion against heartbeats', 'policy: { detect: { suspectAfterMs: 1500 } }', ['1500', '2000']],
    ['tick against confirmation', 'loop: { tickMs: 4000 }', ['4000', '3000']],
    ['key ids', 'keys: [{ id: 2, file: a }, { id: 2, file: b }]', ['2 and 2']],
  ])('%s: refused, naming both numbers', (_, line, numbers) => {
    const field = line.slice(0, line.indexOf(':'));
    const rest = MINIMAL.split('\n').filter((one) => !one.startsWith(`${field}:`));
    const message = refusal(`${rest.join('\n')}\n${line}\n`);
    expect(message).toContain(`${field}`);
    for (const number of numbers) expect(message).toContain(number);
  });

  test('every fault is listed, not only the first', () => {
    const message = refusal(`${MINIMAL.replace('id: c1', 'id: C 1')}aws: { callTimeoutMs: 1 }\nlog: { level: loud }\n`);
    expect(message.split('\n')).toHaveLength(3);
  });

  test('user and password file, certificate and key come together', () => {
    expect(refusal(MINIMAL.replace(':2379]', ':2379], username: u'))).toContain('passwordFile');
    expect(refusal(MINIMAL.replace('http://127.0.0.1:2379]', 'https://h:1], tls: { certFile: a }'))).toContain(
      'keyFile',
    );
    expect(refusal(MINIMAL.replace(':2379]', ':2379], tls: { caFile: a }'))).toContain('hosts are http');
  });

  test('nobody commands by certificate under the name of another', () => {
    const table = (...names: readonly string[]) => {
      const clients = names.map((name) => `{ subject: CN=${name}.${names.length}, name: ${name}, role: operate }`);
      return `${MINIMAL}http: { tls: { certFile: a, keyFile: b, clientCaFile: c, clients: [${clients.join()}] } }\n`;
    };
    expect(refusal(table('deploy', 'deploy'))).toContain('the name deploy with the role operate twice');
    expect(refusal(table('operator'))).toContain('reserved');
    expect(parse(table('deploy', 'ci')).http.tls?.clients).toHaveLength(2);
  });

  test('an unsafe etcd needs a reason, not a flag', () => {
    expect(refusal(MINIMAL.replace(':2379]', ':2379], allowUnsafeVersion: yes'))).toContain('says why');
  });

  test('the public URL follows from host and bound port unless given', () => {
    expect(publicUrlOf(parse(MINIMAL), 4321)).toBe('http://127.0.0.1:4321');
    expect(publicUrlOf(parse(`${MINIMAL}http: { publicUrl: http://c1.internal:80 }\n`), 4321)).toBe(
      'http://c1.internal:80',
    );
  });

  test('credentials in URLs do not reach the log', () => {
    const config = parse(MINIMAL.replace('http://127', 'http://root:hunter2@127'));
    expect(JSON.stringify(config)).toContain('hunter2');
    expect(JSON.stringify(maskedConfig(config))).not.toContain('hunter2');
  });
});

describe('secrets', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'understudy-secrets-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const withKey = (file: string) => parse(MINIMAL.replace('/etc/understudy/master.key', file));

  test('a key file of 64 hex characters is loaded, its mode is not complained about when private', () => {
    const file = join(dir, 'k');
    writeFileSync(file, `${'ab'.repeat(32)}\n`, { mode: 0o600 });
    const secrets = loadSecrets(withKey(file));
    expect(secrets.masters.get(1)).toEqual(new Uint8Array(32).fill(0xab));
    expect(secrets.openFiles).toEqual([]);
  });

  test('a key file others may read is a warning', () => {
    const file = join(dir, 'k');
    writeFileSync(file, 'ab'.repeat(32), { mode: 0o644 });
    expect(loadSecrets(withKey(file)).openFiles).toEqual([{ file, mode: '0644' }]);
  });

  test('a short or missing key file is KEY_INVALID and names the file', () => {
    const file = join(dir, 'short');
    writeFileSync(file, 'abcd', { mode: 0o600 });
    for (const path of [file, join(dir, 'absent')]) {
      const attempt = () => loadSecrets(withKey(path));
      expect(attempt).toThrow(path);
      try {
        attempt();
      } catch (error) {
        expect(hasCode(error, 'KEY_INVALID')).toBe(true);
      }
    }
  });
});
