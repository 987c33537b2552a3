import { seedInstance } from '@understudy/cloud-sim';
import { openStore } from '@understudy/coordinator';
import {
  CoordinatorRecordSchema,
  keyspace,
  OpinionRecordSchema,
  parseRecord,
  StatusViewSchema,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { expect, test } from 'vitest';
import type { CoordinatorProcess } from '@understudy/local-cluster';
import { clusterPerTest } from './cluster-per-test.ts';

const MEMBER = 'prod/db1';
const KEYS = keyspace();
/** As the cluster configures it. */
const LEASE_TTL_MS = 4_000;

const now = clusterPerTest({ cloud: true });

const codesOf = async (one: CoordinatorProcess): Promise<readonly string[]> => {
  const body = await one.json('/v1/status');
  return body === null ? [] : StatusViewSchema.parse(body).problems.map(({ code }) => code);
};
const readyOf = async (one: CoordinatorProcess): Promise<number | null> => (await one.get('/readyz'))?.status ?? null;
const takenOf = async (one: CoordinatorProcess): Promise<boolean> =>
  (await one.get('/metrics'))?.body.includes('\nunderstudy_id_taken 1\n') ?? false;

test('two real processes under one id: the deaf second one has no word until the first is gone, then takes the id itself', async () => {
  const first = await now.cluster.config(0, now.etcd.hosts, 1);
  const second = await now.cluster.config(1, now.etcd.hosts, 1, { id: 'c1' });
  // Agents know the first one only: the second is deaf.
  now.cluster.udp.pop();
  const sim = now.cluster.cloud?.sim;
  if (!sim) throw new Error('no cloud');
  seedInstance(sim, { member: MEMBER, userData: 'x' });
  now.cluster.followMachines();
  const store = openStore({ hosts: now.etcd.hosts });
  const read = async () => {
    const presence = await store.get(KEYS.coordinator('c1'));
    const opinion = await store.get(KEYS.opinion(MEMBER, 'c1'));
    return {
      url: presence && parseRecord(CoordinatorRecordSchema, presence.key, presence.value).httpUrl,
      verdict: opinion && parseRecord(OpinionRecordSchema, opinion.key, opinion.value).verdict,
      sameLease: presence?.leaseId === opinion?.leaseId,
    };
  };
  try {
    const one = now.cluster.start(first.path, first.httpPort);
    await until('heard', async () => (await read()).verdict === 'alive');
    const two = now.cluster.start(second.path, second.httpPort);
    await until('it is told', async () => (await codesOf(two)).includes('DUPLICATE_COORDINATOR_ID'));
    expect([await readyOf(two), await takenOf(two), await readyOf(one), await takenOf(one)]).toEqual([
      ...[503, true],
      ...[200, false],
    ]);
    // Longer than any lease, warm-up and silence: the second one has heard nothing, and may not say
    // so.
    await until('it says so as an error', () => two.events().includes('presence.duplicate'), 20_000);
    expect(await read()).toEqual({ url: one.httpUrl, verdict: 'alive', sameLease: true });
    await one.kill('SIGKILL');
    const waitedFromMs = performance.now();
    await until('the second takes the id', async () => (await read()).url === two.httpUrl, 30_000);
    expect(performance.now() - waitedFromMs).toBeLessThan(LEASE_TTL_MS + 6_000);
    await until('and is ready', async () => (await readyOf(two)) === 200);
    expect(await takenOf(two)).toBe(false);
    // Killed and started again under its living lease: it waits for its own record to end, and has
    // the id again.
    const leaseId = (await store.get(KEYS.coordinator('c1')))?.leaseId ?? '';
    await two.kill('SIGKILL');
    const again = now.cluster.start(second.path, second.httpPort);
    // However slow it is to come up: the lease lives until it has met its own record.
    await until('it waits', async () => {
      expect(await store.keepAlive(leaseId), 'the lease lives').not.toBeNull();
      return again.events().includes('presence.waiting');
    });
    await until('ready again', async () => (await readyOf(again)) === 200);
    expect(again.events()).not.toContain('presence.duplicate');
    expect(again.events()).toContain('presence.taken_over');
  } finally {
    await store.close();
  }
});
