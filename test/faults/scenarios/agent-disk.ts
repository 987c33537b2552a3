import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { MemberId, MemberView } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { membersBy } from '../audit/convergence.ts';
import { fillDisk, freeDisk, mountTmpfs } from '../lab/disks.ts';
import type { Lab } from '../lab/lab.ts';
import { runProgram } from '../lab/network.ts';
import type { Scenario } from '../scenario.ts';
import { memberOutside, nothingBegins } from './while.ts';

const ROOT_DISK_MIB = 4;
const NOTICED_WITHIN_MS = 20_000;

/**
 * Puts an instance's root volume on a small file system of its own, while it runs. That works
 * because the agent opens its files anew each time.
 */
function shrinkRootDisk(lab: Lab, rootDir: string): void {
  const copy = join(lab.folder.path, 'root-copy');
  cpSync(rootDir, copy, { recursive: true, verbatimSymlinks: true });
  mountTmpfs(rootDir, ROOT_DISK_MIB);
  cpSync(copy, rootDir, { recursive: true, verbatimSymlinks: true });
  lab.undoLater(() => {
    rmSync(copy, { recursive: true, force: true });
    runProgram('umount', ['--lazy', rootDir]);
    mkdirSync(rootDir, { recursive: true });
  });
}

const viewOf = async (lab: Lab, member: MemberId): Promise<MemberView | undefined> =>
  (await membersBy(lab.leaderSeat)).find((one) => one.member === member);
const storageOf = (view: MemberView | undefined) => view?.checks.find(({ name }) => name === 'storage');

async function fullRootDisk(lab: Lab) {
  const member = memberOutside(lab);
  const { rootDir } = lab.machine(lab.incumbent(member).instanceId);
  assert.ok(existsSync(join(rootDir, 'etc')), `${rootDir} is the root volume of a booted instance`);
  shrinkRootDisk(lab, rootDir);
  const disk = { path: rootDir };
  const ballastBytes = fillDisk(disk);
  const failing = await until(
    `the storage check of ${member} fails`,
    async () => {
      const check = storageOf(await viewOf(lab, member));
      return check?.status === 'fail' ? check : null;
    },
    NOTICED_WITHIN_MS,
  );
  await nothingBegins(lab);
  const view = await viewOf(lab, member);
  assert.equal(view?.verdict, 'alive', 'its heartbeats do not depend on its disk');
  assert.equal(view.degraded, true);
  freeDisk(disk);
  await until(
    'the check passes again',
    async () => storageOf(await viewOf(lab, member))?.status === 'pass',
    NOTICED_WITHIN_MS,
  );
  const evidence = `root disk of ${member} filled with ${ballastBytes} bytes (ENOSPC); its storage check says ${failing.code}`;
  return { evidence, outcome: 'alive and degraded, not replaced; passes again with space', victims: [], replaced: [] };
}

export const AGENT_DISK: readonly Scenario[] = [
  {
    name: 'agent-disk-full',
    fault: "ENOSPC on an instance's root disk, where the agent keeps its state",
    expected: 'the member is degraded, not replaced; healthy again with space',
    run: fullRootDisk,
  },
];
