import { describe, expect, it } from 'vitest';
import { agentFixture, INSTANCE_ID, running } from './agent.fixtures.ts';
import { nextEpoch } from './core/boot.ts';

const STALE = { activation: 'unknown', leaderLive: false, incarnation: 0, holdsForMs: 0 } as const;

describe('an agent whose heartbeats are stale', () => {
  it('takes an epoch greater than the newest known, stores it, says so, and goes on serving', async () => {
    const { c1, c2, clock, log, stateStore, outputs, stop } = await running({ active: true }, 2_000);
    const before = c1.last?.bootEpoch ?? 0n;
    const challenge = 'ab'.repeat(8);
    c1.reply = { ...STALE, newestEpoch: before + 100n, challenge };
    await clock.advance(1_500);
    expect(c1.last?.bootEpoch).toBe(before + 101n);
    expect(c2.last?.bootEpoch).toBe(before + 101n);
    expect(c1.last?.challenge).toBe(challenge);
    expect(stateStore.stored).toEqual({ instanceId: INSTANCE_ID, bootEpoch: before + 101n });
    expect(log.events()).toContain('agent.stale');
    expect(outputs.serving).toBe(true);
    await stop();
  });

  it('takes turns with one that does the same: at most one in twenty seconds in the end', async () => {
    const { coordinators, clock, log, stop } = await running({}, 1_000);
    const [c1] = coordinators;
    if (!c1) throw new Error('no coordinator');
    c1.onHeard = () => {
      c1.reply = { ...STALE, newestEpoch: (c1.last?.bootEpoch ?? 0n) + 1n };
    };
    await clock.advance(300_000);
    const turns = log.events().filter((event) => event === 'agent.stale').length;
    expect(turns).toBeGreaterThan(10);
    expect(turns).toBeLessThan(25);
    await stop();
  });

  it('goes on with the epoch it has, and says so once, where none is greater', async () => {
    const { c1, clock, log, stop } = await running({}, 1_000);
    const before = c1.last?.bootEpoch;
    c1.reply = { ...STALE, newestEpoch: (1n << 48n) - 1n };
    await clock.advance(60_000);
    expect(c1.last?.bootEpoch).toBe(before);
    expect(log.events().filter((event) => event === 'agent.stale')).toHaveLength(1);
    await stop();
  });

  it('ends, withdrawn and without a goodbye, where another process has the lock', async () => {
    const fixture = agentFixture();
    for (const coordinator of fixture.coordinators) coordinator.reply = { activation: 'active' };
    const lock = { lostTo: async () => ({ pid: 4711, where: '/run/lock.2' }) };
    const { Agent } = await import('./agent.ts');
    const agent = new Agent({ ...fixture.parts, lock });
    const done = agent.run();
    await fixture.clock.advance(2_000);
    const [c1] = fixture.coordinators;
    if (!c1) throw new Error('no coordinator');
    c1.reply = { ...STALE, newestEpoch: (c1.last?.bootEpoch ?? 0n) + 5n };
    expect(await fixture.clock.runUntilSettled(done)).toBe('lock-lost');
    expect(fixture.outputs.serving).toBe(false);
    expect(c1.last?.flags.goodbye).toBe(false);
    expect(fixture.log.events()).toContain('agent.lock.lost');
  });

  it('is not told by an ack of a heartbeat that is 64 or more behind: a recording of its own may have provoked that', async () => {
    const { c1, clock, log, stop } = await running({ config: { heartbeat: { intervalMs: 100 } } }, 500);
    const [old] = c1.heard;
    if (!old || !c1.lastFrom) throw new Error('not heard');
    await clock.advance(8_000);
    await c1.socket.send(c1.ackFor(old, { ...STALE, newestEpoch: 1n << 40n }), c1.lastFrom);
    await clock.advance(1_000);
    expect(log.events()).not.toContain('agent.stale');
    await stop();
  });
});

it('an agent that is alone again tells its workload once more what it was told', async () => {
  const { coordinators, clock, outputs, stop } = await running({ active: true }, 2_000);
  const told = outputs.hooks.length;
  for (const coordinator of coordinators) coordinator.reply = { activation: 'active', contested: true };
  await clock.advance(20_000);
  expect(outputs.hooks).toHaveLength(told);
  for (const coordinator of coordinators) coordinator.reply = { activation: 'active' };
  await clock.advance(30_000);
  expect(outputs.hooks.slice(told)).toEqual(['active']);
  await stop();
});

it('the next epoch is greater than ours and than the newest known', () => {
  expect(nextEpoch(5n, 9n)).toBe(10n);
  expect(nextEpoch(9n, 5n)).toBe(10n);
  expect(nextEpoch(5n, (1n << 48n) - 1n)).toBeNull();
});
