import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { commandFormatting, harmlessSetup, setupFormatting } from './cloud-config.ts';
import { parseYaml } from './read-yaml.ts';

const configOf = (yaml: string) => parseYaml(yaml) as Record<string, unknown>;
const commands = (yaml: string) =>
  commandFormatting(configOf(yaml), (packed) => gunzipSync(packed)).map(({ where, what }) => `${where}: ${what}`);
const base64 = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64');

describe('what disk_setup and fs_setup format', () => {
  const config = configOf(`
device_aliases: { ephemeral1: /dev/xvdg }
disk_setup: { /dev/xvdf: {}, ephemeral0: {}, ephemeral1: {} }
fs_setup: [{ device: ephemeral0.1 }, { device: ephemeral1.1 }, { device: ephemeral0x }, { label: x }, nonsense]
`);

  it('is every disk but those of an instance store; an entry without a device is named too', () => {
    expect(setupFormatting(config)).toEqual([
      { where: 'disk_setup', what: '/dev/xvdf', canBeOverridden: true },
      { where: 'disk_setup', what: 'ephemeral1', canBeOverridden: true },
      { where: 'fs_setup', what: 'ephemeral1.1', canBeOverridden: true },
      { where: 'fs_setup', what: 'ephemeral0x', canBeOverridden: true },
      { where: 'fs_setup', what: '(no device)', canBeOverridden: true },
    ]);
  });

  it('leaves the disks of an instance store when all that is taken out', () => {
    expect(harmlessSetup(config)).toEqual({ disk_setup: { ephemeral0: {} }, fs_setup: [{ device: 'ephemeral0.1' }] });
    expect(harmlessSetup({})).toEqual({ disk_setup: {}, fs_setup: [] });
  });
});

describe('commands of a cloud-config', () => {
  it.each([
    ['a text', 'runcmd: mkfs /dev/sdb', ['runcmd: mkfs /dev/sdb']],
    ['a list of lines', 'bootcmd: [lsblk, mkfs /dev/sdb]', ['bootcmd: mkfs /dev/sdb']],
    ['a list of words, with a number among them', 'runcmd: [[mkfs, -b, 4096, /dev/sdb]]', ['runcmd: mkfs /dev/sdb']],
    ['under snap, as a mapping', 'snap: { commands: { 01: mkfs /dev/sdb } }', ['snap: mkfs /dev/sdb']],
    ['neither lines nor words', 'runcmd: [1, null, { a: mkfs }]', []],
    ['none', 'runcmd: null', []],
  ])('%s', (_what, yaml, found) => {
    expect(commands(yaml)).toEqual(found);
  });

  it('come after what is written, and before what lxd does; no later part takes them back', () => {
    const yaml = `
lxd: { init: { storage_create_device: /dev/sdd } }
runcmd: [mkfs /dev/sdc]
bootcmd: [mkfs /dev/sdb]
write_files: [{ content: mkfs /dev/sda }]
`;
    expect(commands(yaml)).toEqual([
      'write_files: mkfs /dev/sda',
      'bootcmd: mkfs /dev/sdb',
      'runcmd: mkfs /dev/sdc',
      'lxd: /dev/sdd',
    ]);
    expect(commandFormatting(configOf(yaml), () => null).every((one) => !one.canBeOverridden)).toBe(true);
  });
});

describe('what write_files writes is read', () => {
  const script = 'mkfs /dev/sdb';
  it.each([
    ['as text', `content: ${script}`],
    ['of an encoding cloud-init does not know', `{ encoding: rot13, content: ${script} }`],
    ['from b64', `{ encoding: b64, content: ${base64(script)} }`],
    ['from Base64', `{ encoding: " Base64", content: ${base64(script)} }`],
    ['from gz+b64', `{ encoding: gz+b64, content: ${base64(gzipSync(script))} }`],
    ['from gzip+base64', `{ encoding: gzip+base64, content: ${base64(gzipSync(script))} }`],
    ['from GZIP in !!binary', `{ encoding: GZIP, content: !!binary ${base64(gzipSync(script))} }`],
    ['from gz in !!binary', `{ encoding: gz, content: !!binary ${base64(gzipSync(script))} }`],
    ['from !!binary alone', `content: !!binary ${base64(script)}`],
  ])('%s', (_what, file) => {
    expect(commands(`write_files:\n- ${file}`)).toEqual(['write_files: mkfs /dev/sdb']);
  });

  it.each([
    ['is not packed although it says so', '{ encoding: gzip, content: mkfs /dev/sdb }'],
    ['is missing', '{ path: /x }'],
    ['is no text', '{ content: 7 }'],
  ])('and is nothing where it %s', (_what, file) => {
    const found = commandFormatting(configOf(`write_files:\n- ${file}`), () => null);
    expect(found).toEqual([]);
  });
});
