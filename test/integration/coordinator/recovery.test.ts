import { seedInstance } from '@understudy/cloud-sim';
import { openStore } from '@understudy/coordinator';
import {
  keyspace,
  MembersViewSchema,
  opIdOf,
  RecoveriesViewSchema,
  type RecoveriesView,
  StatusViewSchema,
  TAG,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { describe, expect, test } from 'vitest';
import type { CoordinatorProcess } from '@understudy/local-cluster';
import { clusterPerTest } from './cluster-per-test.ts';

const DB1 = 'prod/db1';
const now = clusterPerTest({ cloud: true });

async function startAll(count: number) {
  const configs = [];
  for (let index = 0; index < count; index++) configs.push(await now.cluster.config(index, now.etcd.hosts, count));
  now.cluster.followMachines();
  return configs.map(({ path, httpPort }) => now.cluster.start(path, httpPort));
}

async function leaderOf(processes: readonly CoordinatorProcess[]): Promise<CoordinatorProcess | null> {
  for (const one of processes) {
    const status = one.running ? await one.json<{ isLeader: boolean }>('/v1/status') : null;
    if (status?.isLeader) return one;
  }
  return null;
}

const recoveriesOf = async (one: CoordinatorProcess): Promise<RecoveriesView> =>
  RecoveriesViewSchema.parse(await one.json('/v1/recoveries'));

describe('real coordinators, real etcd, EC2 over HTTP', () => {
  test('the leader is killed in the middle of a recovery; another finishes it with one launch', async () => {
    const sim = now.cluster.cloud?.sim;
    if (!sim) throw new Error('no cloud');
    const old = seedInstance(sim, {
      member: DB1,
      userData: 'x',
      elasticIp: true,
      dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 10 }],
    });
    seedInstance(sim, { member: 'prod/db2', userData: 'x', az: 'us-east-1b' });
    const processes = await startAll(3);
    // Each has to have heard both itself: one that never did abstains for good.
    for (const one of processes)
      await until('all alive everywhere', async () => {
        const reply = await one.json('/v1/members');
        const members = reply ? MembersViewSchema.parse(reply).members : [];
        return members.length === 2 && members.every(({ ownView }) => ownView?.verdict === 'alive');
      });
    const first = await until('a leader', () => leaderOf(processes));
    sim.crashInstance(old.instanceId);
    now.cluster.followMachines();
    await until('under way', async () => {
      const { open } = await recoveriesOf(first);
      return open[0]?.steps.some((step) => step.step === 'capture');
    });
    const open = (await recoveriesOf(first)).open[0];
    expect(open).toMatchObject({ opId: opIdOf(old.instanceId), oldInstanceId: old.instanceId });
    expect(open?.activity).not.toBeNull();
    await first.kill('SIGKILL');
    const second = await until('another leads', () => leaderOf(processes), 15_000);
    await until('finished', async () => (await recoveriesOf(second)).history.length === 1, 90_000);
    const [done] = (await recoveriesOf(second)).history;
    const launched = sim.log.launches().filter((one) => one.tags[TAG.op] === opIdOf(old.instanceId));
    expect(launched).toHaveLength(1);
    expect(done).toMatchObject({ outcome: 'replaced', newInstanceId: launched[0]?.instanceId });
    expect(done?.leaderChanges).toBe(1);
    const follower = processes.find((one) => one !== first && one !== second);
    await until('the follower counts both', async () => {
      const status = StatusViewSchema.parse(await follower?.json('/v1/status'));
      return !status.isLeader && status.counts.members === 2;
    });
    await until('none is open', async () => (await recoveriesOf(second)).open.length === 0);
    // The role is that of `understudy iam-policy`, and all it was asked for stands in it.
    expect(sim.log.calls().length).toBeGreaterThan(20);
    expect(sim.log.calls().filter((call) => call.outcome === 'UnauthorizedOperation')).toEqual([]);
  });

  test('SIGTERM: resigns at once, takes its records along, exits 0', async () => {
    const [only] = await startAll(1);
    if (!only) throw new Error('none');
    await until('leads', () => leaderOf([only]));
    const store = openStore({ hosts: now.etcd.hosts });
    const keys = keyspace();
    await until('presence', () => store.get(keys.coordinator('c1')));
    only.signal('SIGTERM');
    expect(await only.exited).toBe(0);
    expect(await store.get(keys.leader)).toBeNull();
    expect(await store.get(keys.coordinator('c1'))).toBeNull();
    await store.close();
    expect(only.events().at(-1)).toBe('coordinator.stopped');
    expect(only.output).not.toContain(Buffer.from(new Uint8Array(32).fill(9)).toString('hex'));
  });

  test('SIGTERM while etcd is gone: still ends, within seconds', async () => {
    const [only] = await startAll(1);
    if (!only) throw new Error('none');
    await until('leads', () => leaderOf([only]));
    now.etcd.signal(0, 'SIGSTOP');
    only.signal('SIGTERM');
    expect(await only.exited).toBe(0);
    now.etcd.signal(0, 'SIGCONT');
  });
});
