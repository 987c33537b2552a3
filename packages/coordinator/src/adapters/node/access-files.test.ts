import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeToken, tokenLine } from '@understudy/shared';
import { SystemRandom } from '@understudy/shared/node';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HttpConfigSchema } from '../../http-config.ts';
import { AccessFiles } from './access-files.ts';

const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;
let folder: string;
let clock: SimClock;
let log: RecordingLog;
let files: AccessFiles;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-access-'));
  [clock, log] = [new SimClock(), new RecordingLog()];
});
afterEach(() => {
  files.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, name);
const write = (name: string, text: string) => writeFileSync(path(name), text, { mode: 0o600 });
const { entry } = makeToken(new SystemRandom(), { name: 'ann', role: 'read' });
const commander = (name: string) => tokenLine(makeToken(new SystemRandom(), { name, role: 'operate' }).entry);
const GOOD = `tokens:\n${tokenLine(entry)}\n`;
function begin(over: object): void {
  files = new AccessFiles({ http: HttpConfigSchema.parse(over), clock, log });
  files.start();
}
const ids = () => files.tokens.entries.map(({ id }) => id);

describe('http.tokensFile', () => {
  test('is taken over when it changes, without a restart', async () => {
    write('tokens', GOOD);
    begin({ tokensFile: path('tokens') });
    expect(ids()).toEqual([entry.id]);
    const before = files.tokens;
    await clock.advance(60_000);
    expect(files.tokens).toBe(before);
    write('tokens', 'tokens: []\n');
    await clock.advance(5_000);
    expect(ids()).toEqual([]);
    write('tokens', GOOD);
    files.look();
    expect(ids()).toEqual([entry.id]);
  });

  test.each<[string, string, string]>([
    ['no YAML', 'tokens: [', 'tokens'],
    ['a role that there is not', GOOD.replace('"read"', '"root"'), 'role'],
    ['a token in clear', GOOD.replace(/"sha256":"[^"]+"/, '"sha256":"hunter2"'), '64 hex'],
    ['an id twice', `${GOOD}${tokenLine(entry)}\n`, 'twice'],
    ['two who command under one name', `${GOOD}${commander('bob')}\n${commander('bob')}\n`, 'bob'],
    ['the name of the operator token', `${GOOD}${commander('operator')}\n`, 'reserved'],
    ['an unknown field', GOOD.replace('"role"', '"colour":"red","role"'), 'colour'],
  ])('with %s changes nothing, and is a problem until it is mended', async (_, text, said) => {
    write('tokens', GOOD);
    begin({ tokensFile: path('tokens') });
    write('tokens', text);
    await clock.advance(10_000);
    expect(ids()).toEqual([entry.id]);
    expect(files.problems).toMatchObject([{ code: 'TOKENS_REFUSED', text: expect.stringContaining(said) }]);
    expect(log.events().filter((event) => event === 'http.tokens_refused')).toHaveLength(1);
    write('tokens', `${GOOD}\n`);
    await clock.advance(5_000);
    expect([files.problems, ids()]).toEqual([[], [entry.id]]);
  });

  test.skipIf(!HAS_OPENSSL)('has nobody command under the name of a certificate in the table', () => {
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=c1', '-keyout', 'key', '-out', 'cert'];
    execFileSync('openssl', made, { cwd: folder, stdio: 'ignore' });
    write('tokens', `${GOOD}${commander('deploy')}\n`);
    const clients = [{ subject: 'CN=deploy', name: 'deploy', role: 'operate' }];
    const tls = { certFile: path('cert'), keyFile: path('key'), clientCaFile: path('cert'), clients };
    begin({ tokensFile: path('tokens'), tls });
    const text = expect.stringContaining('the name deploy with the role operate twice');
    expect(files.problems).toMatchObject([{ code: 'TOKENS_REFUSED', text }]);
    write('tokens', `${GOOD}${commander('bob')}\n`);
    files.look();
    expect([ids().length, files.problems]).toEqual([2, []]);
  });

  test('may have a name twice among those who only read', () => {
    const other = makeToken(new SystemRandom(), { name: 'ann', role: 'read' }).entry;
    write('tokens', `${GOOD}${tokenLine(other)}\n${commander('ann')}\n`);
    begin({ tokensFile: path('tokens') });
    expect([ids().length, files.problems]).toEqual([3, []]);
  });

  test('that is missing at the start keeps nobody from starting', async () => {
    begin({ tokensFile: path('tokens') });
    expect([ids(), files.problems.map(({ code }) => code)]).toEqual([[], ['TOKENS_REFUSED']]);
    write('tokens', GOOD);
    await clock.advance(5_000);
    expect([ids(), files.problems]).toEqual([[entry.id], []]);
  });
});

describe('http.operatorTokenFile', () => {
  test('goes on being a way in, and one that is too short refuses the start', () => {
    write('operator', `${'a'.repeat(32)}\n`);
    begin({ operatorTokenFile: path('operator') });
    expect(files.tokens.operatorTokenHash).toHaveLength(32);
    write('short', 'hunter2');
    const config = HttpConfigSchema.parse({ operatorTokenFile: path('short') });
    expect(() => new AccessFiles({ http: config, clock, log })).toThrow(/at least 32/);
  });

  test('a certificate that cannot be used refuses the start', () => {
    write('cert', 'no certificate');
    begin({});
    const tls = { certFile: path('cert'), keyFile: path('cert') };
    expect(() => new AccessFiles({ http: HttpConfigSchema.parse({ tls }), clock, log })).toThrow(/cannot be used/);
  });
});
