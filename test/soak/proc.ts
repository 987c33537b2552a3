import { readdirSync, readFileSync } from 'node:fs';

/** proc(5). Linux only, like the demo's process groups. */
export interface ProcessReading {
  readonly rssBytes: number;
  readonly openFiles: number;
  /** CPU time, user and system, of all threads since the process began. */
  readonly cpuSeconds: number;
  /** R, S, D, Z, T (stopped) … */
  readonly state: string;
}

/** USER_HZ, fixed by Linux's ABI. */
const TICKS_PER_SECOND = 100;

/** Null: there is no such process (any more). */
export function readProcess(pid: number): ProcessReading | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The fields follow the last parenthesis, because a command name may hold spaces. State is
    // field 3, utime and stime are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const rssKib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    if (rssKib === undefined) return null;
    return {
      rssBytes: Number(rssKib) * 1_024,
      openFiles: readdirSync(`/proc/${pid}/fd`).length,
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      state: fields[0] ?? '?',
    };
  } catch {
    return null;
  }
}
