import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { isNewEnough, parseEtcdVersion } from '../../scripts/etcd-version.mjs';

it('ETCD_BIN names an etcd that is new enough, for every integration test', () => {
  const version = parseEtcdVersion(execFileSync(process.env.ETCD_BIN ?? '', ['--version'], { encoding: 'utf8' }));
  expect(version && isNewEnough(version)).toBe(true);
});
