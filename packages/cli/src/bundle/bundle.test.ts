import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { unpackTar } from 'modern-tar';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memberOf } from '../member.fixtures.ts';
import { buildProgram } from '../program.ts';
import { statusOf } from '../status.fixtures.ts';
import { Archive } from './archive.ts';
import { redactValue, redactWith } from './redact.ts';

/** Secrets of each kind, none of them real. */
const PLANTED = {
  operatorToken: 'the-operator-token-0123456789abcdef',
  masterKey: '0123456789abcdef'.repeat(4),
  ourToken: `us_k1_${'Q'.repeat(43)}`,
  awsKeyId: 'AKIAIOSFODNN7EXAMPLE',
  awsSecret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  awsSession: `IQoJb3JpZ2luX2Vj${'Ab1/'.repeat(20)}`,
  urlPassword: 'hunter2inTheUrl',
  etcdPassword: 'correct-horse-battery',
  bearer: 'abcdef0123456789.bearer',
  jwt: `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl`,
  webhook: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  userData: 'I2Nsb3VkLWNvbmZpZwpzZWNyZXQ6IHRydWU=',
  console: 'root login: toor-the-console',
  pem: 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC',
  query: 'c2lnbmVkLXF1ZXJ5',
} as const;

/** Text as people and machines write it, with every secret that may stand in one. */
const TALK = [
  `retry with ${PLANTED.awsKeyId} / ${PLANTED.awsSecret} session ${PLANTED.awsSession}`,
  `password=${PLANTED.etcdPassword} at https://ann:${PLANTED.urlPassword}@etcd:2379/`,
  `Authorization: Bearer ${PLANTED.bearer}, cookie ${PLANTED.jwt}, ${PLANTED.webhook}, ${PLANTED.ourToken}`,
  `key ${PLANTED.masterKey}, token ${PLANTED.operatorToken}`,
  `-----BEGIN PRIVATE KEY-----\n${PLANTED.pem}\n-----END PRIVATE KEY-----`,
  `GET /x?X-Amz-Signature=${PLANTED.query}&y=1`,
].join('\n');

const WITH_FIELDS = {
  ...{ userData: PLANTED.userData, operatorToken: PLANTED.operatorToken, password: PLANTED.etcdPassword },
  nested: [{ secretAccessKey: PLANTED.awsSecret, sessionToken: PLANTED.awsSession, privateKey: PLANTED.pem }],
};
const NOTHING_LEFT = (text: string): void => {
  for (const [kind, secret] of Object.entries(PLANTED)) expect([kind, text.includes(secret)]).toEqual([kind, false]);
};

let folder: string;
let server: Server;
let url: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-bundle-'));
  writeFileSync(join(folder, 'token'), PLANTED.operatorToken, { mode: 0o600 });
  server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/metrics') return response.end(`understudy_info{text="${TALK.replaceAll('\n', ' ')}"} 1\n`);
    const hold = { reason: 'NotReady', text: TALK, sinceWallMs: 1, untilWallMs: null } as const;
    const held = memberOf({ verdict: 'dead', reason: TALK, hold });
    const [coordinator] = statusOf({}).coordinators;
    const coordinators = coordinator === undefined ? [] : [{ ...coordinator, httpUrl: url }];
    const explained = {
      ...held,
      ...WITH_FIELDS,
      atWallMs: 1,
      console: { instanceId: 'i-1', capturedAtWallMs: 1, text: PLANTED.console },
    };
    const replies: Readonly<Record<string, unknown>> = {
      '/v1/status': {
        ...statusOf({ coordinators }),
        problems: [{ code: 'X', text: TALK, remedy: TALK }],
        ...WITH_FIELDS,
      },
      '/v1/members': { members: [{ ...held, ...WITH_FIELDS }], notEnrolled: [] },
      '/v1/recoveries': { open: [], history: [], note: TALK, ...WITH_FIELDS },
      '/v1/holds': { holds: [] },
      '/v1/leftovers': { leftovers: [] },
      '/v1/members/db/primary/explain': explained,
    };
    response.writeHead(replies[path] === undefined ? 500 : 200, { 'content-type': 'application/json' });
    return response.end(JSON.stringify(replies[path] ?? { detail: TALK, title: TALK, code: TALK }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

async function bundled(...more: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const program = buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment: {} });
  const output = join(folder, 'b.tar.gz');
  const words = ['bundle', '--url', url, '--token-file', join(folder, 'token'), '--output', output, ...more];
  await program.parseAsync(words, { from: 'user' });
  const files = await unpackTar(gunzipSync(readFileSync(output)));
  return new Map(
    files.map(({ header, data }) => [header.name.replace(/^[^/]+\//, ''), new TextDecoder().decode(data)]),
  );
}

describe('a bundle', () => {
  it('holds what every coordinator shows, says what is in it, and none of the planted secrets', async () => {
    const files = await bundled();
    for (const name of ['README.txt', 'status.json', 'coordinators/c1/metrics.txt', 'coordinators/c1/members.json'])
      expect([...files.keys()]).toContain(name);
    expect(files.get('coordinators/c1/members.json')).toContain('[removed');
    // What is not secret is still there.
    expect(files.get('coordinators/c1/members.json')).toContain('db/primary');
    expect(files.get('README.txt')).toContain('history.json  0 bytes  (left out:');
    NOTHING_LEFT([...files.values()].join('\n'));
    expect(statSync(join(folder, 'b.tar.gz')).mode & 0o777).toBe(0o600);
  });

  it('never holds a secret of a file that the configuration names, whatever it looks like', async () => {
    const words = 'plain words that look like nothing';
    const redact = redactWith([words]);
    expect(redact(`it said: ${words}!`)).toBe('it said: [removed: a secret of this host]!');
  });

  it('does not overwrite a file', async () => {
    await bundled();
    await expect(bundled()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(existsSync(join(folder, 'b.tar.gz'))).toBe(true);
  });
});

describe('removing secrets', () => {
  const redact = redactWith([PLANTED.operatorToken]);

  it('takes each kind out of text and out of fields', () => {
    NOTHING_LEFT(redact(TALK));
    const shown = JSON.stringify(redactValue({ ...WITH_FIELDS, console: { text: PLANTED.console }, TALK }, redact));
    NOTHING_LEFT(shown);
  });

  it('leaves alone what says nothing secret', () => {
    const value = {
      ...{
        keyId: 3,
        fingerprint: 'a1b2c3d4',
        keyFile: 'conf/master.key',
        userDataKeyId: 1,
        opId: 'op-6e893f4dac7ab479',
      },
      ...{ instanceId: 'i-07d23673f27000002', reason: 'silent at c1, c2', url: 'http://10.0.0.1:8080/v1/status' },
    };
    expect(redactValue(value, redact)).toEqual(value);
    const metrics = 'understudy_members{group="db",verdict="alive"} 3\n# HELP process_cpu_seconds_total x\n';
    expect(redact(metrics)).toBe(metrics);
  });
});

it('is bounded: a file is cut, and what is too much is left out and named', async () => {
  const archive = new Archive('b', (text) => text);
  for (let index = 0; index < 15; index += 1) archive.addText(`big-${index}`, 'x'.repeat(3_000_000));
  const notes = archive.entries.map(({ note }) => note);
  expect(notes[0]).toBe('cut from 3000000 bytes');
  expect(notes.at(-1)).toContain('left out');
  const all = archive.entries.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(all).toBeLessThanOrEqual(24 * 1_048_576);
  expect((await archive.close('readme', 0)).length).toBeLessThan(1_000_000);
});
