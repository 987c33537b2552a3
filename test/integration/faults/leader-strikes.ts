import { setTimeout as wait } from 'node:timers/promises';
import { keyspace, type MemberId } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { finished, successorOf } from '../../faults/after-the-strike.ts';
import {
  changesArrivedSince,
  changesCountedBy,
  type Moment,
  present,
  stateLetterOf,
  strikeLeader,
  type Struck,
} from '../../faults/strike.ts';
import { expectReplacedOnce } from './outcome.ts';
import { StruckCluster, TTL_MS } from './struck-cluster.ts';

/** The call arrives at EC2 when the successor has long done the same. */
const LATE = { kind: 'late-landing', delayMs: TTL_MS + 2_500 } as const;
/**
 * The successor looks for the snapshots of a call nobody can answer for, and asks for others only
 * after 4 s.
 */
const LATE_SNAPSHOTS = { kind: 'late-landing', delayMs: TTL_MS + 6_000 } as const;
export const KILLED: readonly Moment[] = [
  { step: 'fence', action: 'StopInstances' },
  { step: 'capture', action: 'CreateSnapshots' },
  { step: 'launch-1', action: 'RunInstances', fault: { kind: 'timeout-after-success' } },
  { step: 'verify-1' },
  { step: 'activate', action: 'DescribeInstances' },
  { step: 'address', action: 'DisassociateAddress' },
];
export const STOPPED: readonly Moment[] = [
  { step: 'fence', action: 'StopInstances', fault: LATE },
  { step: 'capture', action: 'CreateSnapshots', fault: LATE_SNAPSHOTS },
  { step: 'launch-1', action: 'RunInstances', fault: LATE },
  { step: 'verify-1' },
  { step: 'activate', action: 'DescribeInstances' },
  { step: 'address', action: 'DisassociateAddress', fault: LATE },
];
const killedMember = (moment: Moment): MemberId => `prod/killed-${moment.step}`;
const stoppedMember = (moment: Moment): MemberId => `prod/stopped-${moment.step}`;

let cluster: StruckCluster;

/**
 * Calls that change something, of this leader, since the machine crashed: nobody else leads until
 * the lease is over.
 */
async function sentBeforeTheStop(struck: Struck): Promise<number> {
  await wait(TTL_MS / 4);
  expect(present(await cluster.store.get(keyspace().leader)).createRevision).toBe(struck.term);
  return changesArrivedSince(cluster, struck.crashSeq);
}

/** Stopped for twice the lease while another leads, then continued. */
async function continueLater({ process, seat, term }: Struck, struckAtMs: number): Promise<void> {
  await wait(Math.max(0, struckAtMs + 2 * TTL_MS - performance.now()));
  expect(stateLetterOf(present(process.pid))).toBe('T');
  const led = present(cluster.leader);
  expect(led.term).toBeGreaterThan(term);
  expect(led.coordinatorId).not.toBe(seat.id);
  process.signal('SIGCONT');
  await until('runs again', () => stateLetterOf(present(process.pid)) !== 'T', 1_000);
}

/** The withheld call came through, and the successor had already been served with its own. */
async function expectLanded({ crashSeq }: Struck, { action, fault }: Moment): Promise<void> {
  const lateMs = present(fault?.delayMs);
  const calls = () => cluster.sim.log.calls(action).filter((call) => call.seq > crashSeq);
  const landed = await until('landed', () => calls().find((call) => call.durationMs >= lateMs), 10_000);
  expect(calls().filter((call) => call.seq < landed.seq && call.outcome === 'ok')).not.toEqual([]);
}

const endedTerms = (struck: Struck): number[] =>
  struck.process.output
    .split('\n')
    .filter((line) => line.includes('"leadership.ended"'))
    .map((line) => (JSON.parse(line) as { term: number }).term);

async function expectSteppedDown(struck: Struck): Promise<void> {
  await until('its term is over', () => endedTerms(struck).includes(struck.term), 5_000);
  const status = present(await struck.process.json<{ isLeader: boolean }>('/v1/status'));
  if (cluster.leader?.coordinatorId !== struck.seat.id) expect(status.isLeader).toBe(false);
}

/** Tests: the leader is killed in each of these moments, then stopped in each of those. */
export function strikesOfLeaders(killed: readonly Moment[], stopped: readonly Moment[]): void {
  beforeAll(async () => {
    cluster = new StruckCluster();
    await cluster.open([...killed.map(killedMember), ...stopped.map(stoppedMember)]);
  });
  afterAll(() => cluster.close());
  afterEach(() => {
    for (const { process } of cluster.seats) process.signal('SIGCONT');
  });

  describe('killed in the middle of a step: another finishes, with one launch', () => {
    test.each(killed.map((moment) => [moment.step, moment] as const))('%s', async (_, moment) => {
      const struck = await strikeLeader(cluster, killedMember(moment), moment, 'SIGKILL');
      await successorOf(cluster, struck);
      await expectReplacedOnce(cluster, struck, await finished(cluster, struck));
      cluster.restart(cluster.seat(struck.seat.id));
    });
  });

  describe('stopped in the middle of a step for twice the lease, then continued: a successor finishes, the old one does no harm', () => {
    test.each(stopped.map((moment) => [moment.step, moment] as const))('%s', async (_, moment) => {
      const struck = await strikeLeader(cluster, stoppedMember(moment), moment, 'SIGSTOP');
      const struckAtMs = performance.now();
      const sent = await sentBeforeTheStop(struck);
      await successorOf(cluster, struck);
      expect(stateLetterOf(present(struck.process.pid))).toBe('T');
      await continueLater(struck, struckAtMs);
      await expectSteppedDown(struck);
      const history = await finished(cluster, struck);
      if (moment.fault) await expectLanded(struck, moment);
      await expectReplacedOnce(cluster, struck, history);
      const counted = (await changesCountedBy(struck.process)) - struck.changesBefore;
      expect(counted).toBeGreaterThan(0);
      expect(counted).toBeLessThanOrEqual(sent);
    });
  });

  test('in the end every member was activated twice and nothing is left open', async () => {
    const keys = keyspace();
    const members = [...cluster.members.keys()];
    expect(Object.fromEntries(cluster.activated)).toEqual(
      Object.fromEntries(members.map((member) => [member, [1, 2]])),
    );
    for (const seat of cluster.seats)
      await until(`${seat.id} is well`, async () => (await seat.process.get('/readyz'))?.status === 200);
    for (const prefix of [keys.intents, keys.journal, keys.holds])
      expect((await cluster.store.range(prefix)).entries).toEqual([]);
  });
}
