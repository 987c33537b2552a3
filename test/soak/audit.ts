import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@understudy/coordinator';
import { HistoryRecordSchema, KEY_ROOT, keyspace, parseRecord, TAG } from '@understudy/shared';
import { type CloudLedger, memberOf, type Stretch } from './cloud-ledger.ts';
import { type CloudReading, isAlive, type Launch } from './cloud-reading.ts';
import type { Failure } from './failures.ts';
import { FAULT_KINDS, memberIn, type FaultContext } from './fault-context.ts';

/** What retention did within the run. */
export interface Retention {
  readonly recoveriesEnded: number;
  readonly historyLeft: number;
  readonly historyTrimmed: number;
  readonly instancesTerminated: number;
  readonly snapshotsDeleted: number;
  readonly imagesDeregistered: number;
}

export interface Audit {
  readonly violations: readonly string[];
  readonly retention: Retention;
}

/**
 * Checks that each failure was launched once (a repetition only after the one before was seen
 * gone), after its predecessor was seen down (I1, I3).
 */
function launchFaults(ledger: CloudLedger, failures: readonly Failure[]): string[] {
  const byOp = Map.groupBy(ledger.launches(), (launch) => launch.tags[TAG.op] ?? '');
  const known = new Set(failures.map((one) => one.opId));
  const strangers = [...byOp.keys()].filter((opId) => opId !== '' && !known.has(opId));
  return [
    ...strangers.map((opId) => `${byOp.get(opId)?.[0]?.instanceId}: launched by ${opId}, but nothing of it had failed`),
    ...failures.flatMap((failure) => failureFaults(ledger, failure, byOp.get(failure.opId) ?? [])),
  ];
}

const hasPowerAt = (stretches: readonly Stretch[], atWallMs: number): boolean =>
  stretches.some(({ fromWallMs, toWallMs }) => fromWallMs <= atWallMs && (toWallMs === null || toWallMs > atWallMs));

function failureFaults(ledger: CloudLedger, failure: Failure, launches: readonly Launch[]): string[] {
  const { member, oldInstanceId } = failure;
  const found: string[] = [];
  if (launches.length === 0) found.push(`${member}: nothing was launched for ${oldInstanceId}`);
  for (const [index, { instanceId, wallMs }] of launches.entries()) {
    const before = launches[index - 1]?.instanceId ?? oldInstanceId;
    if (hasPowerAt(ledger.stretches(before), wallMs))
      found.push(`${member}: ${instanceId} was launched while ${before} had power (I1, I3)`);
  }
  const last = launches.at(-1)?.instanceId;
  if (failure.replaced !== null && failure.replaced.newInstanceId !== last)
    found.push(`${member}: history names ${failure.replaced.newInstanceId}, launched last was ${last} (I1)`);
  return found;
}

/**
 * Checks that two instances of one member never had power at the same time, so that two can never
 * have served (I2).
 */
function overlapFaults(ledger: CloudLedger): string[] {
  return [...Map.groupBy(ledger.launches(), memberOf)].flatMap(([member, launches]) => {
    const stretches = launches
      .flatMap(({ instanceId }) => ledger.stretches(instanceId).map((stretch) => ({ instanceId, ...stretch })))
      .toSorted((a, b) => a.fromWallMs - b.fromWallMs);
    return stretches.flatMap((stretch, index) => {
      const next = stretches[index + 1];
      if (!next || (stretch.toWallMs !== null && stretch.toWallMs <= next.fromWallMs)) return [];
      return [`${member}: ${stretch.instanceId} and ${next.instanceId} had power at the same time (I2)`];
    });
  });
}

/**
 * Checks that the activation names the last instance launched, that its number says how often the
 * member was replaced, and that its addresses are there (I6).
 */
async function activationFaults(context: FaultContext, ledger: CloudLedger): Promise<string[]> {
  const { failures, cluster, poller } = context;
  const holders = await cluster.operator.addressHolders();
  const last = new Map(ledger.launches().map((launch) => [memberOf(launch), launch.instanceId]));
  const wrong = [...last].flatMap(([member, instanceId]) => {
    const view = memberIn(poller.latest, member);
    const incarnation = failures.countOf(member) + 1;
    if (view?.instanceId === instanceId && view.incarnation === incarnation && view.verdict === 'alive') return [];
    const is = `${view?.instanceId}, incarnation ${view?.incarnation}, ${view?.verdict}`;
    return [`${member} is ${is}; it should be ${instanceId}, incarnation ${incarnation}, alive`];
  });
  const astray = [...cluster.addresses].flatMap(([allocationId, member]) => {
    const holder = holders.get(allocationId) ?? 'nothing';
    return holder === last.get(member) ? [] : [`${allocationId} of ${member} is on ${holder} (I6)`];
  });
  return [...wrong, ...astray];
}

