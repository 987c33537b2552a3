import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { seedInstance } from '@understudy/cloud-sim';
import { EtcdKvStore, WatchedStore } from '@understudy/coordinator/testing';
import { Etcd3 } from 'etcd3';
import { isOperationError, type Problem, StatusViewSchema } from '@understudy/shared';
import { SystemClock, SystemRandom, until } from '@understudy/shared/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureEtcd } from '../../../scripts/etcd.mjs';
import type { CoordinatorProcess } from '@understudy/local-cluster';
import { clusterPerTest } from '../coordinator/cluster-per-test.ts';

/** Small enough to fill in a moment; etcd itself takes some 100 kB of it. */
const QUOTA_BYTES = 3_000_000;

const now = clusterPerTest({ etcdArgs: ['--quota-backend-bytes', String(QUOTA_BYTES)] });
let store: EtcdKvStore;
let etcdctl: (...args: readonly string[]) => string;

beforeEach(async () => {
  store = new EtcdKvStore({
    clock: new SystemClock(),
    random: new SystemRandom(),
    hosts: now.etcd.hosts,
    callTimeoutMs: 2_000,
  });
  const binary = join(dirname(await ensureEtcd()), 'etcdctl');
  etcdctl = (...args) =>
    execFileSync(binary, ['--endpoints', now.etcd.hosts.join(','), ...args], { encoding: 'utf8', stdio: 'pipe' });
});

afterEach(async () => {
  await store.close();
});

const put = (key: string, value: string) => store.txn({ compare: [], writes: [{ kind: 'put', key, value }] });

/**
 * Another user's doing. etcd counts what it has committed, ten times a second: it takes more than
 * its quota from who is fast.
 */
async function fill(): Promise<void> {
  for (let index = 0; index < 40; index += 1) {
    try {
      await put(`/another/${index}`, 'x'.repeat(200_000));
      await wait(20);
    } catch (error) {
      if (isOperationError(error) && error.code === 'STORE_NO_SPACE') return;
      // On a busy machine an answer may come too late; the next one tells.
      expect(error).toMatchObject({ code: 'STORE_OUTCOME_UNKNOWN' });
    }
  }
  throw new Error('etcd took it all');
}

/** What docs/coordinator.md tells the operator to do. */
async function free(): Promise<void> {
  const { revision } = await store.range('/nothing/');
  etcdctl('del', '--prefix', '/another/');
  // Physically: otherwise the space may not be free yet when it is defragmented, and the alarm
  // comes back.
  etcdctl('compact', '--physical', String(revision + 1));
  etcdctl('defrag');
  etcdctl('alarm', 'disarm');
}

const problemsOf = async (process: CoordinatorProcess): Promise<readonly Problem[]> => {
  const reply = await process.get('/readyz');
  return reply === null ? [] : (JSON.parse(reply.body) as { problems: Problem[] }).problems;
};

