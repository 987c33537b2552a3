import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, OperationError } from '@understudy/shared';

/** setpriv(1), util-linux: the child gets SIGKILL from the kernel when we die, so that not even `kill -9` on the demo leaves anything behind. */
const SETPRIV = '/usr/bin/setpriv';

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

export interface RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves with the exit code or signal. */
  readonly exited: Promise<string>;
  hasExited(): boolean;
  signal(signal: NodeJS.Signals): void;
}

/** Every process of the demo: each leads its own process group, so that Ctrl-C reaches only the demo, which then stops them in order. */
export class ProcessGroup {
  readonly #clock: Clock;
  readonly #logDir: string;
  #running: RunningProcess[] = [];

  constructor(options: { readonly clock: Clock; readonly logDir: string }) {
    this.#clock = options.clock;
    this.#logDir = options.logDir;
  }

  /** @throws CONFIG_INVALID when the program cannot be started */
  start(spec: ProcessSpec): RunningProcess {
    const logFile = join(this.#logDir, `${spec.name}.log`);
    const log = openSync(logFile, 'a');
    const [command, args] = existsSync(SETPRIV)
      ? [SETPRIV, ['--pdeathsig', 'KILL', '--', spec.command, ...spec.args]]
      : [spec.command, [...spec.args]];
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...spec.environment },
    });
    if (child.pid === undefined) throw new OperationError('CONFIG_INVALID', `cannot start ${spec.command}`);
    const running = wrap(spec.name, child, child.pid, logFile);
    this.#running.push(running);
    return running;
  }

  /** Stops what uses the store before the store: each wave gets SIGTERM, and SIGKILL for what is left after `graceMs`. Idempotent. */
  async stopAll(graceMs = 4_000): Promise<void> {
    const all = this.#running.toReversed();
    this.#running = [];
    const isStore = (each: RunningProcess) => each.name.startsWith('etcd');
    await this.#stop(
      all.filter((each) => !isStore(each)),
      graceMs,
    );
    await this.#stop(all.filter(isStore), graceMs);
  }

  async #stop(wave: readonly RunningProcess[], graceMs: number): Promise<void> {
    for (const each of wave) each.signal('SIGTERM');
    const enough = new AbortController();
    const exits = Promise.all(wave.map((each) => each.exited));
    await Promise.race([exits, this.#clock.sleep(graceMs, enough.signal).catch(() => undefined)]);
    enough.abort(new Error('all stopped'));
    for (const each of wave) if (!each.hasExited()) each.signal('SIGKILL');
    await exits;
  }
}

function wrap(name: string, child: ChildProcess, pid: number, logFile: string): RunningProcess {
  let done = false;
  const exited = new Promise<string>((resolve) => {
    const finish = (how: string) => {
      done = true;
      resolve(how);
    };
    child.once('exit', (code, signal) => finish(signal ?? `exit ${code}`));
    child.once('error', (error) => finish(error.message));
  });
  const signal = (which: NodeJS.Signals) => {
    if (done) return;
    try {
      process.kill(-pid, which);
    } catch {
      // Gone between the check and the call: that is what was wanted.
    }
  };
  return { name, pid, logFile, exited, hasExited: () => done, signal };
}