/**
 * Resources that are still there although their time has passed (I7). Empty when all is as before
 * the first failure.
 */
export async function leftovers(context: FaultContext, cloud: CloudReading): Promise<string[]> {
  const state = await cloud.state();
  const alive = state.instances.filter(isAlive);
  const members = context.poller.latest?.members.length ?? 0;
  const volumes = new Set(alive.flatMap((one) => one.volumeIds));
  const store = openStore({ hosts: context.cluster.etcdHosts });
  try {
    const keys = keyspace();
    const { entries } = await store.range(KEY_ROOT);
    const under = (prefix: string) => entries.filter(({ key }) => key.startsWith(prefix));
    const history = under(keys.history).map((entry) => parseRecord(HistoryRecordSchema, entry.key, entry.value));
    const expected: readonly (readonly [what: string, got: number, most: number])[] = [
      ['instances that are not terminated', alive.length, members],
      ['volumes on no instance', state.volumes.filter(({ id }) => !volumes.has(id)).length, 0],
      ['snapshots of ours', state.snapshots.filter((one) => one.tags[TAG.op] !== undefined).length, 0],
      ['images of ours', state.images.filter((one) => !one.isPublic).length, 0],
      ['network interfaces', state.networkInterfaces.length, members],
      ['intents', under(keys.intents).length, 0],
      ['journal records', under(keys.journal).length, 0],
      ['holds', under(keys.holds).length, 0],
      ['history records with something left to remove', history.filter((one) => one.leftovers.length > 0).length, 0],
      ['history records', history.length, members * context.pace.historyKept],
      ['opinions', under(keys.opinions).length, members * 3],
      ['judgements', under(keys.judgements).length, members],
    ];
    return expected
      .filter(([, got, most]) => got > most)
      .map(([what, got, most]) => `${got} ${what}, ${most} at most (I7)`);
  } finally {
    await store.close();
  }
}

const ALARMING =
  /MaxListenersExceededWarning|"collector\.violation"|"coordinator\.fatal"|"recovery\.run_failed"|"store\.view\.anomaly"/;

/** Complaints in the processes' own logs. */
function logFaults(dir: string): string[] {
  return readdirSync(join(dir, 'logs')).flatMap((name) => {
    const lines = readFileSync(join(dir, 'logs', name), 'utf8').split('\n');
    return lines.filter((line) => ALARMING.test(line)).map((line) => `${name}: ${line.slice(0, 300)}`);
  });
}

async function historyCount(context: FaultContext): Promise<number> {
  const store = openStore({ hosts: context.cluster.etcdHosts });
  try {
    return (await store.range(keyspace().history)).entries.length;
  } finally {
    await store.close();
  }
}

function retentionFaults(retention: Retention): string[] {
  return Object.entries(retention).flatMap(([name, value]) =>
    value > 0 ? [] : [`${name} is ${value}: retention did not happen within the run`],
  );
}

/**
 * Audits from outside: the cloud's own events, the operator's client, etcd, and the coordinators'
 * API.
 */
export async function audit(context: FaultContext, ledger: CloudLedger, cloud: CloudReading): Promise<Audit> {
  const { failures, cluster, happened } = context;
  await ledger.read();
  const ended = failures.all.length - failures.open.length;
  const historyLeft = await historyCount(context);
  const retention: Retention = {
    recoveriesEnded: ended,
    historyLeft,
    historyTrimmed: ended - historyLeft,
    instancesTerminated: ledger.goneCount('instance'),
    snapshotsDeleted: ledger.goneCount('snapshot'),
    imagesDeregistered: ledger.goneCount('image'),
  };
  const violations = [
    ...context.violations,
    ...FAULT_KINDS.filter((kind) => !happened.get(kind)).map((kind) => `it never happened: ${kind}`),
    ...(ledger.missedCount > 0 ? [`${ledger.missedCount} events of the cloud were missed: nothing is proven`] : []),
    ...launchFaults(ledger, failures.all),
    ...overlapFaults(ledger),
    ...(await activationFaults(context, ledger)),
    ...(await leftovers(context, cloud)),
    ...retentionFaults(retention),
    ...logFaults(cluster.dir),
  ];
  return { violations, retention };
}
