import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianTree } from './debian-tree.ts';

const BOOT_LIMIT_MS = 60_000;
/** Nothing of this machine's settings shows inside. */
const PLAIN = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive'];

export interface Said {
  readonly code: number | null;
  /** Standard output and standard error. */
  readonly said: string;
}

/** A copy of the Debian tree, in which programs run by chroot. */
export function copiedTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-package-tree-'));
  const copied = spawnSync('cp', ['-a', '--reflink=auto', `${debianTree()}/.`, folder], { encoding: 'utf8' });
  if (copied.status !== 0) throw new Error(`cp: ${copied.stderr}`);
  return folder;
}

/** A Debian with its own init, process ids and network (none), as a child of this process. */
export class Machine {
  readonly folder: string;
  readonly #nspawn: ChildProcess;
  readonly #init: string;

  private constructor(folder: string, nspawn: ChildProcess, init: string) {
    this.folder = folder;
    this.#nspawn = nspawn;
    this.#init = init;
  }

  /** @throws Error with the end of its console when it is not up in a minute. */
  static async boot(): Promise<Machine> {
    const folder = copiedTree();
    writeFileSync(join(folder, 'etc/machine-id'), '');
    rmSync(join(folder, 'etc/resolv.conf'), { force: true });
    writeFileSync(join(folder, 'etc/resolv.conf'), 'nameserver 127.0.0.1\n');
    const consoleFile = join(tmpdir(), `understudy-package-${process.pid}.console`);
    const output = openSync(consoleFile, 'w');
    const name = `understudy-package-${process.pid}`;
    const quiet = ['-q', '--register=no', '--keep-unit', '--private-network', '--console=pipe', '--resolv-conf=off'];
    // Its process goes with ours, however we end.
    const command = ['--pdeathsig=KILL', 'systemd-nspawn', ...quiet, '-D', folder, '-M', name, '-b'];
    const nspawn = spawn('setpriv', command, { stdio: ['ignore', output, output] });
    const deadline = performance.now() + BOOT_LIMIT_MS;
    while (performance.now() < deadline && nspawn.exitCode === null) {
      const init = initOf(nspawn.pid);
      const up = init === null ? null : inside(init, 'systemctl is-system-running --wait');
      if (init !== null && up?.code === 0) return new Machine(folder, nspawn, init);
      spawnSync('sleep', ['0.2']);
    }
    nspawn.kill('SIGKILL');
    throw new Error(`the machine did not come up: ${readFileSync(consoleFile, 'utf8').slice(-2_000)}`);
  }

  /** Runs a script of sh and returns how it ended. */
  try(script: string): Said {
    return inside(this.#init, script);
  }

  /** Runs a script that has to succeed; returns what it said. */
  run(script: string): string {
    const { code, said } = this.try(script);
    if (code !== 0) throw new Error(`exit code ${code} of: ${script}\n${said}`);
    return said.trim();
  }

  /** Runs a condition until it holds, for at most 40 s. */
  until(condition: string): void {
    this.run(`for i in $(seq 200); do if ( ${condition} ) >/dev/null 2>&1; then exit 0; fi; sleep 0.2; done; exit 1`);
  }

  /** The power cut: every process of it ends with its first. */
  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#nspawn, 'exit');
    if (this.#nspawn.exitCode === null) {
      process.kill(Number(this.#init), 'SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The first process inside: nspawn's only child. */
function initOf(nspawn: number | undefined): string | null {
  try {
    return /\d+/.exec(readFileSync(`/proc/${nspawn}/task/${nspawn}/children`, 'utf8'))?.[0] ?? null;
  } catch {
    return null;
  }
}

function inside(init: string, script: string): Said {
  const args = ['-t', init, '-a', ...PLAIN, '/bin/sh', '-euc', script];
  const result = spawnSync('nsenter', args, { encoding: 'utf8', timeout: 120_000 });
  return { code: result.status, said: result.stdout + result.stderr };
}
