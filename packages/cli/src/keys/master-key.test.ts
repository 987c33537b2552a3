import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deriveAgentKey, hasCode } from '@understudy/shared';
import { SeededRandom } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentKeyHex, generateMaster, masterFingerprint } from './master-key.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a new master secret', () => {
  it('is 32 bytes in hex, for its owner only, whatever the umask', () => {
    const path = join(folder, 'm2.key');
    const before = process.umask(0);
    try {
      generateMaster(path, new SeededRandom(1));
    } finally {
      process.umask(before);
    }
    expect(readFileSync(path, 'utf8')).toMatch(/^[0-9a-f]{64}\n$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('never takes the place of a file, whatever that holds', () => {
    const path = join(folder, 'm1.key');
    writeFileSync(path, 'precious');
    let thrown: unknown;
    try {
      generateMaster(path, new SeededRandom(1));
    } catch (error) {
      thrown = error;
    }
    expect(hasCode(thrown, 'KEY_INVALID')).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it('into a folder that is not there is refused', () => {
    expect(() => generateMaster(join(folder, 'no', 'm.key'), new SeededRandom(1))).toThrow(/cannot write/);
  });
});

it("an agent's key and a fingerprint come from the master secret and the id", () => {
  const path = join(folder, 'm.key');
  writeFileSync(path, '07'.repeat(32));
  chmodSync(path, 0o600);
  const derived = deriveAgentKey(new Uint8Array(32).fill(7), 2, 'g/a');
  expect(agentKeyHex(path, 2, 'g/a')).toBe(Buffer.from(derived).toString('hex'));
  expect(masterFingerprint(path, 2)).toMatch(/^[0-9a-f]{8}$/);
  expect(masterFingerprint(path, 1)).not.toBe(masterFingerprint(path, 2));
});
