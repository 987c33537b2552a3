import type { Clock } from '@understudy/shared';
import type {
  FileSystemRoom,
  ProbeFindings,
  ProbeOutcome,
  StorageExpectation,
  StorageProbe,
} from '../checks/storage.ts';
import { SingleChild } from './single-child.ts';

/**
 * Runs in a plain shell with coreutils (4-6 ms of CPU; a Node child would cost 40). `stat -f`
 * stands in for statfs(2), which can hang on a dead file system like any other call. The write is 4
 * KiB, O_DIRECT where the file system takes it, and synced in any case. It goes to a new file while
 * the last one is still there, and then takes its place. Rewriting one file would reuse the block
 * and the inode that it gives back itself, and so never notice a full disk. The files of a killed
 * probe are removed first. Descriptor 3 is our output in every child: while one of them hangs in
 * the kernel, the probe is not over.
 */
const PROBE_SCRIPT = `
exec 3>&1
room() { printf 'room %s\\n' "$(stat -f -c '%S %b %a %c %d' -- "$1" 2>/dev/null)"; }
put() { dd if=/dev/zero of="$new" bs=4096 count=1 conv=fsync "$@" 2>&1 >/dev/null; }
n=$1; shift
while [ "$n" -gt 0 ]; do room "$1"; shift; n=$((n - 1)); done
for folder in "$@"; do
  room "$folder"
  new="$folder/.understudy-probe.new"
  if [ -e "$new" ]; then rm -f -- "$new" 2>/dev/null; fi
  if put oflag=direct >/dev/null || error=$(put); then
    if error=$(mv -f -- "$new" "$folder/.understudy-probe" 2>&1); then echo 'write ok'; continue; fi
  fi
  rm -f -- "$new" 2>/dev/null
  printf 'write %s\\n' "$(printf '%s' "$error" | head -n 1)"
done
`;

export const PROBE_COMMAND: readonly string[] = ['/bin/sh', '-c', PROBE_SCRIPT, 'understudy-probe'];

export function probeArguments(expected: StorageExpectation): readonly string[] {
  const mounts = expected.mounts.map((mount) => mount.path);
  return [String(mounts.length), ...mounts, ...expected.probeFolders];
}

/**
 * Reads the lines of the script, in the order of its arguments: the room of each mount, then the
 * room and the write of each folder.
 */
export function parseProbeOutput(text: string, mountCount: number): ProbeFindings {
  const rooms: (FileSystemRoom | null)[] = [];
  const writes: (string | null)[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('room')) rooms.push(parseRoom(line.slice(5)));
    else if (line.startsWith('write ')) writes.push(line === 'write ok' ? null : line.slice(6));
  }
  const folders = writes.map((error, index) => ({ error, room: rooms[mountCount + index] ?? null }));
  return { mounts: rooms.slice(0, mountCount), folders };
}

/**
 * Reads block size, all blocks, those free to ordinary users, all inodes, free ones. No blocks (an
 * unlimited tmpfs) or inodes (btrfs, vfat) mean no limit.
 */
function parseRoom(text: string): FileSystemRoom | null {
  const [blockBytes, blocks, freeBlocks, inodes, freeInodes] = text.trim().split(/\s+/).map(Number);
  if (!blockBytes || freeBlocks === undefined || Number.isNaN(freeBlocks)) return null;
  return { freeBytes: blocks ? blockBytes * freeBlocks : null, freeInodes: inodes ? (freeInodes ?? null) : null };
}

const OUTPUT_CHARACTERS_MAX = 65_536;

/** The one child that may touch a hanging disk. */
export class ChildStorageProbe implements StorageProbe {
  readonly #expected: StorageExpectation;
  readonly #command: readonly string[];
  readonly #child: SingleChild;

  constructor(options: {
    readonly expected: StorageExpectation;
    readonly clock: Clock;
    readonly command?: readonly string[];
  }) {
    this.#expected = options.expected;
    this.#command = options.command ?? PROBE_COMMAND;
    // {@link judgeProbe} reads the messages of dd and mv, so they must not be in the language of
    // the machine.
    const env = { LC_ALL: 'C' };
    this.#child = new SingleChild({ clock: options.clock, env, outputCharactersMax: OUTPUT_CHARACTERS_MAX });
  }

  async probe(signal: AbortSignal): Promise<ProbeOutcome> {
    const outcome = await this.#child.run([...this.#command, ...probeArguments(this.#expected)], signal);
    if (outcome.kind === 'hung') return outcome;
    return { kind: 'found', findings: parseProbeOutput(outcome.output, this.#expected.mounts.length) };
  }
}
