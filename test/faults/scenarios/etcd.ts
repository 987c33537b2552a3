import assert from 'node:assert/strict';
import { until } from '@understudy/shared/node';
import { makeRaftLeader, meanFsyncMs, raftLeader, walFsyncs } from '../faults/etcd-member.ts';
import { slowDiskRefusal, slowDown } from '../faults/slow-disk.ts';
import { fillDisk, freeDisk } from '../lab/disks.ts';
import type { Lab } from '../lab/lab.ts';
import { etcdHost, type Zone, ZONES } from '../lab/network.ts';
import type { Scenario } from '../scenario.ts';
import { present, stateLetterOf } from '../strike.ts';
import { fail, memberOutside, nothingBegins, seconds } from './while.ts';

const nameAt = (index: number): string => etcdHost.name(ZONES[index] ?? 'a');
const zoneAt = (index: number): Zone => ZONES[index] ?? 'a';

/** Kills by SIGKILL, and waits until the kernel has no such process any more. */
async function killAt(lab: Lab, index: number): Promise<void> {
  const pid = lab.etcd.pid(index);
  assert.notEqual(stateLetterOf(pid), null);
  await lab.etcd.kill(index);
  assert.equal(stateLetterOf(pid), null);
}

async function killMember(lab: Lab) {
  const index = await raftLeader();
  await killAt(lab, index);
  const member = memberOutside(lab, zoneAt(index));
  const tookMs = await fail(lab, member)();
  const evidence = `${nameAt(index)}, etcd's own leader, is gone (SIGKILL)`;
  return { evidence, outcome: `${member} replaced in ${seconds(tookMs)}`, victims: [member], replaced: [member] };
}

async function loseQuorum(lab: Lab) {
  const first = await raftLeader();
  const gone = [first, (first + 1) % ZONES.length];
  for (const index of gone) await killAt(lab, index);
  const refused = await lab.store.get('/faults/quorum').then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  assert.ok(refused, 'etcd answers a linearizable read without a quorum');
  const member = memberOutside(lab);
  const replaced = fail(lab, member);
  await nothingBegins(lab);
  for (const index of gone) lab.etcd.launch(index);
  await lab.etcd.healthy();
  const tookMs = await replaced();
  const evidence = `${gone.map(nameAt).join(' and ')} gone (SIGKILL), a read failed: ${refused.slice(0, 60)}`;
  const outcome = `nothing done meanwhile; ${member} replaced ${seconds(tookMs)} after its failure`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

/** Bytes put at a time. They are enough that etcd soon needs blocks it has not yet got. */
const PIECE_BYTES = 500_000;
const PIECES_MAX = 400;

/** Writes into etcd, below a prefix nobody watches, until a member's disk has refused a block. */
async function writeUntilEnded(lab: Lab, index: number): Promise<number> {
  for (let piece = 1; piece <= PIECES_MAX; piece += 1) {
    const writes = [{ kind: 'put' as const, key: `/faults/pieces/${piece}`, value: 'x'.repeat(PIECE_BYTES) }];
    await lab.store.txn({ compare: [], writes }).catch(() => undefined);
    if (lab.etcd.hasEnded(index)) return piece;
  }
  throw new Error(`${nameAt(index)} lives on with a full disk after ${PIECES_MAX} writes of ${PIECE_BYTES} bytes`);
}

const dropPieces = (lab: Lab): Promise<unknown> =>
  lab.store.txn({ compare: [], writes: [{ kind: 'deletePrefix', prefix: '/faults/pieces/' }] });

async function fullDisk(lab: Lab) {
  const index = 1;
  const disk = present(lab.disks[index]);
  await makeRaftLeader(index);
  lab.undoLater(() => dropPieces(lab).then(() => undefined));
  lab.undoLater(() => freeDisk(disk));
  const ballastBytes = fillDisk(disk);
  await writeUntilEnded(lab, index);
  const said = /no space left on device/.exec(lab.etcd.output(index))?.[0];
  assert.ok(said, `${nameAt(index)} ended for another reason: ${lab.etcd.output(index).slice(-300)}`);
  const member = memberOutside(lab, zoneAt(index));
  const tookMs = await fail(lab, member)();
  const evidence = `disk of ${nameAt(index)} filled with ${ballastBytes} bytes; it ended: "${said}"`;
  return { evidence, outcome: `${member} replaced in ${seconds(tookMs)}`, victims: [member], replaced: [member] };
}

const SLOW_INDEX = ZONES.length - 1;
const WRITES_PER_SECOND = 4;
const SLOW_MS = 100;

async function slowDisk(lab: Lab) {
  const disk = present(lab.disks[SLOW_INDEX]);
  await makeRaftLeader(SLOW_INDEX);
  await until(
    `${nameAt(SLOW_INDEX)} leads etcd`,
    async () => (await raftLeader().catch(() => -1)) === SLOW_INDEX,
    10_000,
  );
  const start = await walFsyncs(SLOW_INDEX);
  lab.undoLater(slowDown(disk, lab.etcd.pid(SLOW_INDEX), lab.folder.runName, WRITES_PER_SECOND));
  const member = memberOutside(lab);
  const tookMs = await fail(lab, member)();
  const end = await walFsyncs(SLOW_INDEX);
  const meanMs = meanFsyncMs(start, end);
  assert.ok(meanMs > SLOW_MS, `a write reached the disk in ${meanMs.toFixed(0)} ms on average`);
  const evidence = `${nameAt(SLOW_INDEX)}: ${end.count - start.count} fsyncs of its log took ${meanMs.toFixed(0)} ms on average`;
  return { evidence, outcome: `${member} replaced in ${seconds(tookMs)}`, victims: [member], replaced: [member] };
}

export const ETCD: readonly Scenario[] = [
  {
    name: 'etcd-member-killed',
    fault: "SIGKILL to etcd's own leader",
    expected: 'a dead member is replaced',
    run: killMember,
  },
  {
    name: 'etcd-quorum-lost',
    fault: 'SIGKILL to two of three etcd members, back later',
    expected: 'nothing is done until it is back',
    run: loseQuorum,
  },
  {
    name: 'etcd-disk-full',
    fault: "ENOSPC on the disk of etcd's own leader",
    expected: 'that member ends; a dead member is replaced',
    run: fullDisk,
  },
  {
    name: 'etcd-disk-slow',
    fault: `the kernel lets ${WRITES_PER_SECOND} writes a second through to the disk of etcd's own leader`,
    expected: 'a dead member is replaced',
    refusal: (lab) => slowDiskRefusal(present(lab.disks[SLOW_INDEX])),
    run: slowDisk,
  },
];
