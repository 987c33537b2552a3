import { gzipSync, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FirstBoot, firstBootOf } from './first-boot.ts';

const unzip = (packed: Buffer): Buffer | null => {
  try {
    return gunzipSync(packed, { maxOutputLength: 1_048_576 });
  } catch {
    return null;
  }
};
const encoded = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const look = (text: string): FirstBoot => firstBootOf(encoded(text), unzip);
const found = (text: string): string[] => look(text).formatting.map((one) => `${one.where}: ${one.what}`);
const multipart = (...parts: readonly string[]): string =>
  `Content-Type: multipart/mixed; boundary="==B=="\nMIME-Version: 1.0\n\n${parts.map((part) => `--==B==\n${part}\n`).join('')}--==B==--\n`;
const part = (type: string, text: string, more = ''): string =>
  `Content-Type: ${type}; charset="us-ascii"\n${more}\n${text}`;

/** canonical/cloud-init 2766 and Azure/acs-engine 557, shortened. */
const SETUP = `#cloud-config
disk_setup:
  /dev/nvme1n1: { table_type: gpt, layout: true, overwrite: true }
fs_setup:
  - { label: data, filesystem: ext4, device: /dev/nvme1n1, partition: auto, overwrite: false }
mounts:
  - [/dev/nvme1n1, /data]
`;