describe('etcd out of space', () => {
  test('refuses puts, rehearsals and leases; answers reads, deletes and keepalives; tells its alarm', async () => {
    const watched = new WatchedStore({ store, clock: new SystemClock(), root: '/understudy/v1/' });
    const { leaseId } = await store.grantLease(60_000);
    expect(await watched.rehearse('/understudy/v1/leader', ['/understudy/v1/holds/a'])).toBe('taken');
    expect(await store.get('/understudy/v1/holds/a')).toBeNull();
    expect(await store.alarms()).toEqual([]);
    await fill();
    expect(await store.alarms()).toEqual(['NOSPACE']);
    expect(await watched.rehearse('/understudy/v1/leader', ['/understudy/v1/holds/a'])).toBe('failed');
    expect(watched.refusals.map((one) => one.code)).toEqual(['STORE_NO_SPACE']);
    await expect(store.grantLease(60_000)).rejects.toMatchObject({ code: 'STORE_NO_SPACE' });
    expect(await store.keepAlive(leaseId)).not.toBeNull();
    expect((await store.range('/another/')).entries.length).toBeGreaterThan(3);
    await store.txn({ compare: [], writes: [{ kind: 'delete', key: '/another/0' }] });
    await free();
    expect(await store.alarms()).toEqual([]);
    expect(await watched.rehearse('/understudy/v1/leader', ['/understudy/v1/holds/a'])).toBe('taken');
  });

  test.each([['while it runs'], ['and the coordinator is started again']])(
    '%s: not ready, with the cause everywhere; a member that died is replaced once when the space is freed',
    async (when) => {
      const { sim } = await now.cluster.startCloud();
      const { instanceId } = seedInstance(sim, { member: 'prod/db1', userData: 'x' });
      seedInstance(sim, { member: 'prod/db2', az: 'us-east-1b', userData: 'x' });
      const { path, httpPort } = await now.cluster.config(0, now.etcd.hosts, 1);
      now.cluster.followMachines();
      let process = now.cluster.start(path, httpPort);
      await until('alive', async () => {
        const view = await process.json<{ members: { verdict: string }[] }>('/v1/members');
        return view?.members.length === 2 && view.members.every((one) => one.verdict === 'alive');
      });
      await fill();
      await until('not ready', async () => (await problemsOf(process)).some((one) => one.code === 'STORE_NO_SPACE'));
      if (when !== 'while it runs') {
        await process.kill('SIGTERM');
        process = now.cluster.start(path, httpPort);
        await until('not ready', async () => (await problemsOf(process)).some((one) => one.code === 'STORE_NO_SPACE'));
        await until('heard', async () => process.output.includes('lease.grant.failed'));
      }
      const [problem] = await problemsOf(process);
      expect(problem?.remedy).toContain('etcdctl alarm disarm');
      await until('both heard since the start', async () => {
        const status = StatusViewSchema.parse(await process.json('/v1/status'));
        return status.observer.heardAgents === 2;
      });
      expect(sim.crashInstance(instanceId)).toBe(true);
      now.cluster.followMachines();
      if (when === 'while it runs')
        await until('held in sight', async () => {
          const view = await process.json<{ members: { member: string; hold: { text: string } | null }[] }>(
            '/v1/members',
          );
          return view?.members.find((one) => one.member === 'prod/db1')?.hold?.text.includes('STORE_NO_SPACE');
        });
      const told = await process.json<{ decision: { text: string } }>('/v1/members/prod/db1/explain');
      expect(told?.decision.text).toContain('STORE_NO_SPACE');
      const metrics = await process.get('/metrics');
      expect(metrics?.body).toContain('understudy_store_writable 0');
      expect(metrics?.body).toContain('understudy_store_alarms{alarm="NOSPACE"} 1');
      expect((await process.get('/readyz'))?.status).toBe(503);
      await free();
      await until('ready again', async () => (await process.get('/readyz'))?.status === 200);
      await until('replaced', async () => {
        const view = await process.json<{ history: { outcome: string }[] }>('/v1/history');
        return view?.history[0]?.outcome === 'replaced';
      });
      const launches = sim.log.launches().filter((one) => one.tags['understudy:op'] !== undefined);
      expect(new Set(launches.map((one) => one.instanceId)).size).toBe(1);
    },
    // Each wait in it has a limit of its own; under a load of 17 on two cores it took 51 s.
    240_000,
  );
});

describe('etcd with the alarm CORRUPT', () => {
  test('refuses puts and leases with a code of its own; tells its alarm; works again when it is disarmed', async () => {
    const admin = new Etcd3({ hosts: [...now.etcd.hosts] });
    const watched = new WatchedStore({ store, clock: new SystemClock(), root: '/understudy/v1/' });
    const { members } = await admin.cluster.memberList({});
    const alarm = { memberID: members[0]?.ID ?? '0', alarm: 'Corrupt' } as const;
    await admin.maintenance.alarm({ ...alarm, action: 'Activate' });
    expect(await store.alarms()).toEqual(['CORRUPT']);
    await expect(put('/understudy/v1/holds/a', '1')).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(await watched.rehearse('/understudy/v1/leader', ['/understudy/v1/holds/a'])).toBe('failed');
    expect(watched.refusals.map((one) => one.code)).toEqual(['STORE_CORRUPT']);
    await expect(store.grantLease(5_000)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await admin.maintenance.alarm({ ...alarm, action: 'Deactivate' });
    admin.close();
    expect(await store.alarms()).toEqual([]);
    expect(await watched.rehearse('/understudy/v1/leader', ['/understudy/v1/holds/a'])).toBe('taken');
  });
});
