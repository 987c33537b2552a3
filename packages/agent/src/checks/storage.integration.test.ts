import { SystemClock } from '@understudy/shared/node';
import { RecordingLog, SeededRandom } from '@understudy/shared/testing';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ChildStorageProbe, PROBE_COMMAND } from '../adapters/storage-probe.ts';
import { mountTable } from '../adapters/mount-table.ts';
import type { CheckResult } from '../core/check-state.ts';
import { CheckRunner } from './check-runner.ts';
import { missingForMounts, PrivateMounts } from './private-mounts.fixtures.ts';
import { storageCheck } from './storage.ts';

const clock = new SystemClock();
const missing = missingForMounts();
const TMPFS = 'mkdir m; mount -t tmpfs -o size=64k,nr_inodes=16 none m';
const EXT4 = 'truncate -s 8M image; mkfs.ext4 -q -N 64 -m 20 image; mkdir m; mount -o loop,errors=remount-ro image m';
const FILL = 'dd if=/dev/zero of=m/fill bs=4k conv=fsync 2>/dev/null || true';

let mounts: PrivateMounts;
beforeEach(async () => {
  if (missing === null) mounts = await PrivateMounts.open();
});
afterEach(async () => {
  if (missing === null) await mounts.close();
});

/**
 * The check as the agent has it, with its probe started inside the namespace. No limits are set.
 */
function checkInside() {
  const mount = { path: mounts.path, minFreeBytes: 0, minFreeInodes: 0 };
  const expected = { devices: [], mounts: [mount], probeFolders: [mounts.path], plainFolders: false };
  const probe = new ChildStorageProbe({ expected, clock, command: mounts.inside(PROBE_COMMAND) });
  return storageCheck(expected, mountTable(mounts.mountTable), probe);
}

async function look(check = checkInside()): Promise<string> {
  const { status, code }: CheckResult = await check.run(AbortSignal.timeout(10_000));
  return `${status} ${code}`;
}

describe.skipIf(missing !== null)(
  `the storage check on real file systems${missing ? ` (skipped: ${missing})` : ''}`,
  () => {
    it.each([
      ['tmpfs', TMPFS],
      ['ext4', EXT4],
    ])(
      'a full %s is noticed by every probe although no limit is set, and room is noticed again',
      async (_name, make) => {
        mounts.script(make);
        const check = checkInside();
        expect(await look(check)).toBe('pass none');
        expect(await look(check)).toBe('pass none');
        mounts.script(FILL);
        for (let round = 0; round < 3; round++) expect(await look(check)).toBe('fail spaceLow');
        mounts.script('rm m/fill; sync');
        expect(await look(check)).toBe('pass none');
        expect(mounts.script('ls -A m').trim().split('\n')).not.toContain('.understudy-probe.new');
      },
    );

    it('a full disk is noticed by the write alone: the file that is there does not lend its block', async () => {
      mounts.script(EXT4);
      const probe = new ChildStorageProbe({
        expected: { devices: [], mounts: [], probeFolders: [mounts.path], plainFolders: false },
        clock,
        command: mounts.inside(PROBE_COMMAND),
      });
      await probe.probe(AbortSignal.timeout(10_000));
      mounts.script(FILL);
      const outcome = await probe.probe(AbortSignal.timeout(10_000));
      expect(outcome).toMatchObject({
        kind: 'found',
        findings: { folders: [{ error: expect.stringContaining('No space left on device') }] },
      });
    });

    it('a disk on which only root finds room is full', async () => {
      mounts.script(`${EXT4}; chmod 777 m; setpriv --reuid 65534 --clear-groups sh -c '${FILL}'`);
      expect(mounts.script('dd if=/dev/zero of=m/by-root bs=4k count=1 conv=fsync 2>&1')).toContain('1+0 records out');
      expect(await look()).toBe('fail spaceLow');
    });

    it.each([
      ['tmpfs', TMPFS],
      ['ext4', EXT4],
    ])('inodes used up on %s', async (_name, make) => {
      mounts.script(make);
      const check = checkInside();
      expect(await look(check)).toBe('pass none');
      mounts.script('i=0; while touch m/$i 2>/dev/null; do i=$((i + 1)); done');
      for (let round = 0; round < 3; round++) expect(await look(check)).toBe('fail inodesLow');
      mounts.script('rm m/0 m/1');
      expect(await look(check)).toBe('pass none');
    });

    it('remounted read-only', async () => {
      mounts.script(EXT4);
      const check = checkInside();
      expect(await look(check)).toBe('pass none');
      mounts.script('mount -o remount,ro m');
      expect(await look(check)).toBe('fail readOnly');
      mounts.script('mount -o remount,rw m');
      expect(await look(check)).toBe('pass none');
    });

    it('an ext4 that stopped writing after an error, with and without the mount being looked at', async () => {
      mounts.script(`${EXT4}; echo 1 > /sys/fs/ext4/$(basename $(findmnt -no SOURCE m))/trigger_fs_error`);
      expect(await look()).toBe('fail readOnly');
      const expected = { devices: [], mounts: [], probeFolders: [mounts.path], plainFolders: false };
      const probe = new ChildStorageProbe({ expected, clock, command: mounts.inside(PROBE_COMMAND) });
      expect(await look(storageCheck(expected, mountTable(), probe))).toBe('fail readOnly');
    });

    it('unmounted', async () => {
      mounts.script(EXT4);
      const check = checkInside();
      expect(await look(check)).toBe('pass none');
      mounts.script('umount m');
      expect(await look(check)).toBe('fail notMounted');
    });

    it('a write stuck in the kernel: unknown, then failing with its age, one child only, and good again when it comes back', async () => {
      mounts.script(EXT4);
      const schedule = { intervalMs: 600, deadlineMs: 300, rise: 1, fall: 2 };
      const random = new SeededRandom(1);
      const runner = new CheckRunner({
        name: 'storage',
        check: checkInside(),
        schedule,
        clock,
        random,
        log: new RecordingLog(),
      });
      runner.start();
      await until(() => runner.state.status === 'pass');
      mounts.script('fsfreeze -f m');
      await until(() => runner.state.code === 'probeHung');
      expect(runner.state.status).toBe('unknown');
      await until(() => runner.state.status === 'fail');
      // The process is killed, and is there all the same: only the kernel can let it go.
      expect(sleepingInKernel()).toEqual(['dd']);
      expect(clock.monotonicMs() - runner.state.observedAtMs).toBeGreaterThan(schedule.intervalMs);
      mounts.script('fsfreeze -u m');
      await until(() => runner.state.status === 'pass');
      expect(sleepingInKernel()).toEqual([]);
      runner.stop();
    });
  },
);

/** Names of the processes in state D (uninterruptible) whose arguments name the mount. */
function sleepingInKernel(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    const command = readOrNothing(`/proc/${pid}/cmdline`).split('\0');
    if (!command.some((word) => word.includes(`of=${mounts.path}`))) return [];
    return /^State:\s+D/m.test(readOrNothing(`/proc/${pid}/status`)) ? [command[0] ?? ''] : [];
  });
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function until(holds: () => boolean, limitMs = 15_000): Promise<void> {
  for (const endMs = clock.monotonicMs() + limitMs; !holds(); await clock.sleep(10)) {
    if (clock.monotonicMs() > endMs) throw new Error('did not come to hold');
  }
}
