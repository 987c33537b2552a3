import { type Clock, type MonotonicMs, OperationError } from '@understudy/shared';
import { type ChildProcess, spawn } from 'node:child_process';
import type { ProbeFindings, ProbeOutcome, StorageExpectation, StorageProbe } from '../checks/storage.ts';
import { killGroup, leave } from './command-runner.ts';

/**
 * Runs in a plain shell with coreutils (2-4 ms of CPU; a Node child would cost 40). `stat -f` stands in for statfs(2), which can hang on a dead
 * file system like any other call. The write is 4 KiB, O_DIRECT where the file system takes it, and synced in any case.
 */
const PROBE_SCRIPT = `
n=$1; shift
while [ "$n" -gt 0 ]; do
  printf 'space %s\\n' "$(stat -f -c '%S %a %c %d' -- "$1" 2>/dev/null)"; shift; n=$((n - 1))
done
for folder in "$@"; do
  file="$folder/.understudy-probe"
  dd if=/dev/zero of="$file" bs=4096 count=1 conv=fsync oflag=direct 2>/dev/null && { echo 'write ok'; continue; }
  error=$(dd if=/dev/zero of="$file" bs=4096 count=1 conv=fsync 2>&1 >/dev/null) && { echo 'write ok'; continue; }
  printf 'write %s\\n' "$(printf '%s' "$error" | head -n 1)"
done
`;

export const PROBE_COMMAND: readonly string[] = ['/bin/sh', '-c', PROBE_SCRIPT, 'understudy-probe'];

export function probeArguments(expected: StorageExpectation): readonly string[] {
  const mounts = expected.mounts.map((mount) => mount.path);
  return [String(mounts.length), ...mounts, ...expected.probeFolders];
}

/** Lines of the script, in the order of its arguments. */
export function parseProbeOutput(text: string): ProbeFindings {
  const space: ProbeFindings['space'][number][] = [];
  const writes: (string | null)[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('space')) space.push(parseSpace(line.slice(6)));
    else if (line.startsWith('write ')) writes.push(line === 'write ok' ? null : line.slice(6));
  }
  return { space, writes };
}

function parseSpace(text: string): ProbeFindings['space'][number] {
  const [blockBytes, freeBlocks, inodes, freeInodes] = text.trim().split(/\s+/).map(Number);
  if (!blockBytes || freeBlocks === undefined || Number.isNaN(freeBlocks)) return null;
  return { freeBytes: blockBytes * freeBlocks, freeInodes: inodes ? (freeInodes ?? null) : null };
}

const OUTPUT_CHARACTERS_MAX = 65_536;

/** The one child that may touch a hanging disk. While it has not come back, no second one is started; it is killed, but never waited for. */
export class ChildStorageProbe implements StorageProbe {
  readonly #expected: StorageExpectation;
  readonly #clock: Clock;
  readonly #command: readonly string[];
  /** A killed child that the kernel has not given back. */
  #stuck: ChildProcess | null = null;
  /** Start of the first probe of an unbroken run of late ones. */
  #lateSinceMs: MonotonicMs | null = null;

  constructor(options: {
    readonly expected: StorageExpectation;
    readonly clock: Clock;
    readonly command?: readonly string[];
  }) {
    this.#expected = options.expected;
    this.#clock = options.clock;
    this.#command = options.command ?? PROBE_COMMAND;
  }

  async probe(signal: AbortSignal): Promise<ProbeOutcome> {
    if (this.#stuck && this.#lateSinceMs !== null)
      return { kind: 'hung', sinceMs: this.#lateSinceMs, firstTime: false };
    const startedAtMs = this.#clock.monotonicMs();
    const findings = await this.#runChild(signal);
    if (findings) {
      this.#lateSinceMs = null;
      return { kind: 'found', findings };
    }
    const firstTime = this.#lateSinceMs === null;
    this.#lateSinceMs ??= startedAtMs;
    return { kind: 'hung', sinceMs: this.#lateSinceMs, firstTime };
  }

  /** Null when the deadline came first. */
  #runChild(signal: AbortSignal): Promise<ProbeFindings | null> {
    const [program = '', ...args] = this.#command;
    const child = spawn(program, [...args, ...probeArguments(this.#expected)], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    return new Promise((resolve, reject) => {
      let text = '';
      child.stdout.on('data', (bytes: Buffer) => {
        if (text.length < OUTPUT_CHARACTERS_MAX) text += bytes.toString('utf8');
      });
      const onDeadline = () => {
        this.#stuck = child;
        killGroup(child, 'SIGKILL');
        leave(child);
        resolve(null);
      };
      signal.addEventListener('abort', onDeadline, { once: true });
      child.on('error', (cause) => {
        signal.removeEventListener('abort', onDeadline);
        reject(new OperationError('COMMAND_FAILED', `cannot run ${program}`, { cause }));
      });
      child.on('exit', () => {
        // Killed at last, the kernel gave it back: the next turn may try again.
        if (this.#stuck === child) this.#stuck = null;
      });
      child.on('close', () => {
        signal.removeEventListener('abort', onDeadline);
        resolve(parseProbeOutput(text));
      });
    });
  }
}
