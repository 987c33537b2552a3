import { SystemClock } from '@understudy/shared/node';
import { createHash } from 'node:crypto';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const clock = new SystemClock();
const CACHE = fileURLToPath(new URL('../../../.cache/agent-machine/', import.meta.url));
const SUITE = 'bookworm';
const PACKAGES = 'systemd,systemd-sysv,dbus,ca-certificates,curl,wget,python3';
const RECIPE = createHash('sha256').update(`${SUITE} ${PACKAGES}`).digest('hex').slice(0, 8);
const TREE = join(CACHE, `tree-${RECIPE}`);
const BUILD_LIMIT_MS = 300_000;
const BOOT_LIMIT_MS = 60_000;
const HIERARCHIES = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified', '/sys/fs/cgroup'];

/** Why no machine with a systemd of its own can be booted here, or null. */
export function missingForMachines(): string | null {
  if (process.getuid?.() !== 0) return 'needs root';
  const tools = ['systemd-nspawn', 'mmdebstrap', 'unshare', 'nsenter'];
  const missing = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
  if (missing.length > 0) return `needs ${missing.join(', ')} (apt-get install systemd-container mmdebstrap)`;
  return null;
}

/** The smallest Debian with systemd, made once. Returns why it cannot be had, or null. */
export function makeTree(): string | null {
  if (existsSync(TREE)) return null;
  mkdirSync(CACHE, { recursive: true });
  const beside = `${TREE}.${process.pid}`;
  const words = [
    '--variant=minbase',
    '--mode=root',
    `--include=${PACKAGES}`,
    SUITE,
    beside,
    '/etc/apt/sources.list.d/debian.sources',
  ];
  const made = spawnSync('mmdebstrap', words, { timeout: BUILD_LIMIT_MS, encoding: 'utf8' });
  if (made.status !== 0) return `mmdebstrap: ${made.stderr.slice(-500)}`;
  // A fixed id would be two machines' own.
  writeFileSync(join(beside, 'etc/machine-id'), '');
  renameSync(beside, TREE);
  return null;
}

const BOOT = `set -eu
for group in $MACHINE_GROUPS; do mkdir -p "$group"; echo $$ > "$group/cgroup.procs"; done
exec unshare --mount --pid --fork --kill-child --mount-proc sh -c '
  mount -t overlay machine -o "lowerdir=$MACHINE_TREE,upperdir=$MACHINE_DIR/disk,workdir=$MACHINE_DIR/work" "$MACHINE_DIR/root"
  exec systemd-nspawn --quiet --register=no --keep-unit --boot --console=pipe --resolv-conf=off --timezone=off \\
    --machine="$MACHINE_NAME" --directory="$MACHINE_DIR/root" "$@" </dev/null' machine "$@"`;

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** A machine with systemd as its process 1, on this machine's network. Its disk outlives it. */
export class Machine {
  readonly dir = mkdtempSync(join(tmpdir(), 'understudy-machine-'));
  readonly #binds = new Map<string, string>();
  #child: ChildProcess | null = null;
  #firstPid = 0;

  /** `binds`: folder inside → folder here, read-only. */
  constructor(binds: Readonly<Record<string, string>>) {
    for (const name of ['disk', 'work', 'root']) mkdirSync(join(this.dir, name));
    for (const [inside, here] of Object.entries(binds)) this.bind(inside, here);
  }

  /** Shows a folder inside, read-only, from the next boot on. */
  bind(inside: string, here: string): void {
    this.#binds.set(inside, here);
  }

  /** Process 1, by its number out here. */
  get firstPid(): number {
    return this.#firstPid;
  }

  /** The main process of a unit, by its number out here. */
  async pidOutside(unit: string): Promise<number> {
    const inside = (await this.run('systemctl', 'show', '--property=MainPID', '--value', unit)).output;
    for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const numbers = namespacePids(Number(entry));
      if (numbers.length > 1 && numbers.at(-1) === inside && this.#holds(Number(entry))) return Number(entry);
    }
    throw new Error(`${unit} has no process: ${inside}`);
  }

