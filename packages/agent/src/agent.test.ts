import { CHECK_CODES, HEARTBEAT_BYTES, hmacOf, instanceHashOf } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { Agent } from './agent.ts';
import { networkCheck } from './checks/network.ts';
import type { CheckResult } from './core/check-state.ts';
import { agentFixture, INSTANCE_ID, running, TestCoordinator } from './agent.fixtures.ts';

describe('heartbeats', () => {
  it('the first one goes to every coordinator at once, with an epoch that is on disk already', async () => {
    const { c1, c2, c3, stateStore, stop } = await running({}, 10);
    for (const { heard } of [c1, c2, c3]) {
      expect(heard.length).toBe(1);
      expect(heard[0]?.instanceHash).toBe(instanceHashOf(INSTANCE_ID));
      expect(heard[0]?.bootEpoch).toBe(stateStore.stored?.bootEpoch);
      expect(heard[0]?.sequence).toBe(1n);
      expect(heard[0]?.flags).toEqual({ ackRequested: true, probeReply: false, serving: false, goodbye: false });
      expect(heard[0]?.challenge).toBe('00'.repeat(8));
    }
    await stop();
  });

  it('follow each other in 900-1100 ms, spread over that range', async () => {
    const { c1, clock, stop } = await running();
    const gaps: number[] = [];
    let lastAtMs = 0;
    for (let seen = c1.heard.length; gaps.length < 60; await clock.advance(1)) {
      if (c1.heard.length === seen) continue;
      seen = c1.heard.length;
      if (lastAtMs > 0) gaps.push(clock.monotonicMs() - lastAtMs);
      lastAtMs = clock.monotonicMs();
    }
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(899);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_101);
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeGreaterThan(100);
    await stop();
  });

  it('come as often as a coordinator asks, within one of the old intervals, and then as configured again', async () => {
    const { c1, c2, clock, log, stop } = await running({}, 10);
    const heardIn = async (ms: number): Promise<number> => {
      const before = c1.heard.length;
      await clock.advance(ms);
      return c1.heard.length - before;
    };
    c1.reply = { activation: 'standby', heartbeatIntervalMs: 250 };
    c2.reply = { activation: 'standby', heartbeatIntervalMs: 5_000 };
    await clock.advance(2_200);
    const fast = await heardIn(10_000);
    expect(fast).toBeGreaterThanOrEqual(36);
    expect(fast).toBeLessThanOrEqual(45);
    c1.reply = { activation: 'standby', heartbeatIntervalMs: 1_000 };
    await clock.advance(2_200);
    expect(await heardIn(10_000)).toBeLessThanOrEqual(12);
    expect(log.events().filter((event) => event === 'heartbeat.pace')).toHaveLength(2);
    await stop();
  });

  it('echo each coordinator its own challenge and tell all of them what each has acked', async () => {
    const { c1, c2, clock, stop } = await running({}, 10);
    c1.reply = { activation: 'standby', challenge: '0a'.repeat(8) };
    c2.reply = { activation: 'standby', challenge: '0b'.repeat(8) };
    await clock.advance(2_500);
    expect(c1.last?.challenge).toBe('0a'.repeat(8));
    expect(c2.last?.challenge).toBe('0b'.repeat(8));
    expect(c1.last?.acks.length).toBe(3);
    expect(c1.last?.acks.every((slot) => slot.sequence >= 2n)).toBe(true);
    await stop();
  });

  it('start only when the metadata service has said who we are, and are not started twice', async () => {
    const fixture = agentFixture();
    fixture.identity.answer = { kind: 'unreachable', detail: 'planted' };
    const { done } = fixture.start();
    await fixture.clock.advance(60_000);
    expect(fixture.coordinators[0]?.heard).toEqual([]);
    const waits = fixture.log.events().filter((event) => event === 'agent.identity.waiting').length;
    expect(waits).toBeGreaterThan(6);
    expect(waits).toBeLessThan(20);
    fixture.identity.answer = { kind: 'found', text: INSTANCE_ID };
    await fixture.clock.advance(11_000);
    expect(fixture.coordinators[0]?.heard.length).toBeGreaterThan(0);
    fixture.agent.stop();
    await fixture.clock.runUntilSettled(done);
  });

  it('go on to the others when one coordinator has no address', async () => {
    const fixture = agentFixture();
    const parts = {
      ...fixture.parts,
      lookup: async (host: string) => (host === '10.0.0.1' ? Promise.reject(new Error('planted')) : host),
    };
    const agent = new Agent(parts);
    const done = agent.run();
    await fixture.clock.advance(5_000);
    expect(fixture.coordinators.map(({ heard }) => heard.length > 3)).toEqual([false, true, true]);
    expect(fixture.log.events()).toContain('coordinator.unresolved');
    agent.stop();
    await fixture.clock.runUntilSettled(done);
  });

  it('are not held up by a check that never comes back; it is unknown with its age', async () => {
    const hangs = { run: () => new Promise<never>(() => undefined) };
    const { c1, clock, stop } = await running({ checks: { storage: hangs } });
    await clock.advance(60_000);
    expect(c1.heard.length).toBeGreaterThan(54);
    expect(c1.last?.checks[0]).toMatchObject({ status: 'pass' });
    expect(c1.last?.checks[1]).toMatchObject({ status: 'unknown', code: CHECK_CODES.deadlineExceeded });
    expect(c1.last?.checks[1]?.ageSeconds).toBeGreaterThan(55);
    await stop();
  });

  it('keep their pace with every check and the hook hanging at once', async () => {
    const hangs = { run: () => new Promise<never>(() => undefined) };
    const custom = ['a', 'b'].map((name) => ({ name, tcp: '127.0.0.1:1' }));
    const checks = {
      network: hangs,
      storage: hangs,
      metadata: hangs,
      pressure: hangs,
      clock: hangs,
      custom: [hangs, hangs],
    };
    const config = { heartbeat: { jitterRatio: 0 }, checks: { custom } };
    const fixture = agentFixture({ checks, config });
    fixture.outputs.hookGate = new Promise(() => undefined);
    fixture.start();
    await fixture.clock.advance(5);
    const [c1] = fixture.coordinators;
    const arrivals: number[] = [];
    for (let seen = c1?.heard.length; arrivals.length < 61; await fixture.clock.advance(1)) {
      if (c1?.heard.length !== seen) arrivals.push(fixture.clock.monotonicMs());
      seen = c1?.heard.length;
    }
    const gaps = arrivals.slice(1).map((at, i) => at - (arrivals[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(998);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_002);
    const { status: hooks } = c1?.last?.checks[3] ?? {};
    expect(hooks).toBe('pass');
    for (const slot of [0, 1, 2, 4, 5, 6])
      expect(c1?.last?.checks[slot]).toMatchObject({ status: 'unknown', code: CHECK_CODES.deadlineExceeded });
  });

  it('warn of one coordinator that does not answer, fail without any, and pass again', async () => {
    const fixture = agentFixture({ config: { heartbeat: { jitterRatio: 0 } } });
    const probes = { gateway: async () => 'reachable' as const, dns: async () => 'answered' as const };
    const agent = new Agent({
      ...fixture.parts,
      makeChecks: ({ coordinators }) => ({ network: networkCheck({ ...probes, coordinators }) }),
    });
    const done = agent.run();
    const network = async (ms: number) => {
      await fixture.clock.advance(ms);
      const { status, code } = fixture.coordinators[1]?.last?.checks[0] ?? {};
      return `${status} ${code}`;
    };
    expect(await network(10_000)).toBe('pass 0');
    fixture.network.cut('10.0.9.9', '10.0.0.1');
    expect(await network(30_000)).toBe(`warn ${CHECK_CODES.coordinatorsUnreachable}`);
    for (const coordinator of fixture.coordinators) coordinator.reply = null;
    expect(await network(60_000)).toBe(`fail ${CHECK_CODES.coordinatorsUnreachable}`);
    fixture.network.heal('10.0.9.9', '10.0.0.1');
    for (const coordinator of fixture.coordinators) coordinator.reply = { activation: 'standby' };
    expect(await network(30_000)).toBe('pass 0');
    agent.stop();
    await fixture.clock.runUntilSettled(done);
  });

  it('say the worst of the custom checks in one slot, and nothing of those that are off', async () => {
    const results: Record<string, CheckResult> = {
      a: { status: 'pass', code: 'none' },
      b: { status: 'fail', code: 'httpFailed' },
      c: { status: 'fail', code: 'commandFailed' },
    };
    let runsOfC = 0;
    const custom = Object.keys(results).map((name) => ({ name, tcp: '127.0.0.1:1', fall: 1, enabled: name !== 'c' }));
    const pass: CheckResult = { status: 'pass', code: 'none' };
    const checks = Object.keys(results).map((name) => ({
      run: async () => {
        if (name === 'c') runsOfC++;
        return results[name] ?? pass;
      },
    }));
    const config = { checks: { custom, pressure: { enabled: false } } };
    const { c1, clock, stop } = await running(
      { config, checks: { custom: checks, pressure: { run: async () => pass } } },
      20_000,
    );
    expect(c1.last?.checks[6]).toMatchObject({ status: 'fail', code: CHECK_CODES.httpFailed });
    expect(c1.last?.checks[4]).toMatchObject({ status: 'absent' });
    results['b'] = pass;
    await clock.advance(20_000);
    expect(c1.last?.checks[6]).toMatchObject({ status: 'pass', code: 0 });
    expect(runsOfC).toBe(0);
    await stop();
  });

  it('a probe is answered at once, to its sender, with its challenge, in as many bytes, and not without end', async () => {
    const { c1, clock, network, stop } = await running();
    const to = c1.lastFrom ?? { address: '', port: 0 };
    const prober = new TestCoordinator(network.open('10.0.0.1', 9_999), 'c1');
    prober.reply = null;
    await prober.probe(to, INSTANCE_ID, 'ab'.repeat(8));
    await prober.probe(to, 'i-0other', 'ab'.repeat(8));
    await clock.advance(5);
    expect(prober.heard.length).toBe(1);
    expect(prober.last).toMatchObject({ challenge: 'ab'.repeat(8), flags: { probeReply: true } });
    expect(HEARTBEAT_BYTES).toBe(160);
    for (let i = 0; i < 100; i++) await prober.probe(to, INSTANCE_ID, 'ab'.repeat(8));
    await clock.advance(5);
    expect(prober.heard.length).toBeLessThanOrEqual(22);
    await clock.advance(1_200);
    expect(c1.last?.challenge).not.toBe('ab'.repeat(8));
    await stop();
  });

  it('the last one says goodbye, repeated until it is acked', async () => {
    const { c1, c2, network, stop } = await running({ active: true });
    network.cut('10.0.9.9', '10.0.0.2');
    const before = c2.heard.length;
    expect(await stop()).toBe('asked');
    expect(c1.last?.flags).toMatchObject({ goodbye: true, serving: false });
    expect(c1.heard.filter(({ flags }) => flags.goodbye).length).toBe(3);
    expect([c2.heard.length, network.counts.cut > 0]).toEqual([before, true]);
  });
});

describe('activation', () => {
  it('begins in standby, tells the workload so, and serves when an ack names it', async () => {
    const { c1, c2, c3, agent, clock, outputs, stop } = await running();
    expect(agent.activation.kind).toBe('standby');
    expect(outputs.hooks).toEqual(['standby']);
    for (const coordinator of [c1, c2, c3]) coordinator.reply = { activation: 'active', incarnation: 2 };
    await clock.advance(1_200);
    expect(outputs.hooks).toEqual(['standby', 'active']);
    expect(outputs.files.at(-1)).toEqual({ state: 'active', incarnation: 2, instanceId: INSTANCE_ID });
    await clock.advance(1_200);
    expect(c1.last?.flags.serving).toBe(true);
    await stop();
    expect(outputs.hooks.at(-1)).toBe('standby');
    expect(outputs.files.at(-1)).toBe('removed');
  });

  it('a fenced predecessor stops serving, also while a lagging coordinator still says active', async () => {
    const { c1, clock, outputs, agent, stop } = await running({ active: true }, 1_500);
    expect(outputs.serving).toBe(true);
    c1.reply = { activation: 'fenced', incarnation: 1, term: 5n };
    await clock.advance(60_000);
    expect(agent.activation.kind).toBe('fenced');
    expect(outputs.hooks).toEqual(['standby', 'active', 'fenced']);
    await stop();
  });

  it('a coordinator that cannot say changes nothing', async () => {
    const { c1, c2, c3, clock, outputs, stop } = await running({ active: true }, 1_500);
    for (const coordinator of [c1, c2, c3]) coordinator.reply = { activation: 'unknown' };
    await clock.advance(120_000);
    expect(outputs.hooks).toEqual(['standby', 'active']);
    await stop();
  });

  it('no ack at all changes nothing without a serve lease', async () => {
    const { clock, network, outputs, stop } = await running({ active: true }, 1_500);
    network.cut('*', '10.0.9.9');
    await clock.advance(600_000);
    expect(network.counts.cut).toBeGreaterThan(1_000);
    expect(outputs.serving).toBe(true);
    await stop();
  });

  it.each([
    ['forged with another key', 'bad-tag'],
    ['for another instance', 'other-instance'],
    ['replayed from an earlier start', 'other-epoch'],
    ['for a heartbeat never sent', 'never-sent'],
  ] as const)('an ack %s is dropped, counted and not answered', async (_name, reason) => {
    const { c1, c2, c3, clock, network, outputs, agent, stop } = await running();
    for (const coordinator of [c1, c2, c3]) coordinator.reply = null;
    const heartbeat = c1.last;
    if (!heartbeat || !c1.lastFrom) throw new Error('no heartbeat');
    const wrong = {
      'bad-tag': c1.ackFor(heartbeat, { activation: 'active' }, hmacOf(new Uint8Array(32))),
      'other-instance': c1.ackFor(heartbeat, { activation: 'active', instanceHash: 'ee'.repeat(8) }),
      'other-epoch': c1.ackFor(heartbeat, { activation: 'active', bootEpoch: heartbeat.bootEpoch - 1n }),
      'never-sent': c1.ackFor(heartbeat, { activation: 'active', sequence: heartbeat.sequence + 100n }),
    }[reason];
    const sentBefore = network.counts.sent;
    await c1.socket.send(wrong, c1.lastFrom);
    await clock.advance(5);
    expect(agent.sender?.drops.get(reason)).toBe(1);
    expect(network.counts.sent).toBe(sentBefore + 1);
    expect([agent.activation.kind, outputs.serving]).toEqual(['standby', false]);
    await stop();
  });

  it('an ack that was recorded while active and is replayed after the fence does not bring it back', async () => {
    const { c1, c2, c3, clock, outputs, agent, stop } = await running({ active: true }, 3_000);
    const recorded = c1.lastAck;
    if (!recorded || !c1.lastFrom) throw new Error('no ack');
    for (const coordinator of [c1, c2, c3]) coordinator.reply = { activation: 'fenced', incarnation: 2 };
    await clock.advance(2_500);
    expect(outputs.serving).toBe(false);
    for (let i = 0; i < 30; i++) {
      await c1.socket.send(recorded, c1.lastFrom);
      await clock.advance(1_000);
    }
    expect((agent.sender?.drops.get('out-of-order') ?? 0) + (agent.sender?.drops.get('too-old') ?? 0)).toBe(30);
    expect(outputs.serving).toBe(false);
    await stop();
  });

  it('after a machine pause longer than it trusts itself it stands by until a fresh ack', async () => {
    const { c1, c2, c3, clock, machine, network, outputs, stop } = await running({ active: true }, 1_500);
    for (const coordinator of [c1, c2, c3]) coordinator.reply = null;
    machine.sleptMs += 3_600_000;
    await clock.advance(1_200);
    expect(outputs.hooks).toEqual(['standby', 'active', 'standby']);
    for (const coordinator of [c1, c2, c3]) coordinator.reply = { activation: 'active' };
    await clock.advance(1_500);
    expect(outputs.serving).toBe(true);
    expect(network.counts.delivered).toBeGreaterThan(0);
    await stop();
  });

  it('a hook that fails is tried again and shows in the heartbeat', async () => {
    const fixture = agentFixture();
    fixture.outputs.hookFailures = 3;
    const { done } = fixture.start();
    await fixture.clock.advance(1_300);
    expect(fixture.coordinators[0]?.last?.checks[3]).toMatchObject({ status: 'warn', code: CHECK_CODES.commandFailed });
    await fixture.clock.advance(20_000);
    expect(fixture.outputs.hooks).toEqual(['standby']);
    expect(fixture.coordinators[0]?.last?.checks[3]).toMatchObject({ status: 'pass' });
    fixture.agent.stop();
    await fixture.clock.runUntilSettled(done);
  });

  it('a machine that is another instance now stands by and asks to be started again', async () => {
    const { clock, done, loseIdentity, outputs, c1 } = await running({ active: true }, 1_500);
    loseIdentity();
    expect(await clock.runUntilSettled(done)).toBe('identity-lost');
    expect(outputs.serving).toBe(false);
    expect(c1.last?.flags.goodbye).toBe(false);
  });
});

describe('restored disk', () => {
  it("is known by its instance: the predecessor's activation file goes and a newer epoch begins", async () => {
    const stored = { instanceId: 'i-0old', bootEpoch: 9_000_000_000n };
    const { c1, log, outputs, stateStore, stop } = await running({ stored });
    expect(log.events()).toContain('agent.disk.restored');
    expect(outputs.files).toContain('removed');
    expect(outputs.files.at(-1)).toMatchObject({ state: 'standby', instanceId: INSTANCE_ID });
    expect(c1.last?.bootEpoch).toBe(9_000_000_001n);
    expect(stateStore.stored).toEqual({ instanceId: INSTANCE_ID, bootEpoch: 9_000_000_001n });
    await stop();
  });

  it('an epoch that cannot be stored is used all the same, and says so', async () => {
    const fixture = agentFixture();
    fixture.stateStore.broken = true;
    const { done } = fixture.start();
    await fixture.clock.advance(100);
    expect(fixture.log.events()).toContain('agent.state.unwritten');
    expect(fixture.coordinators[0]?.heard.length).toBe(1);
    fixture.agent.stop();
    await fixture.clock.runUntilSettled(done);
  });
});
