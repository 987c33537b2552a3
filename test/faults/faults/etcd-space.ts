import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { errorText, hasCode } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { ensureEtcd } from '../../../scripts/etcd.mjs';
import { converge } from '../audit/convergence.ts';
import type { Lab } from '../lab/lab.ts';
import { databaseBytes } from './etcd-member.ts';

/** Keys of another program, which nobody watches. */
const PREFIX = '/faults/space/';
/** Room between the present database and the quota. */
const ROOM_BYTES = 4_000_000;
/**
 * Size of one piece that is written, beforehand and in the end. It has many small values, because
 * etcd's file grows by far more than a big one whenever something is written beside it. The pieces
 * are counted here, because etcd's own figure lags behind by what it has not committed yet.
 */
const PIECE = { values: 100, bytes: 4_000 } as const;
const PIECES = 6;
/**
 * Below etcd's largest request (1.5 MiB, 128 operations). Two of these are more than what is left,
 * and one is more than a coordinator needs in a minute.
 */
const LAST_PIECE = { values: 120, bytes: 9_000 } as const;
const LAST_PIECES_MAX = 20;
const ETCDCTL_LIMIT_MS = 20_000;

/**
 * Runs etcd's own command as an operator does.
 * @throws with its stderr
 */
export async function etcdctl(lab: Lab, ...args: readonly string[]): Promise<string> {
  const binary = join(dirname(await ensureEtcd()), 'etcdctl');
  const words = ['--endpoints', lab.etcd.hosts.join(','), ...args];
  return (await promisify(execFile)(binary, words, { timeout: ETCDCTL_LIMIT_MS })).stdout;
}

/** Starts members again one after the other, as an operator does to change a flag. */
async function restartAll(lab: Lab, args: readonly string[]): Promise<void> {
  for (const index of lab.seats.keys()) {
    await lab.etcd.kill(index);
    lab.etcd.launch(index, args);
    await lab.etcd.healthy(index);
  }
}

/** etcd with little room left. It has the usual quota again afterwards. */
export interface SmallQuota {
  readonly quotaBytes: number;
  /** Takes what is left. Returns etcd's alarms after that. */
  fillUp(): Promise<string>;
  /** Does what docs/coordinator.md tells the operator to do. Idempotent. */
  free(): Promise<void>;
}

/**
 * Gives the whole cluster a quota that is almost used up, and lets it converge. It uses the real
 * `--quota-backend-bytes`; nothing is simulated.
 */
export async function withSmallQuota(lab: Lab): Promise<SmallQuota> {
  await compactNow(lab);
  const quotaBytes = (await databaseBytes()) + ROOM_BYTES;
  lab.undoLater(() => restartAll(lab, []));
  await restartAll(lab, ['--quota-backend-bytes', String(quotaBytes)]);
  lab.undoLater(() => free(lab));
  await fillAlmost(lab);
  await converge(lab);
  return { quotaBytes, fillUp: () => fillUp(lab), free: () => free(lab) };
}

/**
 * What etcd did with the write. `unclear`: on a busy machine its answer came too late.
 * @throws when it refuses for another reason than space
 */
async function put(
  lab: Lab,
  name: string,
  piece: typeof PIECE | typeof LAST_PIECE,
): Promise<'taken' | 'no space' | 'unclear'> {
  const value = 'x'.repeat(piece.bytes);
  const writes = Array.from({ length: piece.values }, (_, index) => {
    return { kind: 'put', key: `${PREFIX}${name}/${index}`, value } as const;
  });
  try {
    await lab.store.txn({ compare: [], writes });
    return 'taken';
  } catch (error) {
    if (hasCode(error, 'STORE_NO_SPACE')) return 'no space';
    if (hasCode(error, 'STORE_OUTCOME_UNKNOWN')) return 'unclear';
    throw error;
  }
}

async function fillAlmost(lab: Lab): Promise<void> {
  for (let piece = 1; piece <= PIECES; piece += 1)
    assert.notEqual(await put(lab, String(piece), PIECE), 'no space', 'there was room for all of them');
}

/** The first write may still fit, because etcd counts what it has committed, ten times a second. */
async function fillUp(lab: Lab): Promise<string> {
  for (let piece = 1; piece <= LAST_PIECES_MAX; piece += 1) {
    if ((await put(lab, `last-${piece}`, LAST_PIECE)) !== 'no space') continue;
    const alarms = await etcdctl(lab, 'alarm', 'list');
    assert.match(alarms, /NOSPACE/);
    return alarms.trim().replaceAll('\n', ', ');
  }
  throw new Error(`etcd took ${LAST_PIECES_MAX} times ${LAST_PIECE.values * LAST_PIECE.bytes} bytes`);
}

async function compactNow(lab: Lab): Promise<void> {
  const { revision } = await lab.store.range('/faults/none/');
  await until('the recorder has seen it all', () => lab.seenRevision >= revision);
  // The compaction is done already where nothing was written since the last time.
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