  #holds(pid: number): boolean {
    const namespaceOf = (one: number) => readlinkSync(`/proc/${one}/ns/pid`);
    return namespaceOf(pid) === namespaceOf(this.#firstPid);
  }

  /** Writes to the disk. Works while it is off, too. */
  write(path: string, text: string, mode = 0o644): void {
    const at = join(this.dir, this.#child ? 'root' : 'disk', path);
    if (this.#child) throw new Error(`write ${path} before the machine is on`);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text, { mode });
  }

  get #groups(): string[] {
    const mounted = HIERARCHIES.filter((one) => existsSync(join(one, 'cgroup.procs')));
    return mounted.map((one) => join(one, `understudy-agents-${process.pid}`));
  }

  /** Boots, and waits until systemd says that all is up (or that some unit failed). */
  async boot(): Promise<void> {
    const binds = [...this.#binds].map(([inside, here]) => `--bind-ro=${here}:${inside}`);
    const env = {
      ...process.env,
      MACHINE_TREE: TREE,
      MACHINE_DIR: this.dir,
      MACHINE_NAME: `understudy-${process.pid}`,
      MACHINE_GROUPS: this.#groups.join(' '),
    };
    const child = spawn('sh', ['-c', BOOT, 'boot', ...binds], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let said = '';
    for (const pipe of [child.stdout, child.stderr])
      pipe.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-4_000)));
    const untilMs = clock.monotonicMs() + BOOT_LIMIT_MS;
    for (;;) {
      this.#firstPid = this.#findFirstProcess();
      const state = this.#firstPid === 0 ? '' : (await this.run('systemctl', 'is-system-running')).output;
      if (state === 'running' || state === 'degraded') return;
      if (clock.monotonicMs() > untilMs || child.exitCode !== null) throw new Error(`no boot: ${state} ${said}`);
      await clock.sleep(200);
    }
  }

  /** Runs a command inside. */
  run(...command: readonly string[]): Promise<Ran> {
    const args = [
      '--target',
      String(this.#firstPid),
      '--mount',
      '--uts',
      '--ipc',
      '--pid',
      '--cgroup',
      '--',
      ...command,
    ];
    return new Promise((resolve) => {
      execFile('nsenter', args, { timeout: BOOT_LIMIT_MS, encoding: 'utf8' }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, output: `${stdout}${stderr}`.trim() });
      });
    });
  }

  async stateOf(unit: string): Promise<string> {
    return (await this.run('systemctl', 'show', '--property=ActiveState', '--value', unit)).output;
  }

  get isOn(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Takes the power away: everything inside dies at once. */
  async cutPower(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    if (this.isOn) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    this.#child = null;
    rmSync(join(this.dir, 'work'), { recursive: true, force: true });
    mkdirSync(join(this.dir, 'work'));
  }

  async remove(): Promise<void> {
    await this.cutPower();
    for (const group of this.#groups) removeGroup(group);
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** `unshare`, then systemd-nspawn, then process 1. Zero: it has not come that far. */
  #findFirstProcess(): number {
    const nspawn = childOf(this.#child?.pid ?? 0);
    const first = nspawn === 0 ? 0 : childOf(nspawn);
    try {
      return first !== 0 && readFileSync(`/proc/${first}/comm`, 'utf8').trim() === 'systemd' ? first : 0;
    } catch {
      return 0;
    }
  }
}

/** The numbers of one process, from ours to the innermost namespace's. */
function namespacePids(pid: number): readonly string[] {
  try {
    return /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]?.split('\t') ?? [];
  } catch {
    return [];
  }
}

function childOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] ?? 0);
  } catch {
    return 0;
  }
}

function removeGroup(dir: string): void {
  if (!existsSync(dir)) return;
  for (const entry of readdirSync(dir, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(dir, entry.name));
  try {
    rmdirSync(dir);
  } catch {
    // A process of it has not gone yet; an empty group of ours harms nobody.
  }
}
