import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../tidy/source.ts';
import { callsTable, statementsTable } from './iam-tables.ts';

const page = readFileSync(join(ROOT, 'docs/iam.md'), 'utf8');

test('docs/iam.md has the table of calls as the adapters know it', () => {
  expect(page).toContain(callsTable());
});

test('docs/iam.md has every statement with its bounds and its reason', () => {
  expect(page).toContain(statementsTable());
});
