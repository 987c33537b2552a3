import { DEFAULT_LADDER, type HistoryRecord, opIdOf } from '@understudy/shared';
import type { PolicyChange } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { command } from './commanding.ts';
import { KEYS, ScenarioCluster } from './scenario-cluster.ts';

const DB1 = 'prod/db1';
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const RUNGS = ['reboot', 'stop-start', 'snapshot-and-replace'] as const;

async function world(change: PolicyChange['guard'] = {}, rungs: readonly (typeof RUNGS)[number][] = RUNGS) {
  const ladder = { ...DEFAULT_LADDER, rungs: [...rungs] };
  const cluster = new ScenarioCluster({ policy: { recover: { ladder }, ...(change && { guard: change }) } });
  const old = cluster.seed(DB1);
  cluster.seed('prod/db2', { az: 'us-east-1b' });
  await cluster.up();
  return { cluster, old: old.instanceId };
}
const ended = (cluster: ScenarioCluster): readonly HistoryRecord[] =>
  [...cluster.history(DB1)].sort((a, b) => a.startedAtWallMs - b.startedAtWallMs);
const outcomes = (cluster: ScenarioCluster) =>
  ended(cluster).map((one) => `${one.strategy ?? RUNGS[2]} ${one.outcome}`);
const verdict = (cluster: ScenarioCluster) => cluster.mustLead().coordinator.leader.judged(DB1)?.verdict;
const noRoom = (cluster: ScenarioCluster) => cluster.sim.setCapacity('us-east-1a', 't3.micro', 0);

