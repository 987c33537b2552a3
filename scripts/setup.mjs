import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureEtcd } from './etcd.mjs';
import { runSetupStep, SetupError, say, underLock } from './run.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
export const CACHE = join(ROOT, '.cache');
const PNPM = 'pnpm@12.21.0';
const STAMP = join(CACHE, 'setup-stamp');
/** Where tools (pnpm, biome, vitest) write by the XDG rules, instead of into the user's home. */
const OWN_FOLDERS = {
  XDG_CACHE_HOME: join(CACHE, 'xdg', 'cache'),
  XDG_STATE_HOME: join(CACHE, 'xdg', 'state'),
  XDG_DATA_HOME: join(CACHE, 'xdg', 'data'),
};
const MODULES_STATE = join(ROOT, 'node_modules', '.modules.yaml');

/**
 * Makes everything the project needs, inside `node_modules` and `.cache`, and says with what to run
 * it. Costs a few file reads and one `etcd --version` when there is nothing to do. Idempotent; two
 * at a time are safe.
 */
export async function setUp() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new SetupError(`Node ${process.versions.node} is too old: install Node 20 or newer.`);
  makeCache();
  if (readStamp() !== wantedStamp()) await installPackages();
  const node = projectNode();
  const etcd = await ensureEtcd();
  return { node, etcd, env: childEnvironment(node, etcd) };
}

function makeCache() {
  try {
    mkdirSync(CACHE, { recursive: true });
    accessSync(CACHE, constants.W_OK);
  } catch (error) {
    throw new SetupError(`cannot write to ${CACHE} (${error.code}): put the project where you may write.`);
  }
}

/**
 * Everything an installation depends on, and the installation itself (pnpm rewrites its state file
 * each time).
 */
function wantedStamp() {
  const hash = createHash('sha256').update(`${PNPM} ${process.platform} ${process.arch}\n`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests()]) {
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  }
  const state = statSync(MODULES_STATE, { throwIfNoEntry: false });
  return state ? `${hash.digest('hex')} ${state.mtimeMs}` : 'no node_modules';
}

function manifests() {
  const packages = readdirSync(join(ROOT, 'packages')).map((name) => join('packages', name, 'package.json'));
  return ['package.json', join('test', 'package.json'), ...packages]
    .filter((file) => existsSync(join(ROOT, file)))
    .sort((one, other) => (one < other ? -1 : 1));
}

function readStamp() {
  try {
    return readFileSync(STAMP, 'utf8');
  } catch {
    return null;
  }
}

async function installPackages() {
  say('understudy: installing packages (once; about a minute with an empty cache) …');
  const install = [
    'install',
    '--frozen-lockfile',
    '--prefer-offline',
    '--reporter=append-only',
    `--store-dir=${storeFolder()}`,
  ];
  const [command, args] = underLock(join(CACHE, 'install.lock'), 'npx', ['--yes', PNPM, ...install]);
  const code = await runSetupStep(command, args, { cwd: ROOT, env: installEnvironment() }).catch((error) => {
    throw new SetupError(error.code === 'ENOENT' ? 'npx was not found: install npm.' : `npx failed: ${error.message}.`);
  });
  if (code !== 0) {
    throw new SetupError(
      `installing packages failed (exit code ${code}, details above): check that npm reaches its package registry, then run the command again.`,
    );
  }
  writeFileSync(STAMP, wantedStamp());
}

/**
 * Our own store, unless node_modules was made by hand: pnpm would empty it to move it to another
 * store.
 */
function storeFolder() {
  try {
    const { storeDir } = JSON.parse(readFileSync(MODULES_STATE, 'utf8'));
    // pnpm adds the version of the store's layout by itself.
    if (typeof storeDir === 'string') return storeDir.replace(/\/v\d+$/, '');
  } catch {
    // No node_modules yet.
  }
  return join(CACHE, 'pnpm-store');
}

/**
 * npm's settings (registry, proxy) are read from where they are; everything written goes to our
 * cache, HOME may be missing or read-only.
 */
function installEnvironment() {
  const home = process.env.HOME ?? homedir();
  return {
    ...process.env,
    HOME: existsSync(home) ? home : join(CACHE, 'home'),
    npm_config_cache: join(CACHE, 'npm'),
    npm_config_update_notifier: 'false',
    ...OWN_FOLDERS,
    PNPM_HOME: join(CACHE, 'xdg', 'pnpm'),
    CI: 'true',
  };
}

function projectNode() {
  const packaged = join(ROOT, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged)) return packaged;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new SetupError(
    `the project brings no Node for ${process.platform}-${process.arch}: install Node 24 or newer and run the command again.`,
  );
}

/**
 * `node` and the installed tools first on PATH, so that whatever is started below us gets the
 * project's versions.
 */
export function childEnvironment(node, etcd) {
  const path = [dirname(node), join(ROOT, 'node_modules', '.bin'), process.env.PATH ?? '/usr/bin:/bin'].join(delimiter);
  return { ...process.env, ...OWN_FOLDERS, PATH: path, ETCD_BIN: etcd };
}
