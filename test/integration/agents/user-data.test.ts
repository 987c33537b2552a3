import { openUdpSocket } from '@understudy/agent';
import { TestCoordinator, TestMetadataService } from '@understudy/agent/testing';
import { artefactsFolder, closeServers, serveApi } from '@understudy/coordinator/testing';
import { until } from '@understudy/shared/node';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasOpenssl, makeCertificates } from '../etcd/certificates.ts';
import { layOutProgram, shippedUnit } from './installed.ts';
import { Machine, makeTree, missingForMachines, type Ran } from './machine.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const missing = missingForMachines() ?? (hasOpenssl ? makeTree() : 'needs openssl');
const AGENT = 'understudy-agent.service';
const ARCHITECTURES = { x64: 'x64', arm64: 'arm64' } as const;
const DEAD = 'https://127.0.0.1:1/artefacts';
const nameOf = (architecture: string): string => `understudy-agent-0.1.0-linux-${architecture}.tar.gz`;

/** A tarball as the package makes it, from this tree's program and scripts. */
async function makeTarballs(folder: string): Promise<string> {
  const tree = join(folder, 'tree');
  mkdirSync(tree);
  cpSync(await layOutProgram(folder), join(tree, 'agent'), { recursive: true });
  for (const part of ['config', 'units']) mkdirSync(join(tree, part));
  copyFileSync(join(ROOT, 'deploy/config/agent.yaml'), join(tree, 'config/agent.yaml'));
  copyFileSync(join(ROOT, 'deploy/agent/install.sh'), join(tree, 'install.sh'));
  for (const unit of [AGENT, 'understudy-active.target']) writeFileSync(join(tree, 'units', unit), shippedUnit(unit));
  writeFileSync(join(tree, 'release'), `VERSION=0.1.0\nARCHITECTURE=${process.arch}\nNODE_VERSION=24\nCOMMIT=0\n`);
  const sums = 'find . -type f ! -name SHA256SUMS | sed "s,^./,," | sort | xargs sha256sum > SHA256SUMS';
  execFileSync('sh', ['-c', sums], { cwd: tree });
  const artefacts = join(folder, 'artefacts');
  mkdirSync(artefacts);
  const lines = Object.values(ARCHITECTURES).map((architecture) => {
    execFileSync('tar', ['-czf', join(artefacts, nameOf(architecture)), '.'], {
      cwd: tree,
      env: { ...process.env, GZIP: '-1' },
    });
    const sum = createHash('sha256')
      .update(readFileSync(join(artefacts, nameOf(architecture))))
      .digest('hex');
    return `${sum}  ${nameOf(architecture)}\n`;
  });
  writeFileSync(join(artefacts, 'SHA256SUMS'), lines.join(''));
  return artefacts;
}

