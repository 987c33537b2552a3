import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '@understudy/shared/node';
import { afterAll, describe, expect, it } from 'vitest';
import { loadSecrets } from '../adapters/node/load-secrets.ts';
import { CoordinatorConfigSchema } from '../config.ts';

const folder = mkdtempSync(join(tmpdir(), 'inventory-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileWith = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

const configWith = (inventory: object | undefined) =>
  parseConfig(
    CoordinatorConfigSchema,
    // JSON is YAML.
    JSON.stringify({
      ...{ id: 'c1', az: 'us-east-1a', udp: { host: '127.0.0.1' }, etcd: { hosts: ['http://127.0.0.1:2379'] } },
      keys: [{ id: 1, file: fileWith('key', 'ab'.repeat(32)) }],
      inventory,
    }),
    'c.yaml',
  );

const postgres = { host: 'db.example', database: 'understudy', user: 'understudy' };

describe('the configuration of an inventory history', () => {
  it('says how often and how long, where it says only where', () => {
    expect(configWith({ sqlite: { file: '/x' } }).inventory).toEqual({
      ...{ sqlite: { file: '/x' }, everyMs: 120_000, paceMs: 250, hostedZones: [], targetGroups: [] },
      ...{ keptMs: 2_592_000_000, versionsMax: 5_000_000 },
    });
  });

  it.each([{}, { sqlite: { file: '/x' }, postgres }])('is kept in one place: %j', (inventory) => {
    expect(() => configWith(inventory)).toThrow('want one of sqlite and postgres');
  });

  it('has the password in a file, and it is shown nowhere', () => {
    const passwordFile = fileWith('password', ' secret\n');
    const caFile = fileWith('ca', 'PEM');
    const config = configWith({ postgres: { ...postgres, passwordFile, caFile } });
    expect(loadSecrets(config).inventory).toEqual({
      ...{ kind: 'postgres', ...postgres, port: 5_432, password: 'secret', ca: 'PEM' },
    });
    expect(JSON.stringify(config)).not.toContain('secret');
    const empty = configWith({ postgres: { ...postgres, passwordFile: fileWith('empty', '\n') } });
    expect(() => loadSecrets(empty)).toThrow('inventory.postgres.passwordFile');
  });

  it('is absent: nothing is kept', () => {
    expect(loadSecrets(configWith(undefined)).inventory).toBe(null);
    expect(loadSecrets(configWith({ sqlite: { file: '/x' } })).inventory).toEqual({ kind: 'sqlite', file: '/x' });
  });
});
