import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { errorText, isOperationError } from '@understudy/shared';
import { ensureEtcd } from '../../../scripts/etcd.mjs';
import { until } from '../../integration/coordinator/processes.ts';
import { converge } from '../audit/convergence.ts';
import type { Lab } from '../lab/lab.ts';
import { databaseBytes } from './etcd-member.ts';

/** Somebody else's keys: nobody watches them. */
const PREFIX = '/faults/space/';
/** Between the database as it is and the quota. */
const ROOM_BYTES = 4_000_000;
const PIECE_BYTES = 200_000;
/** Below etcd's largest request (1.5 MiB), and more than is left once {@link fillAlmost} is done. */
const LAST_PIECE_BYTES = 1_200_000;
const LAST_PIECES_MAX = 5;
const PIECES_MAX = 200;
/** etcd counts what it has committed, ten times a second: sooner, a put would not be in the figure that we go by. */
const PAUSE_MS = 150;
const ETCDCTL_LIMIT_MS = 20_000;

/** Runs etcd's own command as an operator does. @throws with its stderr */
export async function etcdctl(lab: Lab, ...args: readonly string[]): Promise<string> {
  const binary = join(dirname(await ensureEtcd()), 'etcdctl');
  const words = ['--endpoints', lab.etcd.hosts.join(','), ...args];
  return (await promisify(execFile)(binary, words, { timeout: ETCDCTL_LIMIT_MS })).stdout;
}

/** Members are started again one after the other, as an operator does to change a flag. */
async function restartAll(lab: Lab, args: readonly string[]): Promise<void> {
  for (const index of lab.seats.keys()) {
    await lab.etcd.kill(index);
    lab.etcd.launch(index, args);
    await lab.etcd.healthy(index);
  }
}

/** etcd with little room left; with the usual quota again afterwards. */
export interface SmallQuota {
  readonly quotaBytes: number;
  /** Takes what is left. Returns what etcd then says of its alarms. */
  fillUp(): Promise<string>;
  /** What docs/coordinator.md tells the operator to do. Idempotent. */
  free(): Promise<void>;
}

/** The whole cluster gets a quota that is almost used up, and converges. Real `--quota-backend-bytes`; nothing is simulated. */
export async function withSmallQuota(lab: Lab): Promise<SmallQuota> {
  await compactNow(lab);
  const quotaBytes = (await databaseBytes()) + ROOM_BYTES;
  lab.undoLater(() => restartAll(lab, []));
  await restartAll(lab, ['--quota-backend-bytes', String(quotaBytes)]);
  lab.undoLater(() => free(lab));
  await fillAlmost(lab, quotaBytes);
  await converge(lab);
  return { quotaBytes, fillUp: () => fillUp(lab), free: () => free(lab) };
}

const put = (lab: Lab, name: string, bytes: number): Promise<unknown> =>
  lab.store.txn({ compare: [], writes: [{ kind: 'put', key: `${PREFIX}${name}`, value: 'x'.repeat(bytes) }] });

async function fillAlmost(lab: Lab, quotaBytes: number): Promise<void> {
  for (let piece = 1; piece <= PIECES_MAX; piece += 1) {
    if ((await databaseBytes()) > quotaBytes - LAST_PIECE_BYTES + PIECE_BYTES) return;
    await put(lab, String(piece), PIECE_BYTES);
    await wait(PAUSE_MS);
  }
  throw new Error(`${PIECES_MAX} pieces of ${PIECE_BYTES} bytes do not fill ${quotaBytes} bytes`);
}

/** A member with more room than the others may take one more. */
async function fillUp(lab: Lab): Promise<string> {
  for (let piece = 1; piece <= LAST_PIECES_MAX; piece += 1) {
    const refusal = await put(lab, `last-${piece}`, LAST_PIECE_BYTES).then(
      () => null,
      (error: unknown) => error,
    );
    if (refusal === null) continue;
    assert.ok(isOperationError(refusal) && refusal.code === 'STORE_NO_SPACE', `etcd refused: ${errorText(refusal)}`);
    const alarms = await etcdctl(lab, 'alarm', 'list');
    assert.match(alarms, /NOSPACE/);
    return alarms.trim().replaceAll('\n', ', ');
  }
  throw new Error(`etcd took ${LAST_PIECES_MAX} times ${LAST_PIECE_BYTES} bytes`);
}

async function compactNow(lab: Lab): Promise<void> {
  const { revision } = await lab.store.range('/faults/none/');
  await until('the recorder has seen it all', () => lab.seenRevision >= revision);
  // Where nobody has written since the last time, that is done.
  await etcdctl(lab, 'compact', '--physical', String(revision)).catch((error: unknown) => {
    if (!errorText(error).includes('required revision has been compacted')) throw error;
  });
  await etcdctl(lab, 'defrag');
}

async function free(lab: Lab): Promise<void> {
  await etcdctl(lab, 'del', '--prefix', PREFIX);
  await compactNow(lab);
  await etcdctl(lab, 'alarm', 'disarm');
}
