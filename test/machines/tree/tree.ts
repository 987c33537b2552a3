import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../../.cache/machines/', import.meta.url));
const HERE = import.meta.dirname;
export const SUITE = 'bookworm';
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'dbus', 'udev', 'cloud-init', 'iproute2', 'procps', 'ca-certificates', 'curl'],
  ...['openssh-server', 'postgresql-15'],
];
/** Nobody reads them there, and they would be a third of the tree. */
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];
const BUILD_LIMIT_MS = 600_000;
const RECIPE = ['90_ec2.cfg', 'cloud-init-ec2.conf', 'finish.sh', 'no-services.sh'];

/** Lists of this machine that name Debian's suite, whatever mirror they name. */
export function aptSources(): string[] {
  const lists = existsSync('/etc/apt/sources.list.d') ? readdirSync('/etc/apt/sources.list.d') : [];
  return ['/etc/apt/sources.list', ...lists.map((name) => join('/etc/apt/sources.list.d', name))]
    .filter((path) => /\.(?:list|sources)$/.test(path) && existsSync(path))
    .filter((path) =>
      new RegExp(String.raw`(?:^Suites:.*|^deb .*)\s${SUITE}\s.*`, 'm').test(`${readFileSync(path, 'utf8')}\n`),
    );
}

function hashOfRecipe(): string {
  const hash = createHash('sha256').update(JSON.stringify([SUITE, PACKAGES, LEFT_OUT]));
  for (const name of RECIPE) hash.update(readFileSync(join(HERE, name)));
  return hash.digest('hex').slice(0, 12);
}

const words = (target: string): string[] => [
  ...['--variant=minbase', '--mode=root', `--include=${PACKAGES.join(',')}`],
  ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
  `--essential-hook=${join(HERE, 'no-services.sh')}`,
  `--customize-hook=${join(HERE, 'finish.sh')}`,
  ...[SUITE, target, ...aptSources()],
];

function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: BUILD_LIMIT_MS });
    let said = '';
    const keep = (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${program} ended with ${code ?? signal}: ${said}`)),
    );
  });
}

/**
 * The operating system that all machines begin with, made by mmdebstrap from this machine's own
 * package sources, and kept for as long as its recipe stays the same. Safe to call from several
 * processes at once. Returns the folder.
 */
export async function ensureTree(): Promise<{ readonly path: string; readonly tookMs: number }> {
  const path = join(CACHE, `tree-${hashOfRecipe()}`);
  const startedAtMs = performance.now();
  const took = () => performance.now() - startedAtMs;
  if (existsSync(path)) return { path, tookMs: took() };
  const beside = `${path}.${process.pid}`;
  mkdirSync(CACHE, { recursive: true });
  rmSync(beside, { recursive: true, force: true });
  try {
    await run('mmdebstrap', words(beside));
    removeOthers(path, beside);
    if (!existsSync(path)) renameSync(beside, path);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
  return { path, tookMs: took() };
}

/** Trees of earlier recipes. Those that are being made this moment have a number at the end. */
function removeOthers(...kept: readonly string[]): void {
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    if (/^tree-[0-9a-f]+$/.test(name) && !kept.includes(path)) rmSync(path, { recursive: true, force: true });
  }
}
