import { type Clock, errorText } from '@understudy/shared';
import { type ChildProcess, spawn } from 'node:child_process';
import { HOOK_GRACE_MS } from '../serve-times.ts';
import { NO_SUCH_PROGRAM, throughShell } from './through-shell.ts';

export type CommandOutcome =
  | { readonly kind: 'exited'; readonly code: number; readonly output: string }
  | { readonly kind: 'killed'; readonly detail: string }
  | { readonly kind: 'not-started'; readonly detail: string };

const OUTPUT_CHARACTERS_MAX = 2_000;

interface RunOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /**
   * Time between SIGTERM and SIGKILL, and again between SIGKILL and the end of waiting, in ms.
   * Default 2 000.
   */
  readonly graceMs?: number;
  /** Ends it at once, as its deadline would. */
  readonly signal?: AbortSignal;
  /** The last so many characters of its output are kept. Default 2 000. */
  readonly outputCharactersMax?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command in its own process group with a deadline: SIGTERM, then SIGKILL to the whole
 * group, then it is left alone (a process that hangs in the kernel cannot be waited for). Never
 * rejects. Keeps the last characters of its output.
 */
export function runCommand(command: readonly string[], options: RunOptions): Promise<CommandOutcome> {
  const [program = '', ...args] = throughShell(command);
  const { outputCharactersMax = OUTPUT_CHARACTERS_MAX } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    let output = '';
    const keep = (text: Buffer) => {
      output = (output + text.toString('utf8')).slice(-outputCharactersMax);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const stages = killStages(child, options, () => finish(endedBy(options)));
    const finish = (outcome: CommandOutcome) => {
      stages.cancel();
      leave(child);
      resolve(outcome);
    };
    child.on('error', (error) => finish({ kind: 'not-started', detail: errorText(error) }));
    child.on('exit', (code, signal) => {
      if (stages.fired()) finish(endedBy(options));
      else if (code === null) finish({ kind: 'killed', detail: `ended by ${signal}` });
      // The command's last output may still be in the pipe. Children it left behind may hold the
      // pipe open, so the end of the pipe is not waited for either.
      else setImmediate(() => finish(outcomeOf(code, output.trim())));
    });
  });
}

const outcomeOf = (code: number, output: string): CommandOutcome =>
  code === NO_SUCH_PROGRAM ? { kind: 'not-started', detail: output } : { kind: 'exited', code, output };

const endedBy = ({ signal, timeoutMs }: RunOptions): CommandOutcome => ({
  kind: 'killed',
  detail: signal?.aborted ? 'not wanted any more' : `not done after ${timeoutMs} ms`,
});

function killStages(child: ChildProcess, options: RunOptions, giveUp: () => void) {
  const { clock, timeoutMs, graceMs = HOOK_GRACE_MS, signal } = options;
  let fired = false;
  const end = () => {
    if (fired) return;
    fired = true;
    timer.cancel();
    killGroup(child, 'SIGTERM');
    timer = clock.setTimer(graceMs, () => {
      killGroup(child, 'SIGKILL');
      timer = clock.setTimer(graceMs, giveUp);
    });
  };
  let timer = clock.setTimer(timeoutMs, end);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  const cancel = () => {
    timer.cancel();
    signal?.removeEventListener('abort', end);
  };
  return { cancel, fired: () => fired };
}

/** Kills the child's process group. Harmless when it is gone. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already, so there is nothing left to kill.
  }
}

/** Lets this process end although the child, or a process that holds its pipes, may live on. */
export function leave(child: ChildProcess): void {
  child.unref();
  child.stdout?.destroy();
  child.stderr?.destroy();
}
