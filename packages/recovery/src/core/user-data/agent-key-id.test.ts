import { describe, expect, it, test } from 'vitest';
import { keyIdInUserData } from './agent-key-id.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('the key id in user data', () => {
  test.each([
    ['an agent configuration, flow style', 'member: a/b\nkey: { id: 7, hex: aa }\n', 7],
    ['flow style, id last', 'key: { hex: aa, id: 7 }\n', 7],
    ['block style', 'member: a/b\nkey:\n  hex: aa\n  id: 12\ncoordinators: []\n', 12],
    ['Windows line ends', 'key:\r\n  file: /k\r\n  id: 3\r\n', 3],
    [
      'inside cloud-init',
      '#cloud-config\nwrite_files:\n  - path: /etc/x\n    content: |\n      key: { id: 2, hex: aa }\n',
      2,
    ],
  ])('is found in %s', (_, text, id) => {
    expect(keyIdInUserData(base64(text))).toBe(id);
  });

  test.each([
    ['a script', '#!/bin/sh\necho hello\n'],
    ['an id of something else', 'key:\n  hex: aa\nother:\n  id: 4\n'],
    ['an id out of range', 'key: { id: 999 }\n'],
    ['zero', 'key: { id: 0 }\n'],
    ['nothing', ''],
  ])('is not found in %s', (_, text) => {
    expect(keyIdInUserData(base64(text))).toBeNull();
  });

  it('is not looked for where there is none, and bytes that are no text do no harm', () => {
    expect(keyIdInUserData(null)).toBeNull();
    expect(keyIdInUserData(Buffer.alloc(16_384, 0x1f).toString('base64'))).toBeNull();
  });

  it('is looked for in time that grows with the text only', () => {
    const hostile = `key:\n${'  a: b\n'.repeat(9_000)}`;
    expect(keyIdInUserData(base64(hostile))).toBeNull();
  });
});

it('the key id is looked for in the first 64 KiB, and is 1 to 255', () => {
  const id = (text: string) => keyIdInUserData(Buffer.from(text).toString('base64'));
  expect([1, 255, 256].map((one) => id(`key: { id: ${one} }`))).toEqual([1, 255, null]);
  expect(id(`${'#'.repeat(65_500)}\nkey: { id: 7 }`)).toBe(7);
  expect(id(`${'#'.repeat(65_536)}\nkey: { id: 7 }`)).toBeNull();
});
