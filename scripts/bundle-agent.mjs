// Bundles the agent into one file that runs on Node 20 and later: node --jitless --expose-gc
// --optimize-for-size --single-threaded-gc --max-semi-space-size=1 --max-old-space-size=16
// .cache/agent/understudy-agent.cjs --config FILE Built again only when the source, the lock file
// or this script changed.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { deflateRawSync } from 'node:zlib';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OUTPUT = join(ROOT, '.cache/agent/understudy-agent.cjs');
/** The clients of AWS that fetch a key: a program beside the agent's, run for a second. */
const FETCH_KEY = join(ROOT, '.cache/agent/understudy-fetch-key.cjs');
const INPUTS = ['packages/agent/src', 'packages/shared/src', 'pnpm-lock.yaml', 'scripts/bundle-agent.mjs'];

/** V8 flags the bundle is measured with (docs/agent.md). */
export const AGENT_NODE_FLAGS = [
  '--jitless',
  '--expose-gc',
  '--optimize-for-size',
  '--single-threaded-gc',
  '--max-semi-space-size=1',
  '--max-old-space-size=16',
];

async function filesUnder(path) {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => null);
  if (entries === null) return [path];
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

async function sourceHash() {
  const hash = createHash('sha256');
  for (const input of INPUTS) {
    for (const file of await filesUnder(join(ROOT, input))) {
      hash.update(`${relative(ROOT, file)}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex');
}

const OPTIONS = {
  // Names of files stand in the bundle: below the checkout, wherever this is started.
  absWorkingDir: ROOT,
  bundle: true,
  write: false,
  metafile: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  conditions: ['source'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'error',
};

/** Files of which something is in the bundle; what fell out of it is not. */
const inputsOf = ({ outputs }) =>
  Object.values(outputs)
    .flatMap((output) => Object.entries(output.inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([input]) => input);

/**
 * The config schema (zod, yaml) travels inside the one file packed, as a bundle of its own,
 * compiled only by the process that reads a config. As an ordinary lazy module it would make
 * everything that it shares with the agent lazy too, and keep zod in the agent for good.
 */
const embedConfigLoading = (build, inputs) => ({
  name: 'embed-config-loading',
  setup(plugins) {
    plugins.onLoad({ filter: /agent\/src\/config-loading\.ts$/ }, async ({ path }) => {
      const { outputFiles, metafile } = await build({ ...OPTIONS, entryPoints: [path], minifyIdentifiers: true });
      for (const input of inputsOf(metafile)) inputs.add(input);
      const packed = deflateRawSync(outputFiles[0].contents, { level: 9 }).toString('base64');
      const contents = `
        const holder = { exports: {} };
        const text = require('node:zlib').inflateRawSync(Buffer.from('${packed}', 'base64')).toString();
        new Function('require', 'module', 'exports', text)(require, holder, holder.exports);
        export const loadAgentConfig = holder.exports.loadAgentConfig;`;
      return { contents, loader: 'js' };
    });
  },
});

/**
 * The bundle, and the files that went into it, their paths below the checkout: what a bill of
 * materials has to name.
 */
export async function agentBundle() {
  const { build } = await import('esbuild');
  const inputs = new Set();
  const { outputFiles, metafile } = await build({
    ...OPTIONS,
    entryPoints: [join(ROOT, 'packages/agent/src/main.ts')],
    plugins: [embedConfigLoading(build, inputs)],
    define: { 'import.meta.url': 'understudyAgentUrl' },
    banner: {
      js: "#!/usr/bin/env node\nconst understudyAgentUrl = require('node:url').pathToFileURL(__filename).href;",
    },
  });
  for (const input of inputsOf(metafile)) inputs.add(input);
  const fetchKey = await build({
    ...OPTIONS,
    entryPoints: [join(ROOT, 'packages/agent/src/fetch-key.ts')],
    minifyIdentifiers: true,
  });
  for (const input of inputsOf(fetchKey.metafile)) inputs.add(input);
  return {
    contents: outputFiles[0].contents,
    fetchKey: fetchKey.outputFiles[0].contents,
    inputs: [...inputs].sort((one, other) => (one < other ? -1 : 1)),
  };
}

async function replaceFile(path, contents) {
  const beside = `${path}.${process.pid}`;
  await writeFile(beside, contents, { mode: 0o755 });
  await rename(beside, path);
}

/**
 * Makes sure the bundle is there and current; returns its path. Safe to call from several processes
 * at once.
 */
export async function bundleAgent() {
  const hash = await sourceHash();
  const stamp = await readFile(`${OUTPUT}.sha256`, 'utf8').catch(() => '');
  const present = await readFile(OUTPUT, 'utf8').catch(() => '');
  if (stamp === hash && present !== '') return OUTPUT;
  const { contents, fetchKey } = await agentBundle();
  await mkdir(dirname(OUTPUT), { recursive: true });
  await replaceFile(FETCH_KEY, fetchKey);
  await replaceFile(OUTPUT, contents);
  await writeFile(`${OUTPUT}.sha256`, hash);
  return OUTPUT;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) console.log(await bundleAgent());
