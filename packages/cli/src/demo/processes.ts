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

  /** SIGTERM to all, newest first, then SIGKILL to what is left after `graceMs`. Idempotent. */
  async stopAll(graceMs = 4_000): Promise<void> {
    const stopping = this.#running.toReversed();
    this.#running = [];
    for (const each of stopping) each.signal('SIGTERM');
    const enough = new AbortController();
    const all = Promise.all(stopping.map((each) => each.exited));
    await Promise.race([all, this.#clock.sleep(graceMs, enough.signal).catch(() => undefined)]);
    enough.abort(new Error('all stopped'));
    for (const each of stopping) if (!each.hasExited()) each.signal('SIGKILL');
    await all;
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
