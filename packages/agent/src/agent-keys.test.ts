import { hmacOf, parseKey } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import {
  agentFixture,
  INSTANCE_ID,
  KEY_HEX,
  MAC,
  MEMBER,
  TestKeyFiles,
  type FixtureOptions,
} from './agent.fixtures.ts';
import type { AgentKey } from './core/key-ring.ts';

const OLD: AgentKey = { id: 1, hex: KEY_HEX };
const NEW: AgentKey = { id: 2, hex: '0c'.repeat(32) };
const NEW_MAC = hmacOf(parseKey(NEW.hex, 'test'));

/** A running agent with key files and three coordinators that hold key 1. */
async function running(options: FixtureOptions = {}) {
  const files = new TestKeyFiles();
  const fixture = agentFixture({ ...options, keyFiles: files });
  const { done } = fixture.start();
  await fixture.clock.advance(1_500);
  const learn = (...names: readonly number[]) => {
    for (const index of names) fixture.coordinators[index]?.macs.set(2, NEW_MAC);
  };
  const forget = (...names: readonly number[]) => {
    for (const index of names) fixture.coordinators[index]?.macs.delete(1);
  };
  const stop = async () => {
    fixture.agent.stop();
    return fixture.clock.runUntilSettled(done);
  };
  /** Key ids of what each coordinator hears from now on, `ms` long. */
  const heardIn = async (ms: number) => {
    const from = fixture.coordinators.map(({ heard }) => heard.length);
    await fixture.clock.advance(ms);
    return fixture.coordinators.map(({ heard }, i) => heard.slice(from[i]).map((beat) => beat.keyId));
  };
  return { ...fixture, files, learn, forget, heardIn, stop };
}

/** Gaps in what a coordinator that holds both keys all the time has heard. */
const gapsOf = (sequences: readonly bigint[]): readonly bigint[] =>
  sequences.slice(1).flatMap((sequence, i) => (sequence - (sequences[i] ?? 0n) === 1n ? [] : [sequence]));

