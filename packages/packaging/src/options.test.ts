import { describe, expect, it, test } from 'vitest';
import { packageOptions } from './options.ts';

describe('--only', () => {
  test.each([
    ['', { format: 'deb', part: 'agent', architecture: 'x64' }, true],
    ['deb', { format: 'rpm', part: 'agent', architecture: 'x64' }, false],
    ['deb,rpm', { format: 'rpm', part: 'agent', architecture: 'x64' }, true],
    ['deb,agent,x64', { format: 'deb', part: 'agent', architecture: 'x64' }, true],
    ['deb,agent,x64', { format: 'deb', part: 'agent', architecture: 'arm64' }, false],
    ['x64', { format: 'deb', part: 'artefacts' }, true],
  ] as const)('%j takes %j: %s', (only, labels, taken) => {
    const args = only === '' ? [] : ['--only', only];
    expect(packageOptions(args).wanted(labels)).toBe(taken);
  });

  it('refuses a word that it does not know', () => {
    expect(() => packageOptions(['--only', 'deb,apk'])).toThrow('apk');
  });
});

it('takes a version, a folder and two speeds', () => {
  const options = packageOptions(['--fast', '--verify', '--package-version', '1.2.3', '--out', '/tmp/x']);
  expect(options).toMatchObject({ fast: true, verify: true, version: '1.2.3', out: '/tmp/x' });
});
