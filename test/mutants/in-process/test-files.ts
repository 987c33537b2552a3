import { readFileSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';

const SURFACE = new URL('./vitest-surface.ts', import.meta.url).href;

/** Gives the surface to test files, fixtures and scenes that import vitest. */
export const answerForVitest = (): void =>
  void registerHooks({
    resolve: (wanted, context, next) =>
      wanted === 'vitest' ? { url: SURFACE, shortCircuit: true } : next(wanted, context),
  });

const HERE = ['url', 'dirname', 'filename'];

/**
 * The file as a module with one function. Node does not run a loaded module again, but a function
 * can be called again.
 */
function repeatable(file: string): string {
  const { code } = transformSync(readFileSync(file, 'utf8'), {
    loader: 'ts',
    format: 'cjs',
    target: 'node24',
    define: Object.fromEntries(HERE.map((name) => [`import.meta.${name}`, `__${name}`])),
  });
  const imported = [...new Set([...code.matchAll(/\brequire\((".*?")\)/g)].map(([, name]) => name))];
  return [
    ...imported.map((name, index) => `import * as m${index} from ${name};`),
    `const imported = new Map([${imported.map((name, index) => `[${name}, { ...m${index}, __esModule: true }]`).join()}]);`,
    'const require = (name) => imported.get(name);',
    `const { ${HERE.map((name) => `${name}: __${name}`).join()} } = import.meta;`,
    'export function body() {',
    'const module = { exports: {} };',
    code,
    '}',
  ].join('\n');
}

/**
 * The body of a test file, to be run as often as needed. Every run registers its tests anew, and
 * what it imports (the code under test) is loaded once. Writes a module beside the file, so the
 * tree must be a copy. Test files with a top-level `await` are not supported.
 */
export async function testFileAt(file: string): Promise<() => void> {
  const module = file.replace(/\.ts$/, '.repeatable.mjs');
  writeFileSync(module, repeatable(file));
  const { body } = (await import(pathToFileURL(module).href)) as { body: () => void };
  return body;
}
