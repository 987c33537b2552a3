import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { letGo, stopAllBelow } from './process-tree.ts';

export interface MachineStart {
  readonly command: readonly string[];
  readonly logFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const SETPRIV = '/usr/bin/setpriv';

/**
 * Makes the kernel kill the machine when cloud-sim dies, even by SIGKILL (prctl PR_SET_PDEATHSIG
 * through util-linux `setpriv`). Where that is missing, its stdin is a pipe that closes then.
 */
const leashed = (command: readonly string[]): readonly string[] =>
  existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--', ...command] : command;

/** One booted machine: the process group of its command. */
export class Machine {
  readonly pid: number | null;
  readonly exited: Promise<number | null>;
  #running = true;
  #signalled = false;
  /** Processes below it that are held still. */
  #held: number[] = [];
  readonly #child: ChildProcess;

  constructor(start: MachineStart) {
    mkdirSync(dirname(start.logFile), { recursive: true });
    const [program = '', ...args] = leashed(start.command);
    const log = openSync(start.logFile, 'a');
    this.#child = spawn(program, args, { env: start.env, stdio: ['pipe', log, log], detached: true });
    closeSync(log);
    this.pid = this.#child.pid ?? null;
    this.#child.stdin?.on('error', () => undefined);
    this.exited = new Promise((resolve) => {
      const gone = (code: number | null) => {
        this.#running = false;
        resolve(code);
      };
      this.#child.once('error', () => gone(null));
      this.#child.once('exit', gone);
    });
  }

  get running(): boolean {
    return this.#running;
  }

  /** Whether its end was asked for from outside, by any signal. */
  get signalled(): boolean {
    return this.#signalled;
  }

  /** Everything in it stands still, and goes on from there when it is let go. Idempotent. */
  hold(still: boolean): void {
    if (this.pid === null || !this.#running) return;
    if (still) this.#held = [...this.#held, ...stopAllBelow(this.pid)];
    else letGo(this.#held.splice(0));
    try {
      process.kill(-this.pid, still ? 'SIGSTOP' : 'SIGCONT');
    } catch {
      // The group is gone already.
    }
  }

  /** Signals the whole group, so that a probe child does not outlive its agent. Idempotent. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void {
    this.#signalled = true;
    if (this.pid === null) return;
    try {
      process.kill(-this.pid, name);
    } catch {
      // The group is gone already.
    }
  }
}
