import { readdirSync, readFileSync } from 'node:fs';

const STOP_LIMIT_MS = 5_000;
const LOOK_EVERY_MS = 5;

/** Children of a process, of all its threads. Empty when it is gone. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** All processes below this one, parents before their children. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Letter of /proc/PID/stat. Null: it is gone. */
export function stateOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  } catch {
    return null;
  }
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

const isQuiet = (pid: number): boolean => ['T', 'Z', 'X', null].includes(stateOf(pid));

/**
 * Stops every process below this one, those too that are born meanwhile, and waits until none of
 * them runs or is inside a write. It is synchronous. Returns those that were not stopped before.
 * @throws when one does not stop in time (it hangs in the kernel); all are let go again then
 */
export function stopAllBelow(pid: number): readonly number[] {
  const stopped = new Set<number>();
  for (let waitedMs = 0; waitedMs < STOP_LIMIT_MS; waitedMs += LOOK_EVERY_MS) {
    const restless = descendantsOf(pid).filter((each) => !isQuiet(each));
    if (restless.length === 0) return [...stopped];
    for (const each of restless.filter((one) => !stopped.has(one))) {
      signal(each, 'SIGSTOP');
      stopped.add(each);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
  letGo([...stopped]);
  throw new Error(`not every process below ${pid} stopped within ${STOP_LIMIT_MS} ms`);
}

export function letGo(pids: readonly number[]): void {
  for (const pid of pids.toReversed()) signal(pid, 'SIGCONT');
}