describe('a rotation on a running agent', () => {
  it('coordinators first: takes the key from the file within 10 s, and no coordinator misses a heartbeat', async () => {
    const { agent, coordinators, files, learn, clock, log, stop } = await running();
    learn(0, 1, 2);
    files.next = NEW;
    await clock.advance(20_000);
    expect(agent.keys.ids).toEqual({ current: 2, candidate: null });
    for (const { heard, rejected } of coordinators) {
      expect(rejected).toEqual([]);
      expect(gapsOf(heard.map(({ sequence }) => sequence))).toEqual([]);
      expect(new Set(heard.map(({ sequence }) => sequence)).size).toBe(heard.length);
      expect(heard.at(0)?.keyId).toBe(1);
      expect(heard.at(-1)?.keyId).toBe(2);
      expect(new Set(heard.map(({ bootEpoch }) => bootEpoch)).size).toBe(1);
    }
    expect(log.events()).toContain('key.adopted');
    expect(files.stored).toMatchObject({ member: MEMBER, current: NEW, candidate: null });
    await stop();
  });

  it('SIGHUP (reload) has the file looked at now', async () => {
    const { agent, files, learn, clock, stop } = await running();
    learn(0, 1, 2);
    files.next = NEW;
    await agent.keys.reload();
    await clock.advance(3_500);
    expect(agent.keys.ids).toEqual({ current: 2, candidate: null });
    await stop();
  });

  it('agent first: goes on with the old key for as long as nobody knows the new one, and tries it with every third heartbeat', async () => {
    const { agent, coordinators, files, heardIn, clock, learn, stop } = await running();
    files.next = NEW;
    await agent.keys.reload();
    await clock.advance(60_000);
    const heard = await heardIn(30_000);
    for (const ids of heard) {
      expect(ids.length).toBeGreaterThanOrEqual(27);
      expect(new Set(ids)).toEqual(new Set([1]));
    }
    const tried = coordinators[0]?.rejected.length ?? 0;
    expect(tried).toBeGreaterThan(25);
    expect(tried).toBeLessThan(36);
    expect(agent.keys.ids).toEqual({ current: 1, candidate: 2 });
    learn(0, 1, 2);
    await clock.advance(3_500);
    expect(agent.keys.ids).toEqual({ current: 2, candidate: null });
    await stop();
  });

  it('one coordinator late: it hears the old key, the others the new one, until it knows that too', async () => {
    const { agent, files, heardIn, clock, learn, forget, stop } = await running();
    learn(0, 2);
    files.next = NEW;
    await agent.keys.reload();
    await clock.advance(3_500);
    forget(0, 2);
    expect((await heardIn(20_000)).map((ids) => [...new Set(ids)])).toEqual([[2], [1], [2]]);
    expect(agent.keys.ids).toEqual({ current: 1, candidate: 2 });
    learn(1);
    await clock.advance(3_500);
    forget(1);
    expect(agent.keys.ids).toEqual({ current: 2, candidate: null });
    expect((await heardIn(5_000)).map((ids) => [...new Set(ids)])).toEqual([[2], [2], [2]]);
    await stop();
  });

  it('a coordinator that comes back without the new key is heard by it again within 20 s', async () => {
    const { files, agent, coordinators, heardIn, clock, learn, stop } = await running();
    learn(0, 1);
    files.next = NEW;
    await agent.keys.reload();
    await clock.advance(5_000);
    coordinators[0]?.macs.delete(2);
    await clock.advance(20_000);
    const [first = [], second = []] = await heardIn(10_000);
    expect(new Set(first)).toEqual(new Set([1]));
    expect(first.length).toBeGreaterThan(8);
    expect(new Set(second)).toEqual(new Set([2]));
    await stop();
  });

  it('does not stop the workload: acks count under either key', async () => {
    const { agent, coordinators, files, learn, forget, clock, outputs, stop } = await running();
    for (const coordinator of coordinators) coordinator.reply = { activation: 'active' };
    await clock.advance(2_000);
    expect(agent.activation.kind).toBe('active');
    const before = outputs.hooks.length;
    learn(0, 1, 2);
    files.next = NEW;
    await agent.keys.reload();
    await clock.advance(3_500);
    forget(0, 1, 2);
    await clock.advance(60_000);
    expect(agent.activation.kind).toBe('active');
    expect(outputs.hooks.length).toBe(before);
    const [c1] = coordinators;
    if (c1) c1.reply = { activation: 'fenced' };
    await clock.advance(7_000);
    expect(agent.activation.kind).toBe('fenced');
    await stop();
  });

  it('answers a probe under the key it came with', async () => {
    const { agent, coordinators, files, learn, clock, stop } = await running();
    learn(0);
    files.next = NEW;
    await agent.keys.reload();
    const [c1] = coordinators;
    if (!c1?.lastFrom) throw new Error('not heard');
    for (const keyId of [1, 2]) {
      await c1.probe(c1.lastFrom, INSTANCE_ID, `0${keyId}`.repeat(8), keyId);
      await clock.advance(50);
      expect(c1.heard.find(({ flags, keyId: used }) => flags.probeReply && used === keyId)).toBeDefined();
    }
    await stop();
  });

  it('says goodbye under the key each coordinator holds', async () => {
    const { agent, coordinators, files, learn, forget, clock, stop } = await running();
    learn(0);
    files.next = NEW;
    await agent.keys.reload();
    await clock.advance(3_500);
    forget(0);
    await stop();
    for (const { last } of coordinators) expect(last?.flags.goodbye).toBe(true);
  });
});

describe('forgery', () => {
  it('an ack under a key id the agent tries, but not with its key, moves nothing', async () => {
    const { agent, coordinators, files, clock, stop } = await running();
    files.next = NEW;
    await agent.keys.reload();
    const [c1] = coordinators;
    if (!c1?.lastFrom || !c1.last) throw new Error('not heard');
    for (let i = 0; i < 20; i++) {
      await c1.socket.send(c1.ackFor({ ...c1.last, keyId: 2 }, {}, MAC), c1.lastFrom);
      await clock.advance(1_000);
    }
    expect(agent.keys.ids).toEqual({ current: 1, candidate: 2 });
    expect(agent.sender?.drops.get('bad-tag')).toBe(20);
    expect(c1.last.keyId).toBe(1);
    await stop();
  });

  it('after the rotation the old key counts for nothing', async () => {
    const { agent, coordinators, files, learn, clock, stop } = await running();
    learn(0, 1, 2);
    files.next = NEW;
    await agent.keys.reload();
    await clock.advance(3_500);
    const [c1] = coordinators;
    if (!c1?.lastFrom || !c1.last) throw new Error('not heard');
    const before = agent.sender?.drops.get('not-ours') ?? 0;
    await c1.socket.send(c1.ackFor({ ...c1.last, keyId: 1 }, { activation: 'active' }, MAC), c1.lastFrom);
    await clock.advance(50);
    expect(agent.sender?.drops.get('not-ours')).toBe(before + 1);
    expect(agent.activation.kind).toBe('standby');
    await stop();
  });
});

