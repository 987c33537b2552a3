import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './tidy/source.ts';

/** Their licence would bind whatever is bundled with them: for tests only (decision 0056). */
const COPYLEFT = /@cloud-copilot\/iam-(?:simulate|policy|utils)/;

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest;

const packages = readdirSync(join(ROOT, 'packages')).map((name) => `packages/${name}`);

test('the simulator of IAM is a development dependency of the root, and of nothing that ships', () => {
  expect(Object.keys(manifestOf('.').devDependencies ?? {})).toContain('@cloud-copilot/iam-simulate');
  for (const folder of packages) expect(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')).not.toMatch(COPYLEFT);
  for (const folder of ['.', 'test']) {
    const { dependencies, optionalDependencies } = manifestOf(folder);
    expect(Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => COPYLEFT.test(name))).toEqual([]);
  }
});

test('no file of a package, nor of what builds one, imports it', () => {
  const files = [...packages, 'scripts'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(?:ts|mjs|cjs|js)$/.test(path) && !/(?:^|\/)(?:node_modules|dist)\//.test(path))
      .map((path) => join(folder, path)),
  );
  expect(files.length).toBeGreaterThan(500);
  expect(files.filter((path) => COPYLEFT.test(readFileSync(join(ROOT, path), 'utf8')))).toEqual([]);
});
