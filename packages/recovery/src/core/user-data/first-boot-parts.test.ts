import { describe, expect, it } from 'vitest';
import { firstBootOf } from './first-boot.ts';

const look = (text: string) => firstBootOf(Buffer.from(text).toString('base64'), () => null);
const found = (text: string) => look(text).formatting.map(({ where, what }) => `${where}: ${what}`);
const message = (...parts: readonly (readonly [type: string, text: string])[]) =>
  [
    'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n',
    ...parts.map(([type, text]) => `--b\nContent-Type: ${type}\n\n${text}`),
    '--b--\n',
  ].join('\n');
const SETUP = ['text/cloud-config', '#cloud-config\nfs_setup: [{ device: /dev/sdf }]\n'] as const;

describe('a part of user data', () => {
  it.each([
    ['an upstart job', '#upstart-job\nexec mkfs /dev/sdb\n', ['upstart: mkfs /dev/sdb']],
    ['a part handler', '#part-handler\nmkfs /dev/sdb\n', ['part-handler: mkfs /dev/sdb']],
    [
      'a type nobody knows',
      message(['text/x-mine', 'mkfs /dev/sdb and fs_setup']),
      ['unknown: mkfs /dev/sdb', 'unknown: fs_setup'],
    ],
    ['a script that names a key of a cloud-config', '#!/bin/sh\necho fs_setup disk_setup\n', []],
  ])('that is %s is searched for what it formats', (_what, text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it('that merges by rules of its own is looked into by itself, beside all the others', () => {
    for (const rule of ['merge_how: dict(recurse_dict)', 'merge_type: dict(recurse_dict)']) {
      const merging = ['text/cloud-config', `#cloud-config\n${rule}\nfs_setup: [{ device: /dev/sdg }]\n`] as const;
      expect(found(message(SETUP, merging))).toEqual(['fs_setup: /dev/sdf', 'fs_setup: /dev/sdg']);
    }
  });

  it('that is a script and formats cannot be taken back by one that follows', () => {
    const boot = look(message(SETUP, ['text/x-shellscript', '#!/bin/sh\nmkfs /dev/sdg\n']));
    expect([boot.formatting.length, boot.neutralised]).toEqual([2, null]);
  });

  it('that is an include is no Ignition document, whatever it says', () => {
    expect(look('#include\n{"wipeTable": true}\n').unexamined).toHaveLength(1);
  });
});

it('no user data does nothing', () => {
  const nothing = { formatting: [], unexamined: [], neutralised: null };
  expect([firstBootOf(null, () => null), look('')]).toEqual([nothing, nothing]);
});