describe('what outlives the process', () => {
  const adopted = { member: MEMBER, current: NEW, candidate: null, superseded: [] } as const;

  it('a replacement with old user data and a restored disk speaks with the rotated key from its first heartbeat', async () => {
    const files = new TestKeyFiles();
    files.stored = { ...adopted };
    const fixture = agentFixture({ keyFiles: files, stored: { instanceId: 'i-0predecessor', bootEpoch: 5n } });
    for (const { macs } of fixture.coordinators) {
      macs.set(2, NEW_MAC);
      macs.delete(1);
    }
    const { done } = fixture.start();
    await fixture.clock.advance(100);
    for (const { heard } of fixture.coordinators) expect(heard.at(-1)?.keyId).toBe(2);
    fixture.agent.stop();
    await fixture.clock.runUntilSettled(done);
  });

  it('restarted halfway, a coordinator that holds the new key only is spoken to with every heartbeat, also when its acks are lost', async () => {
    const files = new TestKeyFiles();
    files.stored = { member: MEMBER, current: OLD, candidate: NEW, superseded: [] };
    const fixture = agentFixture({ keyFiles: files });
    const [c1] = fixture.coordinators;
    if (!c1) throw new Error('no coordinator');
    c1.macs.delete(1);
    c1.macs.set(2, NEW_MAC);
    c1.reply = null;
    const { done } = fixture.start();
    await fixture.clock.advance(5_500);
    expect(c1.heard.length).toBeGreaterThanOrEqual(5);
    c1.reply = { activation: 'standby' };
    await fixture.clock.advance(2_000);
    const rejected = c1.rejected.length;
    await fixture.clock.advance(5_000);
    expect(c1.rejected.length).toBe(rejected);
    fixture.agent.stop();
    await fixture.clock.runUntilSettled(done);
  });

  it('keys that nobody ever acknowledged are not kept; from the first ack on they are', async () => {
    const files = new TestKeyFiles();
    files.next = NEW;
    const fixture = agentFixture({ keyFiles: files });
    for (const { macs } of fixture.coordinators) macs.clear();
    const { done } = fixture.start();
    await fixture.clock.advance(30_000);
    expect(fixture.agent.keys.ids).toEqual({ current: 1, candidate: 2 });
    expect(files.stored).toBeNull();
    fixture.coordinators[0]?.macs.set(1, MAC);
    await fixture.clock.advance(2_000);
    expect(files.stored).toMatchObject({ member: MEMBER, current: OLD, candidate: NEW });
    expect(files.writes).toBe(1);
    fixture.agent.stop();
    await fixture.clock.runUntilSettled(done);
  });

  it('a disk that refuses the key is told about and tried again; the rotation goes on meanwhile', async () => {
    const { agent, files, learn, clock, log, stop } = await running();
    files.broken = true;
    learn(0, 1, 2);
    files.next = NEW;
    await clock.advance(20_000);
    expect(agent.keys.ids.current).toBe(2);
    expect(log.events()).toContain('keys.unwritten');
    expect(files.stored?.current).toEqual(OLD);
    files.broken = false;
    await clock.advance(11_000);
    expect(files.stored?.current).toEqual(NEW);
    await stop();
  });

  it('a disk that hangs delays the first heartbeat by 5 s at most; what it says then is tried', async () => {
    const files = new TestKeyFiles();
    let answer = (_: typeof files.stored) => {};
    files.readStored = () => new Promise((resolve) => (answer = resolve));
    const fixture = agentFixture({ keyFiles: files });
    const { done } = fixture.start();
    await fixture.clock.advance(5_100);
    expect(fixture.coordinators[0]?.last?.keyId).toBe(1);
    for (const { macs } of fixture.coordinators) macs.set(2, NEW_MAC);
    answer({ ...adopted });
    await fixture.clock.advance(4_000);
    expect(fixture.agent.keys.ids).toEqual({ current: 2, candidate: null });
    fixture.agent.stop();
    await fixture.clock.runUntilSettled(done);
  });

  it('a key file that is no key is refused once and loudly, and heartbeats go on', async () => {
    const { agent, files, log, clock, heardIn, stop } = await running();
    files.refusal = 'KEY_INVALID: next.key: want 64 hex characters';
    await clock.advance(60_000);
    expect(log.events().filter((event) => event === 'key.refused').length).toBe(1);
    expect((await heardIn(5_000)).every((ids) => ids.length >= 4)).toBe(true);
    expect(agent.keys.ids).toEqual({ current: 1, candidate: null });
    files.refusal = null;
    files.next = NEW;
    await clock.advance(10_000);
    expect(agent.keys.ids.candidate).toBe(2);
    await stop();
  });
});
