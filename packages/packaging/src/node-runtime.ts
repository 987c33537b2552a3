import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Architecture } from './architecture.ts';
import { readIntegrities } from './lockfile.ts';
import { runTool } from './run-tool.ts';

/** Node as it is shipped: the binary and its licence. */
export interface NodeRuntime {
  readonly architecture: Architecture;
  readonly version: string;
  /** `sha512-…` of the archive it was taken from, the same as in the lockfile. */
  readonly integrity: string;
  readonly binary: string;
  readonly licence: string;
}

const ManifestSchema = z.object({ optionalDependencies: z.record(z.string(), z.string()) });

/**
 * Node for an architecture, of the very version and content that the lockfile pins, whatever
 * machine this is. It is fetched once, by npm and its settings, into `.cache/packages/node`.
 * @throws Error when npm cannot have it, or when it is not what the lockfile says.
 */
export async function nodeRuntime(root: string, architecture: Architecture): Promise<NodeRuntime> {
  const name = `node-linux-${architecture}`;
  const manifest = ManifestSchema.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const version = manifest.optionalDependencies[name];
  const integrity = readIntegrities(root).get(`${name}@${version}`);
  if (version === undefined || integrity === undefined) throw new Error(`pnpm-lock.yaml does not pin ${name}`);
  const cache = join(root, '.cache/packages/node');
  // The name says the content, so what was checked once is what is there.
  const folder = join(cache, `${name}-${version}-${createHash('sha256').update(integrity).digest('hex').slice(0, 16)}`);
  if (!existsSync(folder)) await fetchRuntime(cache, { name, version, integrity, folder });
  return { architecture, version, integrity, binary: join(folder, 'bin/node'), licence: join(folder, 'LICENSE') };
}

interface Wanted {
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  readonly folder: string;
}

async function fetchRuntime(cache: string, { name, version, integrity, folder }: Wanted): Promise<void> {
  const work = `${folder}.${process.pid}`;
  await mkdir(work, { recursive: true });
  try {
    const environment = npmEnvironment(cache);
    await runTool('npm', ['pack', '--silent', '--ignore-scripts', `${name}@${version}`], { cwd: work, environment });
    const [archive, ...more] = (await readdir(work)).filter((file) => file.endsWith('.tgz'));
    if (archive === undefined || more.length > 0) throw new Error(`npm pack ${name} left no single archive`);
    checkIntegrity(await readFile(join(work, archive)), integrity, archive);
    const files = ['package/bin/node', 'package/LICENSE'];
    await runTool('tar', ['-xzf', archive, '--no-same-owner', '--strip-components=1', ...files], { cwd: work });
    await rm(join(work, archive));
    await rename(work, folder).catch((error: NodeJS.ErrnoException) => {
      // Somebody else has just put the same content there.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * npm's own settings (registry, proxy) come from where they are; what it writes goes to the cache.
 */
function npmEnvironment(cache: string): Record<string, string> {
  const given = Object.entries(process.env).filter(([name]) =>
    /^(?:npm_config_|HTTPS?_PROXY|NO_PROXY|NODE_EXTRA)/i.test(name),
  );
  const settings = given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return {
    ...Object.fromEntries(settings),
    HOME: process.env.HOME ?? '/nonexistent',
    npm_config_cache: join(cache, 'npm'),
  };
}

/** @throws Error naming both digests. */
export function checkIntegrity(archive: Uint8Array, integrity: string, what: string): void {
  const found = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  if (found !== integrity) throw new Error(`${what} is not what pnpm-lock.yaml pins: ${found}, wanted ${integrity}`);
}
