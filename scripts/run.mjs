import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/**
 * What the person at the keyboard can do something about: printed as one sentence, without a stack.
 */
export class SetupError extends Error {}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
/** One Ctrl-C reaches us twice: from the terminal and again from npm. */
const SAME_SIGNAL_MS = 750;
const ORPHAN_CHECK_MS = 1_000;
const PARENT_WATCH = fileURLToPath(new URL('parent-watch.mjs', import.meta.url));

/** The shell's convention: 128 + number for a process that died of a signal. */
export const exitCodeOf = (code, signal) => code ?? 128 + (constants.signals[signal] ?? 0);

/**
 * Runs a command to its end and resolves with its exit code.
 *
 * The command gets a process group of its own, so that a Ctrl-C of the terminal does not reach it
 * directly: we pass on each signal, once, and go on waiting. `watchParent` (Node commands only)
 * makes it stop when we are killed in a way that cannot be passed on.
 */
export function run(command, args, { env = process.env, cwd, stdio = 'inherit', watchParent = false } = {}) {
  return new Promise((resolve, reject) => {
    const nodeArgs = watchParent ? ['--import', PARENT_WATCH, ...args] : args;
    const streams = typeof stdio === 'string' ? [stdio, stdio, stdio] : stdio;
    const child = spawn(command, nodeArgs, {
      env,
      cwd,
      stdio: watchParent ? [...streams, 'ipc'] : streams,
      detached: true,
    });
    const stopForwarding = forwardSignals(child, watchParent);
    child.once('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      stopForwarding();
      resolve(exitCodeOf(code, signal));
    });
  });
}

/**
 * A Node command looks after its own children; npx, apt and shells do not, so there the whole group
 * is told.
 */
function forwardSignals(child, onlyTheLeader) {
  const lastSentMs = new Map();
  const forward = (signal) => {
    const nowMs = performance.now();
    if (nowMs - (lastSentMs.get(signal) ?? Number.NEGATIVE_INFINITY) < SAME_SIGNAL_MS) return;
    lastSentMs.set(signal, nowMs);
    deliver(child, signal, onlyTheLeader);
  };
  // The child's session has no terminal, so the kernel does not tell it about a new window size.
  const resize = () => deliver(child, 'SIGWINCH', true);
  for (const signal of FORWARDED) process.on(signal, forward);
  // npm, killed by a signal it does not pass on, leaves us to init: then nobody is there to stop us
  // any more.
  const parent = process.ppid;
  const orphanWatch = setInterval(() => process.ppid !== parent && forward('SIGTERM'), ORPHAN_CHECK_MS);
  process.on('SIGWINCH', resize);
  return () => {
    clearInterval(orphanWatch);
    for (const signal of FORWARDED) process.off(signal, forward);
    process.off('SIGWINCH', resize);
  };
}

function deliver(child, signal, onlyTheLeader) {
  if (child.pid === undefined) return;
  try {
    process.kill(onlyTheLeader ? child.pid : -child.pid, signal);
  } catch {
    // It has just ended; its exit event follows.
  }
}

/**
 * Set-up output goes to stderr, so that stdout carries nothing but the command's own. A signal
 * during set-up ends us too.
 */
export async function runSetupStep(command, args, options = {}) {
  let stopped = null;
  const note = (signal) => {
    stopped = signal;
  };
  for (const signal of FORWARDED) process.on(signal, note);
  try {
    const code = await run(command, args, { stdio: ['ignore', 2, 2], ...options });
    if (stopped !== null) process.exit(exitCodeOf(null, stopped));
    return code;
  } finally {
    for (const signal of FORWARDED) process.off(signal, note);
  }
}

export const say = (text) => process.stderr.write(`${text}\n`);

/** First line of a short command's output, or null when it cannot be run. */
export function outputOf(command, args, env = process.env) {
  const result = spawnSync(command, args, {
    env,
    encoding: 'utf8',
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return result.status === 0 ? result.stdout : null;
}

let flockFound;

/**
 * `flock` (part of every Debian) keeps two set-ups of one checkout apart; the kernel frees the lock
 * when the command ends.
 */
export function underLock(lockFile, command, args) {
  flockFound ??= outputOf('flock', ['--version']) !== null;
  return flockFound ? ['flock', ['--no-fork', lockFile, command, ...args]] : [command, args];
}

/** Runs a script's `main`; a {@link SetupError} becomes one sentence and exit code 1. */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`understudy: ${error.message}`);
    process.exitCode = 1;
  }
}
