import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../../.cache/packages', import.meta.url));
/** The name says what is in it: another list is another tree. */
const PACKAGES = ['systemd', 'systemd-sysv', 'dbus', 'init-system-helpers', 'libstdc++6', 'procps'];
const TREE = join(CACHE, `debian-bookworm-${PACKAGES.length}`);

const TOOLS = ['mmdebstrap', 'systemd-nspawn', 'nsenter', 'dpkg-deb', 'rpm', 'rpmbuild'];

/** Why whole machines cannot be had here, in words; null: they can. */
export function whyNoMachines(): string | null {
  if (process.getuid?.() !== 0) return 'only root can start machines';
  if (process.arch !== 'x64') return 'the packages that are tried are those for x64';
  const missing = TOOLS.filter((tool) => spawnSync('/bin/sh', ['-c', `command -v ${tool}`]).status !== 0);
  return missing.length === 0 ? null : `${missing.join(', ')} not found (.ci/package-tools.sh installs them)`;
}

/** Every form of the packages, and not only the part that is tried with all other tests. */
export const THOROUGH = process.env.UNDERSTUDY_PACKAGES === 'all';

/** As {@link whyNoMachines}, of what takes minutes. */
export const whyNotThorough = (): string | null =>
  THOROUGH ? whyNoMachines() : 'npm run package:check tries tarball and .rpm, and looks the packages over';

/**
 * A small Debian 12 with systemd, made once by mmdebstrap from this machine's own sources.
 * @throws Error with mmdebstrap's last words.
 */
export function debianTree(): string {
  if (existsSync(TREE)) return TREE;
  mkdirSync(CACHE, { recursive: true });
  const work = `${TREE}.${process.pid}`;
  const sources = ['/etc/apt/sources.list', '/etc/apt/sources.list.d/debian.sources'].filter((path) =>
    existsSync(path),
  );
  const args = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, 'bookworm', work, ...sources];
  const made = spawnSync('mmdebstrap', args, { encoding: 'utf8', timeout: 300_000 });
  if (made.status !== 0) {
    rmSync(work, { recursive: true, force: true });
    throw new Error(`mmdebstrap: ${made.stderr.trim().split('\n').slice(-3).join('\n')}`);
  }
  renameSync(work, TREE);
  return TREE;
}
