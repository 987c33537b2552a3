import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildProgram } from '../program.ts';
import { clientOf } from '../options/client-options.ts';
import { statusOf } from '../status.fixtures.ts';
import { findCluster } from './cluster.ts';
import { contextsPath, readContexts } from './contexts-file.ts';

let folder: string;
let environment: NodeJS.ProcessEnv;
let printed: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-contexts-'));
  environment = { XDG_CONFIG_HOME: folder };
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((printed += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const understudy = (...words: readonly string[]): Promise<unknown> =>
  buildProgram({ clock: new SimClock(), random: new SeededRandom(1), environment }).parseAsync(words, { from: 'user' });

function secret(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('the context file', () => {
  it('is written, listed, shown, used and forgotten; the first context is the current one', async () => {
    await understudy('context', 'add', 'prod', '--url', 'https://c1:8443,https://c2:8443', '--ca-file', '/pki/ca.pem');
    await understudy('context', 'add', 'lab', '--url', 'c9:8080');
    expect(readContexts(contextsPath(environment))).toEqual({
      current: 'prod',
      contexts: {
        prod: { urls: ['https://c1:8443', 'https://c2:8443'], caFile: '/pki/ca.pem' },
        lab: { urls: ['http://c9:8080'] },
      },
    });
    expect(statSync(contextsPath(environment)).mode & 0o777).toBe(0o600);
    await understudy('context', 'use', 'lab');
    printed = '';
    await understudy('context', 'list', '--json');
    expect(JSON.parse(printed)).toContainEqual({ name: 'lab', current: true, urls: ['http://c9:8080'] });
    await understudy('context', 'show');
    expect(printed).toContain('http://c9:8080');
    await understudy('context', 'remove', 'lab');
    expect(readContexts(contextsPath(environment)).current).toBeNull();
    await expect(understudy('context', 'use', 'lab')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('is refused with its line when it holds something else', () => {
    const path = contextsPath(environment);
    execFileSync('mkdir', ['-p', join(folder, 'understudy')]);
    writeFileSync(path, 'contexts:\n  prod:\n    urls: [a:1]\n    token: secret\n');
    expect(() => readContexts(path)).toThrow(/contexts\.yaml:\d+: contexts\.prod: .*token/);
    writeFileSync(path, 'current: gone\n');
    expect(() => readContexts(path)).toThrow('names no context');
  });
});

describe('the cluster that is asked', () => {
  beforeEach(async () => {
    const token = secret('prod.token', 'prod-token');
    await understudy('context', 'add', 'prod', '--url', 'p1:1', '--token-file', token);
    await understudy('context', 'add', 'lab', '--url', 'l1:1');
  });
  const found = (choice: Parameters<typeof findCluster>[0], more: NodeJS.ProcessEnv = {}) => {
    const { urls, token, context } = findCluster(choice, { ...environment, ...more });
    return [urls[0], token, context];
  };

  it('is that of the command line, then of the environment, then of the file', () => {
    const both = { UNDERSTUDY_URL: 'e1:1', UNDERSTUDY_CONTEXT: 'lab' };
    expect(found({ url: ['u1:1'] }, both)).toEqual(['http://u1:1', null, null]);
    expect(found({ context: 'prod' }, both)).toEqual(['http://p1:1', 'prod-token', 'prod']);
    expect(found({}, both)).toEqual(['http://e1:1', null, null]);
    expect(found({}, { UNDERSTUDY_CONTEXT: 'lab' })).toEqual(['http://l1:1', null, 'lab']);
    expect(found({})).toEqual(['http://p1:1', 'prod-token', 'prod']);
  });

  it('never gets the token of another: an address without a context has only the token that is named', () => {
    expect(found({ url: ['u1:1'] })).toEqual(['http://u1:1', null, null]);
    expect(found({ url: ['u1:1'], context: 'prod' })).toEqual(['http://u1:1', 'prod-token', 'prod']);
    expect(found({ url: ['u1:1'], tokenFile: secret('t', 'mine') })).toEqual(['http://u1:1', 'mine', null]);
  });

  it('is not guessed: an unknown context is refused, with those that are near', () => {
    expect(() => found({ context: 'prodd' })).toThrow('did you mean prod?');
  });

  it.each([0o640, 0o604, 0o644])('a token file of mode %o is refused', (mode) => {
    expect(() => found({ tokenFile: secret('wide', 'x', mode) })).toThrow(/chmod 600/);
  });
});

describe('https', () => {
  let server: Server;
  let seen: string[];
  const at = (name: string): string => join(folder, name);
  const openssl = (...words: readonly string[]): void =>
    void execFileSync('openssl', words, { cwd: folder, stdio: 'ignore' });

  /** Makes `name.pem` and `name.key`, signed by the authority. */
  function certificate(name: string, extension: string): void {
    openssl(
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'].concat([
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.csr`,
        '-subj',
        `/CN=${name}`,
      ]),
    );
    writeFileSync(at(`${name}.ext`), extension);
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'].concat([
        '-days',
        '2',
        '-out',
        `${name}.pem`,
        '-extfile',
        `${name}.ext`,
      ]),
    );
    chmodSync(at(`${name}.key`), 0o600);
  }

  beforeEach(async () => {
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'].concat([
        '-keyout',
        'ca.key',
        '-out',
        'ca.pem',
        '-subj',
        '/CN=authority',
      ]),
    );
    certificate('server', 'subjectAltName=IP:127.0.0.1\n');
    certificate('ann', 'extendedKeyUsage=clientAuth\n');
    seen = [];
    const files = {
      ca: readFileSync(at('ca.pem')),
      cert: readFileSync(at('server.pem')),
      key: readFileSync(at('server.key')),
    };
    server = createServer({ ...files, requestCert: true, rejectUnauthorized: false }, (request, response) => {
      const socket = request.socket as TLSSocket;
      seen.push(socket.authorized ? String(socket.getPeerCertificate().subject.CN) : 'nobody');
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(statusOf({})));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = (): string => `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

  it('believes the authority of the context and shows its certificate', async () => {
    const files = ['--ca-file', at('ca.pem'), '--cert-file', at('ann.pem'), '--key-file', at('ann.key')];
    await understudy('context', 'add', 'prod', '--url', url(), ...files);
    expect((await clientOf({}, environment).status()).coordinatorId).toBe('c2');
    expect(seen).toEqual(['ann']);
  });

  it('believes no other authority, and refuses a key that others can read', async () => {
    await expect(clientOf({ url: [url()] }, environment).status()).rejects.toMatchObject({
      code: 'COORDINATOR_UNAVAILABLE',
    });
    expect(seen).toEqual([]);
    const files = {
      UNDERSTUDY_CA_FILE: at('ca.pem'),
      UNDERSTUDY_CERT_FILE: at('ann.pem'),
      UNDERSTUDY_KEY_FILE: at('ann.key'),
    };
    chmodSync(at('ann.key'), 0o644);
    expect(() => clientOf({ url: [url()] }, files)).toThrow(/chmod 600/);
    await clientOf({ url: [url()] }, { UNDERSTUDY_CA_FILE: at('ca.pem') }).status();
    expect(seen).toEqual(['nobody']);
  });
});
