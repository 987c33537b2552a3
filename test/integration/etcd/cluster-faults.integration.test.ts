import { EtcdKvStore } from '@understudy/coordinator/testing';
import { SystemClock, SystemRandom, until } from '@understudy/shared/node';
import { Etcd3 } from 'etcd3';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BeliefWitness } from './belief-witness.ts';
import { type CoordinatorUnderTest, coordinatorUnderTest, TIMING, msUntil } from './coordinator-under-test.ts';
import { EtcdCluster } from '@understudy/local-cluster';

const report = (line: string) => console.log(`  measured: ${line}`);

describe('three etcd members', () => {
  let cluster: EtcdCluster;
  let running: CoordinatorUnderTest[] = [];
  let stores: EtcdKvStore[] = [];

  beforeAll(async () => {
    cluster = await EtcdCluster.start({ members: 3 });
  });

  afterAll(() => cluster.stop());

  afterEach(async () => {
    await Promise.all(running.map((each) => each.close()));
    await Promise.all(stores.map((each) => each.close()));
    running = [];
    stores = [];
  });

  const connect = (hosts: readonly string[], callTimeoutMs = 500) => {
    const store = new EtcdKvStore({ clock: new SystemClock(), random: new SystemRandom(), hosts, callTimeoutMs });
    stores.push(store);
    return store;
  };

  it('every member tells its version', async () => {
    const versions = await connect(cluster.hosts).serverVersions();
    expect(versions).toHaveLength(3);
  });

  /** A member that is not etcd's own leader: losing it costs the others nothing. */
  async function followerIndex(): Promise<number> {
    for (const [index, host] of cluster.hosts.entries()) {
      const admin = new Etcd3({ hosts: [host] });
      const { header, leader } = await admin.maintenance.status();
      admin.close();
      if (header.member_id !== leader) return index;
    }
    throw new Error('no follower');
  }

  it('a member that is gone costs one failed call, not more', async () => {
    const index = await followerIndex();
    const dead = cluster.hosts[index] ?? '';
    const store = connect([dead, ...cluster.hosts.filter((host) => host !== dead)]);
    await store.get('/a');
    await cluster.kill(index);
    const outcomes: boolean[] = [];
    for (let call = 0; call < 10; call += 1)
      outcomes.push(
        await store.get('/a').then(
          () => true,
          () => false,
        ),
      );
    cluster.launch(index);
    await cluster.healthy();
    report(`member killed: failed calls ${outcomes.filter((ok) => !ok).length} of 10`);
    expect(outcomes.filter((ok) => !ok).length).toBe(1);
    expect(outcomes[0]).toBe(false);
  });

  it('a member cut off from its quorum loses its watches to another one (it would answer them for ever)', async () => {
    const store = connect([cluster.hosts[0] ?? '', cluster.hosts[1] ?? '']);
    const { revision } = await store.range('/w/');
    const seen: string[] = [];
    let disconnects = 0;
    store.watch('/w/', revision + 1, {
      onEvents: (events) => seen.push(...events.map((event) => (event.kind === 'put' ? event.entry.value : '-'))),
      onCompacted: () => undefined,
      onDisconnected: () => (disconnects += 1),
    });
    await wait(300);
    // Member 0 alone is no quorum.
    cluster.signal(1, 'SIGSTOP');
    cluster.signal(2, 'SIGSTOP');
    const noticedMs = await msUntil('noticed', () => disconnects > 0, 10_000);
    cluster.signal(1, 'SIGCONT');
    cluster.signal(2, 'SIGCONT');
    await cluster.healthy();
    report(`member without quorum: watch moved away after ${noticedMs.toFixed(0)} ms`);
    const writer = connect([cluster.hosts[2] ?? ''], 3000);
    await writer.txn({ compare: [], writes: [{ kind: 'put', key: '/w/a', value: '1' }] });
    await until('the event', () => seen.length > 0, 10_000, 5);
    expect(seen).toEqual(['1']);
  });

  it('members are restarted one after the other: never two leaders, one in the end', async () => {
    const witness = new BeliefWitness();
    for (const [index, id] of ['a', 'b', 'c'].entries()) {
      const rest = cluster.hosts.filter((_, at) => at !== index);
      const one = await coordinatorUnderTest({ id, port: cluster.port(index), root: '/roll/', otherHosts: rest });
      running.push(one);
      witness.watch(id, one.leadership);
      one.leadership.start();
    }
    const led = () => running.some((each) => each.leadership.current() !== null);
    await until('somebody leads', led, 10_000, 5);
    for (const index of [0, 1, 2]) {
      await cluster.kill(index);
      await wait(800);
      cluster.launch(index);
      await cluster.healthy();
      await until(`somebody leads after member ${index}`, led, 2 * TIMING.ttlMs + 2000, 5);
    }
    await wait(500);
    expect(witness.overlaps()).toEqual([]);
    expect(witness.ledSamples).toBeGreaterThan(100);
    report(`rolling restart of 3 members: ${witness.beliefs.length} term(s)`);
    witness.stop();
  });
});
