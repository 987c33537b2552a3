/**
 * Finds or fetches an etcd that is new enough, in this order: `ETCD_BIN`, `etcd` on PATH, our
 * cached copy, a private apt download. Run as a script it prints the path.
 */
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadFromDistribution } from './etcd-download.mjs';
import { ETCD_WANTED, isNewEnough, parseEtcdVersion, versionText } from './etcd-version.mjs';
import { outputOf, runMain, SetupError, say } from './run.mjs';

const ETCD_CACHE = join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache', 'etcd');

const versionOf = (binary) => parseEtcdVersion(outputOf(binary, ['--version']));
const isUsable = (binary) => {
  const version = versionOf(binary);
  return version !== null && isNewEnough(version);
};

/**
 * Path of an etcd server binary that is new enough. Idempotent, safe to run twice at the same time.
 * @throws SetupError: one sentence that says what to install.
 */
export async function ensureEtcd(environment = process.env, cache = ETCD_CACHE) {
  if (environment.ETCD_BIN) return checkedChoice(environment.ETCD_BIN);
  const onPath = findOnPath('etcd', environment.PATH ?? '');
  if (onPath !== null && isUsable(onPath)) return onPath;
  const cached = join(cache, 'current', 'etcd');
  if (existsSync(cached) && isUsable(cached)) return cached;
  return fetchInto(cache, cached);
}

function checkedChoice(binary) {
  if (!existsSync(binary))
    throw new SetupError(`ETCD_BIN names ${binary}, which does not exist: correct it or unset it.`);
  const version = versionOf(binary);
  if (version === null)
    throw new SetupError(`ETCD_BIN names ${binary}, which is no etcd that runs here: correct it or unset it.`);
  if (isNewEnough(version)) return binary;
  throw new SetupError(
    `ETCD_BIN names etcd ${versionText(version)}, whose lease bugs make leadership unsafe: point it at ${ETCD_WANTED}, or unset it.`,
  );
}

function findOnPath(name, path) {
  for (const directory of path.split(delimiter).filter((each) => each !== '')) {
    const file = join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here; look further.
    }
  }
  return null;
}

/**
 * Fetched beside the cache and moved into it in one step: a broken download never looks like a
 * copy, and the last of two wins.
 */
async function fetchInto(cache, cached) {
  say('understudy: fetching etcd from the distribution (once) …');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'fetch-'));
  try {
    const ready = await downloadFromDistribution(work);
    const version = versionOf(join(ready, 'etcd'));
    if (version === null)
      throw new SetupError(
        `the distribution's etcd-server does not run on this machine: install ${ETCD_WANTED} and set ETCD_BIN to it.`,
      );
    if (!isNewEnough(version)) {
      throw new SetupError(
        `the distribution's newest etcd-server is ${versionText(version)}, which is too old: install ${ETCD_WANTED} and set ETCD_BIN to it.`,
      );
    }
    publish(ready, cache, cached);
    say(`understudy: etcd ${versionText(version)} is in .cache/etcd`);
    return cached;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function publish(ready, cache, cached) {
  const target = dirname(cached);
  try {
    renameSync(ready, target);
  } catch (error) {
    if (isUsable(cached)) return;
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    // What stands there does not run: move it aside (deleted with the rest of its folder name),
    // then take its place.
    const aside = mkdtempSync(join(cache, 'old-'));
    renameSync(target, join(aside, 'current'));
    renameSync(ready, target);
    rmSync(aside, { recursive: true, force: true });
  }
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) {
  await runMain(async () => {
    process.stdout.write(`${await ensureEtcd()}\n`);
    return 0;
  });
}
