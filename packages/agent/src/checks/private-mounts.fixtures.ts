import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why real file systems cannot be made here, or null. */
export function missingForMounts(): string | null {
  const script = 'd=$(mktemp -d); truncate -s 1M $d/i && mkfs.ext4 -q $d/i && mkdir $d/m && mount -o loop $d/i $d/m';
  const tried = spawnSync('unshare', [
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-c',
    `${script}; e=$?; umount $d/m; rm -rf $d; exit $e`,
  ]);
  return tried.status === 0 ? null : 'needs root, loop devices and mkfs.ext4';
}

/**
 * A frozen file system outlives the process that froze it, so the namespace thaws its own after
 * this.
 */
const THAW_AFTER_SECONDS = 90;

/**
 * A mount namespace held by a child of the test. Nobody else sees what is mounted there, and it
 * goes with the namespace.
 */
export class PrivateMounts {
  readonly folder = mkdtempSync(join(tmpdir(), 'understudy-mounts-'));
  readonly #holder: ChildProcess;

  private constructor() {
    chmodSync(this.folder, 0o755);
    const guard = `trap 'fsfreeze -u m 2>/dev/null' EXIT; echo ready; read -t ${THAW_AFTER_SECONDS} line`;
    this.#holder = spawn('unshare', ['--mount', '--propagation', 'private', 'bash', '-c', guard], {
      cwd: this.folder,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  }

  static async open(): Promise<PrivateMounts> {
    const mounts = new PrivateMounts();
    await new Promise((resolve) => mounts.#holder.stdout?.once('data', resolve));
    return mounts;
  }

  /** Where the one file system of this namespace is mounted. */
  get path(): string {
    return join(this.folder, 'm');
  }

  get mountTable(): string {
    return `/proc/${this.#holder.pid}/mounts`;
  }

  /** `command` as it has to be started to see the mounts. */
  inside(command: readonly string[]): readonly string[] {
    return ['nsenter', `--mount=/proc/${this.#holder.pid}/ns/mnt`, ...command];
  }

  /** Runs a shell script inside, in {@link folder}. @throws what it wrote to stderr. */
  script(text: string): string {
    const [program = '', ...args] = this.inside(['sh', '-ec', `cd ${this.folder}; ${text}`]);
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Thaws, then ends the namespace and with it the mounts. */
  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#holder.once('exit', resolve));
    this.#holder.stdin?.end();
    await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }
}