describe.skipIf(missing !== null)(`user data on a fresh machine${missing === null ? '' : ` (${missing})`}`, () => {
  let folder = '';
  let machine: Machine;
  let heard: TestCoordinator;
  let imds: TestMetadataService;
  let honest = '';
  let liar = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'understudy-user-data-'));
    makeCertificates(folder);
    const artefacts = await makeTarballs(folder);
    const lying = join(folder, 'lying');
    mkdirSync(lying);
    for (const architecture of Object.values(ARCHITECTURES))
      writeFileSync(join(lying, nameOf(architecture)), 'another tarball');
    copyFileSync(join(artefacts, 'SHA256SUMS'), join(lying, 'SHA256SUMS'));
    const pem = (name: string) => readFileSync(join(folder, name));
    const tls = { cert: pem('server.pem'), key: pem('server.key'), clientCa: null, peerCa: null };
    const serve = async (path: string) =>
      (await serveApi({ tls, access: { anonymous: 'none', isSecure: true }, artefacts: artefactsFolder(path) })).url;
    honest = `${await serve(artefacts)}/artefacts`;
    liar = `${await serve(lying)}/artefacts`;
    heard = new TestCoordinator(await openUdpSocket({ family: 4, host: '127.0.0.1' }), 'c1');
    imds = await TestMetadataService.open();
    writeFileSync(join(folder, 'agent.key'), '0b'.repeat(32));
    machine = new Machine({ '/mnt/test': folder });
    const environment = `[Service]\nEnvironment=AWS_EC2_METADATA_SERVICE_ENDPOINT=${imds.endpoint}\n`;
    machine.write(`/etc/systemd/system/${AGENT}.d/test.conf`, environment);
    machine.write('/etc/systemd/system/db.service', '[Service]\nExecStart=/bin/sleep 1000000\n');
    await machine.boot();
  });
  afterAll(async () => {
    await machine?.remove();
    await closeServers();
    await heard?.socket.close();
    imds?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Prints user data with the command itself. */
  const printed = (urls: readonly string[], more: readonly string[] = ['--ca', join(folder, 'ca.pem')]): string =>
    execFileSync(
      join(ROOT, 'understudy'),
      [
        ...[
          'user-data',
          '--group',
          'shop',
          '--member',
          'db-1',
          '--coordinators',
          `127.0.0.1:${heard.socket.localPort}`,
        ],
        ...[
          '--sums',
          join(folder, 'artefacts/SHA256SUMS'),
          '--key-file',
          join(folder, 'agent.key'),
          '--workload',
          'db.service',
        ],
        ...urls.flatMap((url) => ['--artefact-url', url]),
        ...more,
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
  const runs = async (text: string, rounds = 1) => {
    writeFileSync(join(folder, 'user-data.sh'), text);
    return machine.run('sh', '-c', `UNDERSTUDY_ROUNDS=${rounds} sh /mnt/test/user-data.sh`);
  };
  const works = ({ code, output }: Ran) => expect(code, output).toBe(0);
  const mainPid = async () => (await machine.run('systemctl', 'show', '--property=MainPID', '--value', AGENT)).output;
  const forget = () => machine.run('rm', '-f', '/var/lib/understudy/.tarball');

  it('gets nothing where every answer is wrong, says why, and leaves no agent', async () => {
    const ran = await runs(printed([DEAD, liar]));
    expect(ran.code).toBe(1);
    expect(ran.output).toMatch(/not from https:\/\/127\.0\.0\.1:1\/artefacts/);
    expect(ran.output).toMatch(/is not what was asked for: SHA-256 [0-9a-f]{64}/);
    expect(ran.output).toMatch(/may be run again/);
    expect((await machine.run('test', '-e', '/usr/lib/understudy')).code).toBe(1);
    expect((await machine.run('sh', '-c', 'ls /var/tmp | grep understudy')).output).toBe('');
  });

  it('trusts no certificate but those of its authority', async () => {
    const ran = await runs(printed([honest], []));
    expect(ran.code).toBe(1);
    expect(ran.output).toMatch(/certificate|SSL/i);
  });

  it('installs and starts the agent, past a dead coordinator and one that lies; it speaks with its key', async () => {
    const ran = await runs(printed([DEAD, liar, honest]));
    works(ran);
    await until('an authentic heartbeat', () => heard.heard.length > 0);
    expect(heard.rejected).toEqual([]);
    for (const path of ['agent.yaml', 'agent.key'])
      expect((await machine.run('stat', '-c', '%a', `/etc/understudy/${path}`)).output).toBe('600');
    const follows = await machine.run('systemctl', 'show', '--property=Requisite', '--value', 'db.service');
    expect(follows.output).toContain('understudy-active.target');
    expect(await machine.stateOf('db.service')).toBe('inactive');
  });

  it('run again it changes nothing, and the agent is not started again', async () => {
    const before = await mainPid();
    works(await runs(printed([DEAD])));
    expect(await mainPid()).toBe(before);
  });

  it('leaves an edited configuration, a rotated key and the state, also when it installs anew', async () => {
    await machine.run(
      'sh',
      '-c',
      'echo "log: { level: debug }" >> /etc/understudy/agent.yaml; cp /var/lib/understudy/keys.json /tmp/',
    );
    await forget();
    const ran = await runs(printed([honest]));
    works(ran);
    expect(ran.output).toMatch(/was edited here and is left as it is/);
    expect((await machine.run('tail', '-1', '/etc/understudy/agent.yaml')).output).toBe('log: { level: debug }');
    expect((await machine.run('cmp', '/var/lib/understudy/keys.json', '/tmp/keys.json')).code).toBe(0);
  });

  it('follows a change of its own, where nobody edited', async () => {
    await machine.run('sh', '-c', "sed -i '$d' /etc/understudy/agent.yaml");
    const before = await mainPid();
    works(await runs(printed([honest], ['--ca', join(folder, 'ca.pem'), '--key-id', '2'])));
    expect((await machine.run('grep', '^key', '/etc/understudy/agent.yaml')).output).toContain('id: 2');
    expect(await mainPid()).not.toBe(before);
  });

  it.each([
    ['wget', 'rm -f /usr/bin/curl'],
    ['python3', 'rm -f /usr/bin/curl /usr/bin/wget'],
  ])('does with %s where there is nothing better', async (_name, remove) => {
    await machine.run('sh', '-c', remove);
    await forget();
    works(await runs(printed([DEAD, honest])));
    expect((await machine.run('test', '-e', '/var/lib/understudy/.tarball')).code).toBe(0);
  });

  it('says what is missing where there is nothing at all', async () => {
    await machine.run('sh', '-c', 'rm -f /usr/bin/python3');
    await forget();
    const ran = await runs(printed([honest]));
    expect(ran.code).toBe(1);
    expect(ran.output).toMatch(/neither curl nor wget nor python3/);
  });
});
