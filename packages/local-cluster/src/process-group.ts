import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, OperationError } from '@understudy/shared';

/**
 * setpriv(1), util-linux: the child gets SIGKILL from the kernel when we die, so that not even
 * `kill -9` on us leaves anything behind.
 */
const SETPRIV = '/usr/bin/setpriv';

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Beside {@link INHERITED}. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Nothing else of our environment reaches a process, least of all our AWS credentials. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'] as const;

const inherited = (): NodeJS.ProcessEnv =>
  Object.fromEntries(INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));

export interface RunningProcess {
  readonly spec: ProcessSpec;
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves with the exit code or signal. */
  readonly exited: Promise<string>;
  /** Null while it runs, and when a signal ended it. */
  readonly exitCode: number | null;
  /** Null while it runs, and when it ended by itself. */
  readonly endedBy: NodeJS.Signals | null;
  hasExited(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** What it has written since it was started: output and errors, as they came. */
  output(): string;
}

/**
 * Every process of a cluster. Each leads its own process group, so that Ctrl-C reaches only us, who
 * then stop them in order.
 */
export class ProcessGroup {
  readonly #clock: Clock;
  readonly #logDir: string;
  /**
   * By name, in the order of starting; a process that was started again takes its predecessor's
   * place.
   */
  readonly #running = new Map<string, RunningProcess>();

  constructor(options: { readonly clock: Clock; readonly logDir: string }) {
    this.#clock = options.clock;
    this.#logDir = options.logDir;
  }

  /** @throws CONFIG_INVALID when the program cannot be started */
  start(spec: ProcessSpec): RunningProcess {
    const logFile = join(this.#logDir, `${spec.name}.log`);
    const log = openSync(logFile, 'a');
    const startsAt = fstatSync(log).size;
    const [command, args] = existsSync(SETPRIV)
      ? [SETPRIV, ['--pdeathsig', 'KILL', '--', spec.command, ...spec.args]]
      : [spec.command, [...spec.args]];
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...inherited(), ...spec.environment },
    });
    // The child has its own copy; ours would stay open, one per restart.
    closeSync(log);
    if (child.pid === undefined) throw new OperationError('CONFIG_INVALID', `cannot start ${spec.command}`);
    const running = wrap(spec, child, child.pid, { path: logFile, startsAt });
    this.#running.set(spec.name, running);
    return running;
  }

  /** @throws Error when nothing of that name was started */
  get(name: string): RunningProcess {
    const found = this.#running.get(name);
    if (!found) throw new Error(`no process ${name}`);
    return found;
  }

  all(): readonly RunningProcess[] {
    return [...this.#running.values()];
  }

  /**
   * Starts one that has ended once more, as it was started before. @throws Error when it still runs
   */
  restart(name: string): RunningProcess {
    const before = this.get(name);
    if (!before.hasExited()) throw new Error(`${name} still runs`);
    return this.start(before.spec);
  }

  /**
   * Stops what uses the store before the store: each wave gets SIGTERM, and SIGKILL for what is
   * left after `graceMs`. Idempotent.
   */
  async stopAll(graceMs = 4_000): Promise<void> {
    const all = [...this.#running.values()].toReversed();
    this.#running.clear();
    const isStore = (each: RunningProcess) => each.name.startsWith('etcd');
    await this.#stop(
      all.filter((each) => !isStore(each)),
      graceMs,
    );
    await this.#stop(all.filter(isStore), graceMs);
  }

  /** SIGKILL for all of them, stopped ones too; resolves when they are gone. Idempotent. */
  async killAll(): Promise<void> {
    const all = [...this.#running.values()];
    for (const each of all) each.signal('SIGKILL');
    await Promise.all(all.map((each) => each.exited));
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

interface LogPart {
  readonly path: string;
  /** Where this process's own lines begin: earlier ones of the same name have written before. */
  readonly startsAt: number;
}

function wrap(spec: ProcessSpec, child: ChildProcess, pid: number, log: LogPart): RunningProcess {
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
  return {
    ...{ spec, name: spec.name, pid, logFile: log.path, exited, signal },
    hasExited: () => done,
    output: () => readFileSync(log.path).subarray(log.startsAt).toString(),
    get exitCode() {
      return child.exitCode;
    },
    get endedBy() {
      return child.signalCode;
    },
  };
}
