import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { inputsOf } from './bundle-inputs.ts';
import { dashboardSite } from './dashboard-site.ts';
import { readIntegrities } from './lockfile.ts';
import { type ShippedPackage, shippedPackages, togetherOf } from './shipped-packages.ts';

/** The coordinator and the command: ES modules, and whose code is in them. */
export interface CoordinatorCode {
  /** Path below `lib` → content. */
  readonly modules: ReadonlyMap<string, Uint8Array>;
  readonly packages: readonly ShippedPackage[];
  /** Folder of the page that it serves. */
  readonly site: string;
}

/** The command, of which a coordinator is one, and every file that is started as a thread. */
const ENTRIES: Readonly<Record<string, string>> = {
  understudy: 'packages/cli/src/main.ts',
  'receive-thread/main': 'packages/observer/src/udp/receive-thread/main.ts',
  'inventory-thread/main': 'packages/inventory/src/thread/main.ts',
};

/**
 * What our sources find beside themselves, and where it is beside the bundle. All modules lie in
 * one folder `lib`, whatever source they come from. A build with an unknown one fails: it would be
 * found in no package.
 */
const BESIDE: Readonly<Record<string, string>> = {
  'packages/observer/src/udp/receive-thread-handle.ts ./receive-thread/main.ts': './receive-thread/main.mjs',
  'packages/inventory/src/thread/history-thread.ts ./main.ts': './inventory-thread/main.mjs',
  'packages/coordinator/src/main.ts ../package.json': '../package.json',
  'packages/coordinator/src/adapters/node/load-site.ts ../../../../dashboard/dist/site': '../dashboard',
  // The demo, which runs from a checkout only and says so.
  'packages/local-cluster/src/project-paths.ts ../../../': '../../../',
};

/** Looked for in a checkout only, and done without elsewhere: demo, and machines of cloud-sim. */
const CHECKOUT_ONLY = [
  'packages/local-cluster/src/project-paths.ts import.meta.resolve',
  'packages/cloud-sim/src/machines/nspawn-driver.ts import.meta.dirname',
];

const OWN_SOURCE = /\/packages\/[^/]+\/src\/.*\.ts$/;
const OTHER_WAYS = /import\.meta\.(?:dirname|filename|resolve)/g;
const NEW_URL = /new URL\(\s*(['"])([^'"]+)\1\s*,\s*import\.meta\.url\s*\)/g;

const besideTheBundle = (root: string): Plugin => ({
  name: 'beside-the-bundle',
  setup(plugins) {
    plugins.onLoad({ filter: OWN_SOURCE }, ({ path }) => {
      const from = relative(root, path);
      const text = readFileSync(path, 'utf8');
      for (const [found] of text.matchAll(OTHER_WAYS)) {
        if (!CHECKOUT_ONLY.includes(`${from} ${found}`)) throw new Error(`${from}: ${found} finds nothing in a bundle`);
      }
      const contents = text.replaceAll(NEW_URL, (_, quote: string, to: string) => {
        const there = BESIDE[`${from} ${to}`];
        if (there === undefined)
          throw new Error(`${from} reads ${to} beside itself: say in BESIDE where it is shipped`);
        return `new URL(${quote}${there}${quote}, import.meta.url)`;
      });
      return { contents, loader: 'ts', resolveDir: dirname(path) };
    });
  },
});

/** Packages that were CommonJS look for these. */
export const COMMONJS_NAMES = [
  "import{createRequire as understudyRequire}from'node:module';",
  "import{fileURLToPath as understudyPath}from'node:url';",
  "import{dirname as understudyFolder}from'node:path';",
  'const require=understudyRequire(import.meta.url);',
  'const __filename=understudyPath(import.meta.url),__dirname=understudyFolder(__filename);',
].join('');

/** Bundles once for all architectures: there is no native code in it. */
export async function coordinatorCode(root: string, { readable = false } = {}): Promise<CoordinatorCode> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { ...ENTRIES },
    outdir: join(root, 'lib'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    conditions: ['source'],
    minifySyntax: true,
    // A readable one names the file of each module above it.
    minifyWhitespace: !readable,
    legalComments: 'none',
    logLevel: 'error',
    banner: { js: COMMONJS_NAMES },
    // pg asks for it where it is installed, and does without.
    external: ['pg-native'],
    plugins: [besideTheBundle(root)],
  });
  const modules = new Map(outputFiles.map(({ path, contents }) => [relative(join(root, 'lib'), path), contents]));
  const site = await dashboardSite(root);
  const packages = shippedPackages(root, inputsOf(metafile), readIntegrities(root));
  return { modules, packages: togetherOf(packages, site.packages), site: site.folder };
}
