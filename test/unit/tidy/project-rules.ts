import { posix } from 'node:path';
import { INDIRECT_DEPENDENCIES, LOADED_BY_TOOLS } from './exceptions.ts';
import type { SourceFile, Violation } from './source.ts';

/** A `package.json`, as far as the rules need it. */
export interface Manifest {
  /** Folder of the package, relative to the project; '' for the root. */
  readonly folder: string;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
  /** Source files named by `exports`, relative to the project. */
  readonly entries: readonly string[];
}

export function manifestOf(folder: string, json: string): Manifest {
  const manifest = JSON.parse(json) as {
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
    optionalDependencies?: Record<string, string>;
    exports?: Record<string, { source?: string } | string>;
  };
  const entries = Object.values(manifest.exports ?? {}).map((entry) =>
    typeof entry === 'string' ? entry : (entry.source ?? ''),
  );
  return {
    folder,
    dependencies: Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }),
    devDependencies: Object.keys(manifest.devDependencies ?? {}),
    entries: entries.map((entry) => posix.join(folder, entry)),
  };
}

/** `@scope/name/deep` → `@scope/name`; null for relative and built-in modules. */
export function packageName(specifier: string): string | null {
  if (/^[./]|^node:/.test(specifier)) return null;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const inFolder = (path: string, folder: string): boolean => folder === '' || path.startsWith(`${folder}/`);

/** Every declared dependency is imported by its package, every import is declared. */
export function dependencyFaults(manifests: readonly Manifest[], files: readonly SourceFile[]): Violation[] {
  const root = manifests.find((manifest) => manifest.folder === '');
  return manifests.flatMap((manifest) => {
    const own = files.filter((file) => inFolder(file.path, manifest.folder));
    const declared = new Set([...manifest.dependencies, ...manifest.devDependencies]);
    return [...unusedDependencies(manifest, own), ...(manifest === root ? [] : undeclaredImports(declared, root, own))];
  });
}

function unusedDependencies(manifest: Manifest, own: readonly SourceFile[]): Violation[] {
  const used = new Set(own.flatMap((file) => file.imports.map(({ specifier }) => packageName(specifier))));
  const path = posix.join(manifest.folder, 'package.json');
  return [...manifest.dependencies, ...manifest.devDependencies]
    .filter((name) => !used.has(name) && !(name in INDIRECT_DEPENDENCIES))
    .map((name) => ({ path, line: 1, text: `nothing imports "${name}": remove it from ${path}` }));
}

/** Tests, and the local cluster, which runs from a checkout with the checkout's tools. */
const MAY_USE_ROOT_TOOLS = /\.(?:test|fixtures)\.ts$|\/testing\/|^packages\/local-cluster\/src\//;

function undeclaredImports(
  declared: ReadonlySet<string>,
  root: Manifest | undefined,
  own: readonly SourceFile[],
): Violation[] {
  return own.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier, line }) => {
      const name = packageName(specifier);
      const fromRoot = MAY_USE_ROOT_TOOLS.test(path) && name !== null && root?.devDependencies.includes(name);
      if (name === null || declared.has(name) || fromRoot) return [];
      return [{ path, line, text: `"${name}" is not declared: add it to the package.json of this package` }];
    }),
  );
}

/** A source file that only its own test imports is dead. */
export function deadFiles(manifests: readonly Manifest[], files: readonly SourceFile[]): Violation[] {
  const alive = new Set(manifests.flatMap((manifest) => manifest.entries));
  const named = new Set<string>();
  for (const { path, text, imports } of files) {
    for (const { specifier } of imports) {
      const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : null;
      if (target !== null && target !== path && !isOwnTest(path, target)) alive.add(target);
    }
    // Children that are started by file name (probe.ts, worker.ts) are named in a string.
    for (const match of text.matchAll(/['"`]([A-Za-z0-9_-][A-Za-z0-9_.-]*\.(?:ts|mjs))['"`]/g)) {
      if (match[1] !== undefined && match[1] !== posix.basename(path)) named.add(match[1]);
    }
  }
  const isRoot = (path: string) => !path.includes('/');
  return files
    .map((file) => file.path)
    .filter((path) => !alive.has(path) && !LOADED_BY_TOOLS.test(path) && !isRoot(path) && !isStartedByName(path, named))
    .map((path) => ({ path, line: 1, text: 'nothing imports this file: delete it, or import it where it is needed' }));
}

const isOwnTest = (path: string, target: string): boolean =>
  path.replace(/(?:\.integration)?\.test\.ts$/, '.ts') === target && path !== target;

const isStartedByName = (path: string, named: ReadonlySet<string>): boolean =>
  named.has(posix.basename(path)) && !['index.ts', 'main.ts'].includes(posix.basename(path));
