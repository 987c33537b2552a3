import { describe, expect, it } from 'vitest';
import { neutralised } from './neutralise.ts';

const KEPT = { disk_setup: {}, fs_setup: [] };
const written = (text: string): string | null => {
  const encoded = neutralised(text, KEPT);
  return encoded === null ? null : Buffer.from(encoded, 'base64').toString('utf8');
};
const CONFIG = '#cloud-config\nfs_setup: [{ device: /dev/sdf }]\n';

describe('user data with a part that takes back what formats', () => {
  it('is a message of two parts: the text with the type that cloud-init would have guessed, and the new one', () => {
    expect(written(CONFIG)?.split('\n')).toEqual([
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="understudy-part-0"',
      '',
      '--understudy-part-0',
      'Content-Type: text/cloud-config; charset="utf-8"',
      'Content-Transfer-Encoding: 8bit',
      '',
      ...CONFIG.split('\n'),
      '--understudy-part-0',
      'Content-Type: text/cloud-config; charset="utf-8"',
      '',
      '#cloud-config',
      '# Written by understudy: the disks of a replacement hold restored data and are not to be formatted.',
      '{"disk_setup":{},"fs_setup":[]}',
      '--understudy-part-0--',
      '',
    ]);
  });

  it('keeps a template a template', () => {
    expect(written('## template: jinja\n#cloud-config\n')).toContain('Content-Type: text/jinja2;');
  });

  it('takes a message along with its own headers', () => {
    const message = 'MIME-Version: 1.0\nContent-Type: text/cloud-config\n\n#cloud-config\n';
    expect(written(message)).toContain(`--understudy-part-0\n${message}\n--understudy-part-0\n`);
  });

  it('has a boundary that its text does not have: ours may have been here before', () => {
    const twice = written(`${CONFIG}# understudy-part-0 understudy-part-1\n`);
    expect(twice).toContain('boundary="understudy-part-2"');
    expect(twice).not.toContain('--understudy-part-0');
  });

  it('is 16 384 bytes long at most', () => {
    const around = Buffer.byteLength(written(CONFIG) ?? '');
    const filled = (count: number) => written(`${CONFIG}${'#'.repeat(count)}`);
    expect(Buffer.byteLength(filled(16_384 - around) ?? '')).toBe(16_384);
    expect(filled(16_385 - around)).toBeNull();
  });
});

describe('user data that cannot be taken along as it is', () => {
  it.each([
    ['a script', '#!/bin/sh\nmkfs /dev/sdf\n'],
    ['an archive', '#cloud-config-archive\n- x\n'],
    ['nothing known', 'member: x\n'],
    ['a message that begins with something else than a header', '\nMIME-Version: 1.0\n\nx'],
  ])('%s is not', (_what, text) => {
    expect(written(text)).toBeNull();
  });
});
