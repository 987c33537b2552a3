import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { runProgram } from './network.ts';

/** Tells a `main.ts` that it runs inside already, and in which folder. */
export const INSIDE = 'UNDERSTUDY_FAULT_LAB';
/** After this long without an orderly end, the whole world is killed. */
const GRACE_MS = 20_000;

/**
 * New network, mount and process-id namespaces, owned by one process. When it is gone, however it
 * went, the kernel kills every process in them and takes away every interface, named namespace, nft
 * rule, mount and loop device. Nothing is reachable from outside, and nothing outside from within.
 */
export const UNSHARE: readonly string[] = [
  'unshare',
  ...['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
];

/**
 * Makes mounts that are made from now on seen in every namespace of this world and nowhere else,
 * and named network namespaces this world's own. Called once, inside.
 */
export function settleIn(): void {
  runProgram('mount', ['--make-rshared', '/']);
  mkdirSync('/run/netns', { recursive: true });
  runProgram('mount', ['-t', 'tmpfs', 'tmpfs', '/run/netns']);
}

/** A running `main.ts` as pid 1 of a world of its own. */
export interface PrivateWorld {
  /** A command that opens a shell inside. */
  readonly enter: string;
  /** Its exit code. Null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Asks it to end in order (its channel to us closes), and kills it when it does not. */
  end(): void;
}

export function startPrivateWorld(
  main: string,
  args: readonly string[],
  folder: string,
  onMessage: (message: unknown) => void,
): PrivateWorld {
  const [command = '', ...before] = UNSHARE;
  // It runs with the flags we were started with ourselves: TypeScript from source.
  const node = [process.execPath, ...process.execArgv, main, ...args];
  const child = spawn(command, [...before, ...node], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [INSIDE]: folder },
    detached: true,
  });
  child.on('message', onMessage);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  // unshare's only child is pid 1 of the world.
  const first = `$(cat /proc/${child.pid}/task/${child.pid}/children)`;
  const enter = `nsenter --target ${first} --net --mount --pid sh`;
  return { enter, exited, end: () => end(child, exited) };
}

function end(child: ChildProcess, exited: Promise<unknown>): void {
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  void exited.finally(() => clearTimeout(timer));
}
