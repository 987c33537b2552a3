import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holdsPage } from '../../reference/holds-page.ts';
import { placementPage } from '../../reference/placement-page.ts';
import { POLICY_FIELDS, policyPage } from '../../reference/policy-page.ts';

const PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'policy.md');
const HOLDS = join(import.meta.dirname, '..', '..', '..', 'docs', 'runbooks', 'holds.md');
const PLACEMENT = join(import.meta.dirname, '..', '..', '..', 'docs', 'placement.md');
const fields = Object.values(POLICY_FIELDS).flat();

test('docs/policy.md is what the schema and its comments say (npm run reference writes it)', async () => {
  await expect(policyPage()).toMatchFileSnapshot(PAGE);
});

test('docs/runbooks/holds.md has a section for every reason, from the table that is shown', async () => {
  await expect(holdsPage()).toMatchFileSnapshot(HOLDS);
});

test('docs/placement.md has the answers of EC2 that the engine knows, from its own table', async () => {
  await expect(placementPage()).toMatchFileSnapshot(PLACEMENT);
});

test('every field of a policy says its meaning', () => {
  expect(fields.length).toBeGreaterThan(50);
  expect(fields.filter(({ text }) => text.length < 10).map(({ path }) => path)).toEqual([]);
});

test('defaults and limits are those of the schema', () => {
  const field = (path: string) => fields.find((one) => one.path === path);
  expect(field('detect.suspectAfterMs')).toMatchObject({
    fallback: '5 000 (5 s)',
    limits: '500 to 600 000 (10 min)',
  });
  expect(field('guard.whenZoneLost')).toMatchObject({ kind: '`hold`, `recover`', fallback: '`hold`' });
  expect(field('recover.placements[].subnetId')?.text).toContain('Subnet to launch into');
  expect(field('detect.serviceProbes[].warnExpiryDays')).toMatchObject({ fallback: '14' });
  expect(field('recover.serveLease.requireWatchdog')).toMatchObject({ fallback: '`true`' });
});
