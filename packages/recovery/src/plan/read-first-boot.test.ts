import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { NO_USER_DATA } from '../core/user-data/first-boot.ts';
import { readFirstBoot } from './read-first-boot.ts';

const FORMATS = '#cloud-config\nruncmd:\n- [mkfs, -t, ext4, /dev/xvdf]\n';
const base64 = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64');

test('user data that is packed is unpacked, and says the same', () => {
  const plain = readFirstBoot(base64(FORMATS));
  expect(plain.formatting).toHaveLength(1);
  expect(readFirstBoot(base64(gzipSync(FORMATS))).formatting).toEqual(plain.formatting);
});

test.each([
  ['damaged', gzipSync(FORMATS).subarray(0, 20)],
  ['larger than anybody’s user data', gzipSync(FORMATS + ' '.repeat(1_048_576))],
])('user data that is packed and %s is told as unexamined, and harms nobody', (_name, packed) => {
  const boot = readFirstBoot(base64(packed));
  expect([boot.formatting, boot.unexamined.length, boot.neutralised]).toEqual([[], 1, null]);
});

test('no user data is nothing to look at', () => {
  expect(readFirstBoot(null)).toEqual(NO_USER_DATA);
});
