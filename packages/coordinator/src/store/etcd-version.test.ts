import { describe, expect, it } from 'vitest';
import { checkEtcdVersions, etcdVersionFault } from './etcd-version.ts';

describe('etcd version', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['3.5.23', true],
    ['3.5.30', true],
    ['v3.5.30', true],
    ['3.6.5', true],
    ['3.6.11', true],
    ['3.7.0', true],
    ['3.10.0', true],
    ['4.0.0', true],
    ['3.5.22', false],
    ['3.5.23-rc.1', false],
    ['3.5.24-rc.0', true],
    ['3.6.4', false],
    ['3.6.0', false],
    ['3.6.5-rc.0', false],
    ['3.4.38', false],
    ['3.4.23', false],
    ['2.3.8', false],
    ['2.9.1', false],
    [' 3.5.30\n', true],
    ['', false],
    ['3.6', false],
    ['unknown', false],
  ];
  for (const [version, fine] of cases)
    it(`${version || '(empty)'} is ${fine ? 'accepted' : 'refused'}`, () => {
      expect(etcdVersionFault(version) === null).toBe(fine);
    });

  it('one old member among new ones is refused', () => {
    expect(() => checkEtcdVersions(['3.5.30', '3.6.4'])).toThrow(/STORE_TOO_OLD: 3\.6\.4 < 3\.6\.5.*two coordinators/);
  });

  it('an override with a reason lets them pass and returns the faults; an empty one does not', () => {
    expect(checkEtcdVersions(['3.4.23'], 'staging, upgraded next week')).toHaveLength(1);
    expect(() => checkEtcdVersions(['3.4.23'], ' ')).toThrow(/STORE_TOO_OLD/);
  });

  it('no answer is no permission', () => {
    expect(() => checkEtcdVersions([])).toThrow(/STORE_UNAVAILABLE/);
  });
});
