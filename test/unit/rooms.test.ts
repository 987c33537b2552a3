import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type Found, PACKAGES, roomFaults, ROOMS } from './tidy/rooms.ts';
import { ROOT } from './tidy/source.ts';

it('no package and no room imports what it may not know', async () => {
  const { faults, imports } = await roomFaults(ROOT);
  expect(imports).toBeGreaterThan(3_000);
  expect(faults).toEqual([]);
}, 180_000);

it('every room of a fenced package has its row, and every row its room', async () => {
  const { readdirSync } = await import('node:fs');
  for (const [name, rooms] of Object.entries(ROOMS)) {
    const folders = readdirSync(join(ROOT, 'packages', name, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    expect(folders.sort(), name).toEqual(Object.keys(rooms).sort());
  }
  const packages = readdirSync(join(ROOT, 'packages'));
  expect(packages.sort()).toEqual(Object.keys(PACKAGES).sort());
});

/** An import that breaks the rule named beside it, and one of the same kind that breaks none. */
const PLANTED: readonly (readonly [from: string, to: string, rule: string | null])[] = [
  ['packages/shared/src/a.ts', 'packages/agent/src/index.ts', 'shared knows only: itself'],
  ['packages/observer/src/core/a.ts', 'packages/recovery/src/index.ts', 'observer knows only: shared'],
  ['packages/recovery/src/a.ts', 'packages/coordinator/src/index.ts', 'recovery knows only: shared, aws'],
  ['packages/recovery/src/b.ts', 'packages/aws/src/index.ts', null],
  ['packages/recovery/src/c.ts', 'packages/aws/src/ec2/deep.ts', "another package's inside is private"],
  ['test/e2e/a.test.ts', 'packages/aws/src/ec2/deep.ts', "another package's inside is private for tests, too"],
  ['test/e2e/b.test.ts', 'packages/aws/src/testing.ts', null],
  ['packages/recovery/src/d.ts', 'packages/aws/src/testing.ts', '/testing is for tests'],
  ['packages/recovery/src/d.test.ts', 'packages/aws/src/testing.ts', null],
  [
    'packages/coordinator/src/judge/a.ts',
    'packages/coordinator/src/store/b.ts',
    'coordinator/judge knows only: policy',
  ],
  ['packages/coordinator/src/leader/a.ts', 'packages/coordinator/src/api/b.ts', 'coordinator/leader knows only'],
  ['packages/coordinator/src/api/a.ts', 'packages/coordinator/src/leader/b.ts', null],
  ['packages/coordinator/src/store/a.ts', 'packages/coordinator/src/coordinator.ts', 'coordinator/store knows only'],
  ['packages/observer/src/core/b.ts', 'packages/observer/src/udp/c.ts', 'observer/core knows only: itself'],
];

describe('an import that was planted', () => {
  let folder = '';
  let found: readonly Found[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'understudy-rooms-'));
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    for (const [, to] of PLANTED) write(to, 'export interface Planted {}\n');
    for (const [from, to] of PLANTED) {
      const up = '../'.repeat(from.split('/').length - 1);
      write(from, `import type { Planted } from '${up}${to}';\nexport type Kept = Planted;\n`);
    }
    found = (await roomFaults(folder)).faults;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(PLANTED)('from %s to %s breaks: %s', (from, to, rule) => {
    const broken = found.filter((one) => one.from === from && one.to === to).map((one) => one.rule);
    if (rule === null) expect(broken).toEqual([]);
    else expect(broken.join('; ')).toContain(rule);
  });
});
