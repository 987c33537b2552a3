import { AgentConfigSchema } from '@understudy/agent';
import { keyIdInUserData } from '@understudy/recovery';
import { firstBootOf } from '@understudy/recovery/testing';
import { execFileSync, spawnSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { agentConfigText } from './agent-config-text.ts';
import { installScript } from './install-script.ts';
import { type InstallSettings, tarballsIn } from './install-settings.ts';
import { USER_DATA_BYTES_MAX, USER_DATA_FORMATS, userDataText } from './user-data-text.ts';

const PEM = `-----BEGIN CERTIFICATE-----\n${`${'A'.repeat(64)}\n`.repeat(20)}-----END CERTIFICATE-----\n`;
const SETTINGS: InstallSettings = {
  group: 'orders-db',
  member: 'primary',
  coordinators: ['c1.internal:7946', 'c2.internal:7946', 'c3.internal:7946'],
  artefactUrls: ['https://c1.internal:8080/artefacts', 'https://c2.internal:8080/artefacts'],
  tarballs: {
    x64: { name: 'understudy-agent-0.1.0-linux-x64.tar.gz', sha256: 'a'.repeat(64) },
    arm64: { name: 'understudy-agent-0.1.0-linux-arm64.tar.gz', sha256: 'b'.repeat(64) },
  },
  keyId: 3,
  key: { kind: 'ssmParameter', reference: '/understudy/keys/orders-db/primary' },
  caPem: PEM,
  workloads: ['postgresql@15-main.service', 'odd\\x2dname.service'],
};

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const unzip = (packed: Buffer): Buffer => gunzipSync(packed);
const OWN_CONFIG = '#cloud-config\nssh_deletekeys: false\n';
const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0;

describe.each(USER_DATA_FORMATS)('user data as %s', (format) => {
  const text = userDataText(SETTINGS, format);

  it('fits into EC2, with an authority of 1.4 kB and both workloads', () => {
    expect(Buffer.byteLength(text)).toBeLessThan(USER_DATA_BYTES_MAX / 2);
  });

  it('is understood by the recovery: it formats nothing, hides nothing, and names its key', () => {
    const boot = firstBootOf(base64(text), unzip);
    expect([boot.formatting, boot.unexamined]).toEqual([[], []]);
    expect(keyIdInUserData(base64(text))).toBe(3);
  });

  it('holds no secret', () => {
    expect(text).not.toMatch(/\b[0-9a-f]{64}\b(?=['"\s]*>"\$key)/);
    expect(userDataText({ ...SETTINGS, key: { kind: 'image' } }, format)).not.toContain('agent.key.new');
  });
});

describe('the script', () => {
  test.each([
    ['with a key in a parameter', SETTINGS],
    [
      'with its key in it, no authority, no workload',
      { ...SETTINGS, key: { kind: 'embedded', hex: 'ab'.repeat(32) }, caPem: null, workloads: [] },
    ],
  ] as const)('%s is good POSIX shell', (_name, settings) => {
    expect(spawnSync('sh', ['-n'], { input: installScript(settings) }).status).toBe(0);
    if (!hasShellcheck) return;
    const checked = spawnSync('shellcheck', ['--shell=sh', '-'], { input: installScript(settings), encoding: 'utf8' });
    expect(checked.stdout).toBe('');
    expect(checked.status).toBe(0);
  });

  it('pins both architectures, asks every coordinator, and writes a configuration that the agent takes', () => {
    const script = installScript(SETTINGS);
    for (const { name, sha256 } of Object.values(SETTINGS.tarballs))
      expect(script).toContain(`name=${name} sum=${sha256}`);
    for (const url of SETTINGS.artefactUrls) expect(script).toContain(`'${url}'`);
    const config = AgentConfigSchema.parse(parse(agentConfigText(SETTINGS)));
    expect(config).toMatchObject({
      member: 'orders-db/primary',
      key: { id: 3, ssmParameter: SETTINGS.key.kind === 'ssmParameter' ? SETTINGS.key.reference : '' },
    });
    expect(config.activation.workloads).toEqual(SETTINGS.workloads);
  });

  it.each([
    [PEM, '/etc/understudy/coordinators-ca.pem'],
    [null, undefined],
  ])('of an agent that enrols says whom it asks and believes, and holds nothing secret', (caPem, caFile) => {
    const urls = ['https://c1.internal:8443', 'https://c2.internal:8443'];
    const settings: InstallSettings = { ...SETTINGS, key: { kind: 'enrol', urls }, caPem };
    expect(AgentConfigSchema.parse(parse(agentConfigText(settings))).key).toEqual(
      expect.objectContaining({ enrolAt: urls, ...(caFile === undefined ? {} : { caFile }) }),
    );
    expect(agentConfigText(settings)).not.toMatch(/[0-9a-f]{32}/);
    // The id comes with the key, so the recovery has nothing to warn of.
    for (const format of USER_DATA_FORMATS) expect(keyIdInUserData(base64(userDataText(settings, format)))).toBeNull();
  });

  it('is the same in a cloud-config', () => {
    const config = parse(userDataText(SETTINGS, 'cloud-config')) as {
      write_files: { content: string }[];
      runcmd: string[][];
    };
    expect(config.write_files[0]?.content).toBe(installScript(SETTINGS));
    expect(config.runcmd).toEqual([['sh', '/run/understudy-install.sh']]);
  });
});

describe('after user data of one’s own', () => {
  const partsOf = (text: string): readonly string[] => {
    const read =
      'import email, sys\nfor p in email.message_from_file(sys.stdin).walk():\n  print(p.get_content_type())';
    return execFileSync('python3', ['-c', read], { input: text, encoding: 'utf8' }).trim().split('\n');
  };
  const hasPython = spawnSync('python3', ['--version']).status === 0;

  test.each([
    ['a cloud-config', OWN_CONFIG, ['text/cloud-config']],
    ['a script', '#!/bin/bash\necho hello\n', ['text/x-shellscript']],
    [
      'multipart',
      userDataText(SETTINGS, 'multipart', OWN_CONFIG),
      ['multipart/mixed', 'text/cloud-config', 'text/x-shellscript'],
    ],
  ])('%s comes first, unchanged', (_name, own, types) => {
    const text = userDataText(SETTINGS, 'multipart', own);
    expect(text).toContain(own.trimEnd());
    expect(text.indexOf(own.trimEnd())).toBeLessThan(text.lastIndexOf('understudy-install.sh'));
    expect(firstBootOf(base64(text), unzip).unexamined).toEqual([]);
    if (hasPython) expect(partsOf(text)).toEqual(['multipart/mixed', ...types, 'text/x-shellscript']);
  });

  it('that formats a disk is still seen to', () => {
    const own = '#cloud-config\nfs_setup: [{ device: /dev/sdf, filesystem: ext4, overwrite: true }]\n';
    const boot = firstBootOf(base64(userDataText(SETTINGS, 'multipart', own)), unzip);
    expect(boot.formatting.length).toBeGreaterThan(0);
  });

  it('that is too long is refused with the numbers, and so is what nobody knows', () => {
    const long = `${OWN_CONFIG}# ${'x'.repeat(16_000)}\n`;
    expect(() => userDataText(SETTINGS, 'multipart', long)).toThrow(/user data of \d{5} bytes, and EC2 takes 16384/);
    expect(() => userDataText(SETTINGS, 'multipart', 'hello')).toThrow(/begins like none/);
  });
});

describe('the list of sums', () => {
  const line = (version: string, architecture: string) =>
    `${'a'.repeat(64)}  understudy-agent-${version}-linux-${architecture}.tar.gz`;

  it('gives the tarballs of one version, and of a chosen one of several', () => {
    const both = [
      line('0.1.0', 'x64'),
      line('0.1.0', 'arm64'),
      `${'c'.repeat(64)}  understudy-agent_0.1.0_amd64.deb`,
    ].join('\n');
    expect(tarballsIn(both, null)?.x64.name).toBe('understudy-agent-0.1.0-linux-x64.tar.gz');
    const four = [both, line('0.2.0', 'x64'), line('0.2.0', 'arm64')].join('\n');
    expect(tarballsIn(four, null)).toBeNull();
    expect(tarballsIn(four, '0.2.0')?.arm64.name).toBe('understudy-agent-0.2.0-linux-arm64.tar.gz');
  });

  it.each([
    ['nothing', ''],
    ['one architecture', line('0.1.0', 'x64')],
    ['a sum that is too short', line('0.1.0', 'x64').slice(1) + '\n' + line('0.1.0', 'arm64')],
  ])('gives none of %s', (_name, sums) => {
    expect(tarballsIn(sums, null)).toBeNull();
  });
});
