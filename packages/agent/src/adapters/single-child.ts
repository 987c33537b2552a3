import { type Clock, type MonotonicMs, OperationError } from '@understudy/shared';
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { killGroup } from './command-runner.ts';

export type SingleChildOutcome =
  /** `code` is null when a signal ended it. */
  | { readonly kind: 'ended'; readonly code: number | null; readonly output: string }
  /**
   * The child is not back by the deadline, or an earlier one still is not. `sinceMs`: since when.
   */
  | { readonly kind: 'hung'; readonly sinceMs: MonotonicMs; readonly firstTime: boolean };

interface SingleChildOptions {
  readonly clock: Clock;
  readonly env?: Readonly<Record<string, string>>;
  /** Output beyond this is read and thrown away. */
  readonly outputCharactersMax: number;
}

/**
 * Runs one command, again and again, in a process group of its own, and never twice at a time. At
 * the deadline the group is killed but not waited for, because a process that hangs in the kernel
 * does not die of SIGKILL. It is over when no process holds its output any more: a shell dies at
 * once, but what it has started may not. Until then no second one is started beside it.
 */
export class SingleChild {
  readonly #options: SingleChildOptions;
  /** A killed child that the kernel has not given back. */
  #stuck: ChildProcess | null = null;
  /** Start of the first run of an unbroken row of late ones. */
  #lateSinceMs: MonotonicMs | null = null;

  constructor(options: SingleChildOptions) {
    this.#options = options;
  }

  /** @throws COMMAND_FAILED when it cannot be started. */
  async run(command: readonly string[], signal: AbortSignal): Promise<SingleChildOutcome> {
    if (this.#stuck && this.#lateSinceMs !== null)
      return { kind: 'hung', sinceMs: this.#lateSinceMs, firstTime: false };
    const startedAtMs = this.#options.clock.monotonicMs();
    const ended = await this.#runOnce(command, signal);
    if (ended) {
      this.#lateSinceMs = null;
      return ended;
    }
    const firstTime = this.#lateSinceMs === null;
    this.#lateSinceMs ??= startedAtMs;
    return { kind: 'hung', sinceMs: this.#lateSinceMs, firstTime };
  }

  /** Null when the deadline came first. */
  #runOnce(command: readonly string[], signal: AbortSignal): Promise<SingleChildOutcome | null> {
    const { env, outputCharactersMax } = this.#options;
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    return new Promise((resolve, reject) => {
      let output = '';
      const keep = (bytes: Buffer) => {
        if (output.length < outputCharactersMax) output += bytes.toString('utf8');
      };
      child.stdout.on('data', keep);
      child.stderr.on('data', keep);
      const onDeadline = () => {
        this.#stuck = child;
        killGroup(child, 'SIGKILL');
        forget(child);
        resolve(null);
      };
      signal.addEventListener('abort', onDeadline, { once: true });
      child.on('error', (cause) => {
        signal.removeEventListener('abort', onDeadline);
        reject(new OperationError('COMMAND_FAILED', `cannot run ${program}`, { cause }));
      });
      child.on('close', (code) => {
        // The kernel gave back the killed child. The next turn may try again.
        if (this.#stuck === child) this.#stuck = null;
        signal.removeEventListener('abort', onDeadline);
        resolve({ kind: 'ended', code, output });
      });
    });
  }
}

/** Goes on listening to the child without keeping our process alive for it. */
function forget(child: ChildProcess): void {
  child.unref();
  // Pipes of children are sockets (child_process in the Node manual). The types say less.
  for (const pipe of [child.stdout, child.stderr]) (pipe as Socket | null)?.unref();
}
