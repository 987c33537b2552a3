import { readFile, readlink } from 'node:fs/promises';
import type { ProcessSighting } from '../core/lock-claim.ts';

const orUnknown = (reading: Promise<string>): Promise<string> =>
  reading.then(
    (text) => text.trim(),
    () => 'unknown',
  );

/** What /proc shows of a process, as seen from our own pid namespace. */
export async function sightingOf(pid: number): Promise<ProcessSighting> {
  const [bootId, pidNamespace, startTime] = await Promise.all([
    orUnknown(readFile('/proc/sys/kernel/random/boot_id', 'utf8')),
    orUnknown(readlink('/proc/self/ns/pid')),
    startTimeOf(pid),
  ]);
  return { bootId, pidNamespace, startTime };
}

/** Null: there is no such process, or it is a zombie. Without /proc: '' for one that exists. */
async function startTimeOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The command may hold spaces and brackets. State (field 3) and so on follow the last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    return state === 'Z' || state === 'X' ? null : (fields[19] ?? '');
  } catch {
    return exists(pid) && !(await hasProc()) ? '' : null;
  }
}

const hasProc = (): Promise<boolean> =>
  readFile('/proc/self/stat').then(
    () => true,
    () => false,
  );

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