describe('the first boot formats', () => {
  it.each([
    [
      'disk_setup and fs_setup, also with overwrite: false',
      SETUP,
      ['disk_setup: /dev/nvme1n1', 'fs_setup: /dev/nvme1n1'],
    ],
    [
      'a document that begins with ---',
      '#cloud-config\n\n---\ndisk_setup:\n    /dev/xvdf:\n        overwrite: false\n',
      ['disk_setup: /dev/xvdf'],
    ],
    [
      'a list of words in runcmd',
      '#cloud-config\nruncmd:\n- [mkfs, -t, ext4, /dev/xvdf]\n',
      ['runcmd: mkfs /dev/xvdf'],
    ],
    [
      'cloud-init-per in bootcmd',
      '#cloud-config\nbootcmd:\n- [cloud-init-per, instance, fs, /sbin/mkfs.xfs, /dev/vdb]\n',
      ['bootcmd: mkfs.xfs /dev/vdb'],
    ],
    ['a script', '#!/bin/bash\nset -e\nblkid /dev/sdf || sudo mkfs -t ext4 /dev/sdf\n', ['script: mkfs /dev/sdf']],
    [
      'a program of another language',
      '#!/usr/bin/python3\nsubprocess.run(["mkfs.ext4","-F","/dev/xvdf"])\n',
      ['script: mkfs.ext4 /dev/xvdf'],
    ],
    ['a boothook', '#cloud-boothook\n#!/bin/sh\nwipefs -a /dev/xvdf\n', ['boothook: wipefs /dev/xvdf']],
    [
      'a script that is written and run later',
      '#cloud-config\nwrite_files:\n- path: /x.sh\n  encoding: b64\n  content: ' + encoded('sgdisk -Z /dev/sdb') + '\n',
      ['write_files: sgdisk /dev/sdb'],
    ],
    [
      'an archive',
      '#cloud-config-archive\n- type: text/x-shellscript\n  content: |\n    #!/bin/sh\n    pvcreate /dev/sdf\n',
      ['script: pvcreate /dev/sdf'],
    ],
    ['a template', '## template: jinja\n#cloud-config\nfs_setup:\n- device: /dev/sdf\n', ['fs_setup: /dev/sdf']],
    [
      'a template that is no YAML before it is filled in',
      '## template: jinja\n#cloud-config\n{% if v1.region %}\nfs_setup: [{ device: /dev/sdf }]\n{% endif %}\n',
      ['cloud-config: fs_setup'],
    ],
    ['a patch', '#cloud-config-jsonp\n[{"op":"add","path":"/fs_setup","value":[]}]', ['patch: fs_setup']],
    [
      'an alias that names an instance store disk and means another',
      '#cloud-config\ndevice_aliases: { ephemeral0: /dev/xvdf }\nfs_setup: [{ device: ephemeral0 }]\n',
      ['fs_setup: ephemeral0'],
    ],
    [
      'lxd',
      '#cloud-config\nlxd: { init: { storage_backend: zfs, storage_create_device: /dev/xvdf } }\n',
      ['lxd: /dev/xvdf'],
    ],
    [
      'a key that stands twice',
      '#cloud-config\nfs_setup: []\nfs_setup: [{ device: /dev/sdf }]\n',
      ['fs_setup: /dev/sdf'],
    ],
    [
      'a script with a message inside',
      '#!/bin/sh\nmkfs.ext4 /dev/sdf\n\ncat > m <<E\nMIME-Version: 1.0\nE\n',
      ['script: mkfs.ext4 /dev/sdf'],
    ],
    [
      'a cloud-config with a capital letter and blanks before it',
      ' \n#Cloud-Config\nfs_setup: [{ device: /dev/sdf }]\n',
      ['fs_setup: /dev/sdf'],
    ],
  ])('by %s', (_name, text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it('by any part of a message: plain, base64, quoted-printable, packed', () => {
    const script = '#!/bin/sh\nmdadm --create /dev/md0 --level=1 /dev/sdf /dev/sdg\n';
    const parts = [
      part('text/x-shellscript', script),
      part('text/x-shellscript', encoded(script.replaceAll('md0', 'md1')), 'Content-Transfer-Encoding: base64\n'),
      part(
        'text/plain',
        script.replaceAll('md0', 'md2').replaceAll('=', '=3D'),
        'Content-Transfer-Encoding: quoted-printable\n',
      ),
      part(
        'application/x-gzip',
        gzipSync(script.replaceAll('md0', 'md3')).toString('base64'),
        'Content-Transfer-Encoding: base64\n',
      ),
    ];
    const expected = [0, 1, 2, 3].map((number) => `script: mdadm /dev/md${number}`);
    expect(found(multipart(...parts))).toEqual(expected);
    expect(found(multipart(`Content-Type: multipart/mixed; boundary=in\n\n--in\n${parts[0]}\n--in--`))).toEqual([
      expected[0],
    ]);
    const packed = gzipSync(multipart(...parts)).toString('base64');
    expect(firstBootOf(packed, unzip).formatting).toHaveLength(4);
  });

  it('unless a later part of cloud-config says otherwise: its keys replace the earlier ones', () => {
    const later = part('text/cloud-config', '#cloud-config\ndisk_setup: {}\nfs_setup: []\n');
    expect(found(multipart(part('text/cloud-config', SETUP), later))).toEqual([]);
    expect(found(multipart(later, part('text/cloud-config', SETUP)))).toHaveLength(2);
    const merging = later.replace('#cloud-config\n', '#cloud-config\nmerge_how: dict(recurse_dict)+list(append)\n');
    expect(found(multipart(part('text/cloud-config', SETUP), merging))).toHaveLength(2);
    const byHeader = part('text/cloud-config', '#cloud-config\nfs_setup: []\n', 'Merge-Type: list(append)\n');
    expect(found(multipart(part('text/cloud-config', SETUP), byHeader))).toHaveLength(2);
  });
});

describe('the first boot does not format', () => {
  it.each([
    ["the agent's own YAML", 'member: db/one\nkey: { id: 1, hex: aa }\nchecks: { storage: { devices: [/dev/sdf] } }\n'],
    [
      'users, packages and mounts',
      '#cloud-config\npackages: [parted, gdisk, mdadm, xfsprogs]\nmounts: [[/dev/sdf, /data]]\nruncmd: [systemctl start postgresql]\n',
    ],
    [
      'programs that are only installed, looked for or asked',
      '#!/bin/sh\napt-get install -y \\\n  parted mkfs.xfs\nyum -y install lvm2 && which mkfs.ext4\nfdisk -l\nparted /dev/sdf print\nwipefs /dev/sdf\nmdadm --detail /dev/md0\ndd if=/dev/zero of=/swapfile bs=1M count=9\nmkswap /swapfile\nzpool import tank\n# mkfs.ext4 /dev/sdf\necho x > /dev/null 2>&1\n',
    ],
    [
      'an instance store disk',
      '#cloud-config\nfs_setup: [{ device: ephemeral0.1, filesystem: ext4 }]\ndisk_setup: { ephemeral0: { layout: true } }\n',
    ],
    ['a cloud-config without anything', '#cloud-config\n'],
    ['nothing', ''],
  ])('with %s', (_name, text) => {
    expect(look(text)).toEqual({ formatting: [], unexamined: [], neutralised: null });
  });
});

describe('what nobody can look into beforehand is named', () => {
  it.each([
    ['#include\nhttps://example.test/x\n', 'it includes what is kept elsewhere (#include)'],
    ['#part-handler\ndef list_types(): return ["text/x"]\n', 'a part handler, which is a program'],
    ['#cloud-config\na: [\n', 'a cloud-config that is no YAML mapping'],
    ['## template: jinja\n#cloud-config\nusers: []\n', 'a template that is filled in at boot (jinja)'],
    [
      'MIME-Version: 1.0\nContent-Type: multipart/mixed\n\nx',
      'a part that is packed, encrypted, or of a type that cloud-init does not know',
    ],
    [
      '{"ignition":{"version":"3.0.0"},"storage":{"disks":[{"device":"/dev/sdf","wipeTable": true}]}}',
      'an Ignition document that wipes disks',
    ],
  ])('%j', (text, words) => {
    expect(look(text).unexamined).toEqual([words]);
  });

  it('also bytes that are no text', () => {
    const bytes = Buffer.from([0x1f, 0x8b, 1, 2, 3]).toString('base64');
    expect(firstBootOf(bytes, unzip).unexamined).toHaveLength(1);
  });

  it('and nothing of it is repeated: user data holds secrets', () => {
    const text = '#!/bin/sh\nTOKEN=s3cret mkfs.ext4 /dev/sdf && curl -H "Authorization: s3cret" https://example.test\n';
    expect(JSON.stringify(look(text))).not.toContain('s3cret');
  });
});

describe('what formats can be taken back', () => {
  const decoded = (boot: FirstBoot): string => Buffer.from(boot.neutralised ?? '', 'base64').toString('utf8');

  it('by one more part at the end; the original text stays byte for byte, and the result formats no more', () => {
    const text = decoded(look(SETUP));
    expect(text).toContain(SETUP);
    expect(text).toContain('{"disk_setup":{},"fs_setup":[]}');
    expect(look(text)).toEqual({ formatting: [], unexamined: [], neutralised: null });
  });

  it('also in a message, which becomes a part of its own', () => {
    const message = multipart(part('text/cloud-config', SETUP), part('text/x-shellscript', '#!/bin/sh\ntouch /x\n'));
    const text = decoded(look(message));
    expect(text).toContain(message);
    expect(found(text)).toEqual([]);
  });

  it('with what an instance store disk needs', () => {
    const text = `${SETUP}`.replace('fs_setup:\n', 'fs_setup:\n  - { device: ephemeral0, filesystem: xfs }\n');
    expect(decoded(look(text))).toContain('"fs_setup":[{"device":"ephemeral0","filesystem":"xfs"}]');
  });

  it.each([
    ['a command', `${SETUP}runcmd: [mkfs.ext4 /dev/sdg]\n`],
    ['a text that would become longer than EC2 takes', `${SETUP}# ${'x'.repeat(16_000)}\n`],
    ['a part handler', multipart(part('text/part-handler', '#part-handler\n'), part('text/cloud-config', SETUP))],
  ])('but not with %s', (_name, text) => {
    expect(look(text).formatting.length).toBeGreaterThan(0);
    expect(look(text).neutralised).toBeNull();
  });
});

describe('any user data', () => {
  it('is looked through without an exception', () => {
    const word = fc.constantFrom(
      '#cloud-config\n',
      '#!',
      'MIME-Version: 1.0\n',
      '--b\n',
      '\n',
      'fs_setup:',
      ' *x',
      '&x [*x]',
      '{%',
      '\0',
      '- a\n',
    );
    let examined = 0;
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 12 }), (pieces) => {
        look(pieces.join(''));
        examined += pieces.length > 2 ? 1 : 0;
      }),
      { numRuns: 300 },
    );
    expect(examined).toBeGreaterThan(100);
  });
});