describe('a group with a ladder', () => {
  test('has a silent member stopped and started first: back on its own instance, serving, nothing launched', async () => {
    const { cluster, old } = await world();
    cluster.crash(old);
    await cluster.until('it is over', () => ended(cluster).length > 0, HOUR_MS);
    expect(outcomes(cluster)).toEqual(['stop-start mended']);
    expect(ended(cluster)[0]?.ladder?.map((one) => [one.rung, one.said])).toEqual([
      ['reboot', 'skipped'],
      ['stop-start', 'taken'],
      ['snapshot-and-replace', 'later'],
    ]);
    await cluster.until('it is heard', () => verdict(cluster) === 'alive', MINUTE_MS);
    expect(cluster.activation(DB1)).toMatchObject({ instanceId: old, incarnation: 1, ordinal: 1 });
    expect([cluster.launchedFor(old), cluster.hold(DB1)]).toEqual([[], null]);
  });

  test('tells in explain which way would be taken, which is, and which was tried; and nothing while all is well', async () => {
    const { cluster, old } = await world();
    const said = () =>
      cluster
        .mustLead()
        .coordinator.api.explain(DB1)
        ?.rungs?.map((one) => `${one.rung} ${one.said}`);
    expect(said()).toBeUndefined();
    noRoom(cluster);
    cluster.pause('global');
    cluster.crash(old);
    await cluster.until('it is dead', () => verdict(cluster) === 'dead', HOUR_MS);
    const first = ['reboot skipped', 'stop-start taken', 'snapshot-and-replace later'];
    expect(said()).toEqual(first);
    cluster.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.pause('global') }] });
    await cluster.until('the first way is under way', () => cluster.intent(DB1) !== null, HOUR_MS);
    expect(said()).toEqual(first);
    expect(cluster.mustLead().coordinator.api.explain(DB1)?.openRecovery).toMatchObject({ strategy: 'stop-start' });
    cluster.pause('global');
    await cluster.until('it is over', () => ended(cluster).length > 0, HOUR_MS);
    await cluster.clock.advance(MINUTE_MS);
    expect(said()).toEqual(['reboot skipped', 'stop-start tried', 'snapshot-and-replace taken']);
    const deadlines = cluster
      .mustLead()
      .coordinator.api.explain(DB1)
      ?.rungs?.map((one) => one.deadlineMs);
    expect(deadlines).toEqual([300_000, 300_000, null]);
  });

  test('goes on at once when that does not bring it back: no cooldown, no budget, no flap; and replaces it', async () => {
    const { cluster, old } = await world({ cooldownMs: HOUR_MS, flapLimit: 1 });
    noRoom(cluster);
    cluster.crash(old);
    await cluster.until('the first way is over', () => ended(cluster).length > 0, HOUR_MS);
    cluster.sim.setCapacity('us-east-1a', 't3.micro', null);
    const atMs = cluster.clock.monotonicMs();
    await cluster.until('the next way is taken', () => cluster.intent(DB1) !== null, 30_000);
    expect(cluster.clock.monotonicMs() - atMs).toBeLessThan(30_000);
    await cluster.until('it is over', () => ended(cluster).length > 1, HOUR_MS);
    expect(outcomes(cluster)).toEqual(['stop-start not-mended', 'snapshot-and-replace replaced']);
    const [replacement] = cluster.sim.log
      .launches()
      .filter((one) => one.tags['understudy:op'] === opIdOf(old, 1))
      .map((one) => one.instanceId);
    expect(cluster.activation(DB1)).toMatchObject({ instanceId: replacement, incarnation: 2 });
  });

  test('leaves out a way that has not helped once in three tries in its group, and says so', async () => {
    const { cluster, old } = await world();
    const [seeded] = [...cluster.history(DB1)];
    expect(seeded).toBeUndefined();
    noRoom(cluster);
    cluster.crash(old);
    await cluster.until('the first way is over', () => ended(cluster).length > 0, HOUR_MS);
    cluster.sim.setCapacity('us-east-1a', 't3.micro', null);
    await cluster.until('it is replaced', () => ended(cluster).length > 1, HOUR_MS);
    // The same failure of two others of the group, as their histories have it.
    const [failed] = ended(cluster);
    for (const name of ['db8', 'db9']) {
      const member = `prod/${name}` as const;
      const record = { ...failed, member, opId: `op-${name}` };
      const write = {
        kind: 'put',
        key: KEYS.historyEntry(member, record.opId),
        value: JSON.stringify(record),
      } as const;
      cluster.kv.apply({ compare: [], writes: [write] });
    }
    await cluster.clock.advance(2 * HOUR_MS);
    const second = cluster.activation(DB1)?.instanceId ?? '';
    cluster.crash(second);
    await cluster.until('it is over again', () => ended(cluster).length > 2, HOUR_MS);
    expect(ended(cluster)[2]).toMatchObject({ outcome: 'replaced', oldInstanceId: second });
    const told = ended(cluster)[2]?.ladder?.find((one) => one.rung === 'stop-start');
    expect(told).toMatchObject({ said: 'skipped', why: 'it has not helped once in 3 tries in this group' });
  });

  test('takes no further way when the member speaks meanwhile', async () => {
    const { cluster, old } = await world();
    noRoom(cluster);
    cluster.crash(old);
    await cluster.until('the first way is over', () => ended(cluster).length > 0, HOUR_MS);
    cluster.sim.setCapacity('us-east-1a', 't3.micro', null);
    cluster.pause('global');
    cluster.sim.seed('StartInstances', { InstanceIds: [old] });
    await cluster.until('it is heard', () => verdict(cluster) === 'alive', 5 * MINUTE_MS);
    cluster.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.pause('global') }] });
    await cluster.clock.advance(10 * MINUTE_MS);
    expect(outcomes(cluster)).toEqual(['stop-start not-mended']);
    expect([cluster.intent(DB1), cluster.activation(DB1)?.instanceId]).toEqual([null, old]);
  });

  test('asks every gate again for the next way: a person who pauses it meanwhile is heard', async () => {
    const { cluster, old } = await world();
    noRoom(cluster);
    cluster.crash(old);
    await cluster.until('the first way is under way', () => cluster.intent(DB1) !== null, HOUR_MS);
    cluster.pause('global');
    await cluster.until('it is over', () => ended(cluster).length > 0, HOUR_MS);
    await cluster.clock.advance(5 * MINUTE_MS);
    expect([cluster.intent(DB1), cluster.hold(DB1)?.reason]).toEqual([null, 'Paused']);
  });

  test('comes to an end: when every way was tried it waits for a person, visibly', async () => {
    const { cluster, old } = await world({}, ['stop-start']);
    noRoom(cluster);
    cluster.crash(old);
    await cluster.until('it is over', () => ended(cluster).length > 0, HOUR_MS);
    await cluster.clock.advance(10 * MINUTE_MS);
    expect(outcomes(cluster)).toEqual(['stop-start not-mended']);
    expect(cluster.hold(DB1)).toMatchObject({ reason: 'NotReady' });
    expect(cluster.hold(DB1)?.text).toContain('LadderExhausted');
  });

  test('does what a person asks for instead', async () => {
    const { cluster, old } = await world({}, ['stop-start']);
    noRoom(cluster);
    cluster.crash(old);
    await cluster.until('it is over', () => ended(cluster).length > 0, HOUR_MS);
    await cluster.until('it is held', () => cluster.hold(DB1) !== null, 10 * MINUTE_MS);
    cluster.sim.setCapacity('us-east-1a', 't3.micro', null);
    const asked = { kind: 'recover', member: DB1, by: null, opId: null, loss: null, leaveOpen: false } as const;
    const answer = await command(cluster, { ...asked, ...{ overrides: [], planToken: null, strategy: RUNGS[2] } });
    expect(answer, JSON.stringify(answer)).toMatchObject({ kind: 'done' });
    await cluster.until('it is over', () => ended(cluster).length > 1, HOUR_MS);
    expect(outcomes(cluster)).toEqual(['stop-start not-mended', 'snapshot-and-replace replaced']);
    expect(ended(cluster)[1]?.ladder?.at(-1)).toMatchObject({ said: 'taken', why: 'a person has asked for it' });
  });
});

test('a group that names no ladder is recovered as before', async () => {
  const cluster = new ScenarioCluster();
  const { instanceId } = cluster.seed(DB1);
  cluster.seed('prod/db2', { az: 'us-east-1b' });
  await cluster.up();
  cluster.crash(instanceId);
  await cluster.until('it is over', () => ended(cluster).length > 0, HOUR_MS);
  cluster.expectReplaced(DB1, instanceId);
});
