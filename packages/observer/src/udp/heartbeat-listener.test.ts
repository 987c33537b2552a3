import { type Clock, type Endpoint, type MonotonicMs, monotonicMs } from '@understudy/shared';
import { RecordingLog, SeededRandom, SimClock, SimDatagramNetwork } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { FROM, observer, watched, WireAgent } from '../core/observe.fixtures.ts';
import { HeartbeatListener, type HeartbeatListenerOptions } from './heartbeat-listener.ts';

const M = 'db/a' as const;
const C1 = { address: '10.0.0.1', port: 7946 };

function setUp(options: Partial<HeartbeatListenerOptions> = {}) {
  const clock = new SimClock();
  const network = new SimDatagramNetwork({ clock, random: new SeededRandom(1) });
  const { table } = observer([watched(M)]);
  const log = new RecordingLog();
  const listener = new HeartbeatListener({ socket: network.open(C1.address, C1.port), table, clock, log, ...options });
  listener.start();
  const agent = new WireAgent(M, 'i-db-a');
  const agentSocket = network.open('10.0.0.7', 7000);
  const received: number[] = [];
  agentSocket.onMessage((payload) => {
    received.push(payload.length);
    if (payload.length === 96) agent.hear(payload);
  });
  const beat = () => agentSocket.send(agent.beat(), C1);
  const tickUntil = async (untilMs: number) => {
    while (clock.monotonicMs() < untilMs) {
      await clock.advance(250);
      listener.tick();
    }
  };
  return { clock, network, table, log, listener, agent, agentSocket, received, beat, tickUntil };
}

describe('HeartbeatListener', () => {
  it('hears, answers the first heartbeat with the challenge and records the second', async () => {
    const { clock, table, beat, received, listener } = setUp();
    await beat();
    await clock.advance(10);
    expect(received).toEqual([96]);
    expect(table.opinion(M)?.verdict).toBe('unknown');
    await beat();
    await clock.advance(10);
    expect(table.opinion(M)?.verdict).toBe('alive');
    expect(listener.stats()).toMatchObject({
      receivedCount: 2,
      acksSentCount: 1,
      unsentCount: 0,
      kernelDropsCount: null,
    });
  });

  it('probes a silent member where it was last heard, and a lost network makes it dead', async () => {
    const { clock, network, table, beat, received, listener, tickUntil } = setUp();
    await beat();
    await clock.advance(10);
    await beat();
    await tickUntil(5_500);
    expect(received.filter((bytes) => bytes === 160).length).toBeGreaterThan(0);
    network.cut('10.0.0.1', '10.0.0.7');
    await tickUntil(9_000);
    expect(network.counts.cut).toBeGreaterThan(0);
    expect(table.opinion(M)?.verdict).toBe('dead');
    expect(listener.stats().probesSentCount).toBeGreaterThanOrEqual(3);
  });

  it('probes that cannot be sent do not make it dead', async () => {
    const clock = new SimClock();
    let refused = 0;
    const { table } = observer([watched(M)]);
    let deliver: ((payload: Uint8Array, from: { address: string; port: number }) => void) | null = null;
    const socket = {
      localPort: 1,
      send: () => {
        refused++;
        return Promise.reject(new Error('ENETUNREACH'));
      },
      onMessage: (listener: typeof deliver) => {
        deliver = listener;
      },
      close: () => Promise.resolve(),
    };
    const listener = new HeartbeatListener({ socket, table, clock, log: new RecordingLog() });
    listener.start();
    const agent = new WireAgent(M, 'i-db-a');
    agent.greet(table, 0);
    expect(deliver).not.toBeNull();
    for (let i = 0; i < 80; i++) {
      await clock.advance(250);
      listener.tick();
    }
    await clock.advance(0);
    expect(refused).toBeGreaterThan(5);
    expect(table.opinion(M)?.verdict).toBe('suspect');
    expect(listener.stats().unsentCount).toBe(refused);
  });

  it('reads the clock once for all that a turn reads, and anew in the next turn and in each tick', () => {
    const sim = new SimClock();
    let nowMs = 1_000;
    const timers = new Set<() => void>();
    const clock: Clock = {
      monotonicMs: () => monotonicMs(nowMs),
      wallMs: () => sim.wallMs(),
      sleep: () => Promise.resolve(),
      setTimer: (_delayMs, then) => {
        timers.add(then);
        return { cancel: () => void timers.delete(then) };
      },
    };
    const nextTurn = () => {
      for (const then of [...timers]) if (timers.delete(then)) then();
    };
    const { table } = observer([watched(M)]);
    const agent = new WireAgent(M, 'i-db-a');
    agent.greet(table, 0);
    let deliver = (_payload: Uint8Array, _from: Endpoint, _heardAtMs?: MonotonicMs): void => undefined;
    const socket = {
      localPort: 1,
      send: () => Promise.resolve(),
      onMessage: (listener: typeof deliver) => {
        deliver = listener;
      },
      close: () => Promise.resolve(),
    };
    const listener = new HeartbeatListener({ socket, table, clock, log: new RecordingLog() });
    listener.start();
    const hearAt = (atMs: number, heardAtMs?: number) => {
      nowMs = atMs;
      deliver(agent.beat(), FROM, heardAtMs === undefined ? undefined : monotonicMs(heardAtMs));
    };
    const lastHeardMs = () => table.opinion(M)?.lastHeardMs;
    // A pause of an hour within the turn: what is read after it is dated before it.
    hearAt(1_000);
    hearAt(3_601_000);
    nextTurn();
    expect(lastHeardMs()).toBe(1_000);
    hearAt(3_601_100);
    nextTurn();
    expect(lastHeardMs()).toBe(3_601_100);
    // A receive thread dated the second one after our last look at the clock.
    hearAt(3_602_000, 3_601_900);
    hearAt(3_602_500, 3_602_400);
    listener.tick();
    expect(lastHeardMs()).toBe(3_602_400);
    expect(timers.size).toBe(0);
    hearAt(3_603_000);
    listener.tick();
    expect(lastHeardMs()).toBe(3_603_000);
  });

  it('kernel drops that grow are reported and make it abstain', async () => {
    const drops = [0, 0, 17];
    const { table, log, listener, tickUntil } = setUp({ readDrops: () => Promise.resolve(drops.shift() ?? 17) });
    await tickUntil(2_000);
    expect(table.abstention).toBeNull();
    await tickUntil(2_750);
    expect(listener.stats().kernelDropsCount).toBe(17);
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'udp.kernel-drops', fields: { dropped: 17 } }));
    expect(table.abstention?.reason).toBe('ReceiveLoss');
    await tickUntil(6_000);
    expect(table.abstention).toBeNull();
  });

  it('while drops go on it abstains without a gap, also where a tick comes a little early', async () => {
    let drops = 0;
    const { clock, listener } = setUp({ readDrops: () => Promise.resolve((drops += 100)) });
    const lapses: number[] = [];
    for (let turn = 0; turn < 80; turn++) {
      // Four of these are 999.6 ms: the drops are read at every fifth tick.
      await clock.advance(249.9);
      const { abstention } = listener.tick();
      await clock.advance(0);
      if (clock.monotonicMs() > 2_600 && !abstention) lapses.push(clock.monotonicMs());
    }
    expect(drops).toBeGreaterThan(1_000);
    expect(lapses).toEqual([]);
  });

  it('while the drops grow from reading to reading it abstains without a gap, and a reading without growth ends it', async () => {
    let drops = 0;
    let growing = true;
    let readings = 0;
    const { clock, table, listener } = setUp({
      readDrops: () => {
        readings++;
        return Promise.resolve(growing ? (drops += 10) : drops);
      },
    });
    // Ticks a little late, as they are under load: a reading every 1.2 s, a loss silences for 1 s.
    const ticks = async (count: number) => {
      const reasons = [];
      for (let i = 0; i < count; i++) {
        await clock.advance(300);
        reasons.push(listener.tick().abstention?.reason ?? null);
      }
      return reasons;
    };
    await ticks(6);
    expect(new Set(await ticks(40))).toEqual(new Set(['ReceiveLoss']));
    expect(readings).toBeGreaterThan(10);
    growing = false;
    expect((await ticks(12)).at(-1)).toBeNull();
    expect(table.abstention).toBeNull();
  });

  it('a stall of its own is logged', async () => {
    const { clock, log, listener } = setUp();
    listener.tick();
    await clock.advance(5_000);
    listener.tick();
    expect(log.lines).toContainEqual(
      expect.objectContaining({ event: 'observer.stall', fields: { stalledMs: 5_000 } }),
    );
  });

  it('a flood of garbage is counted, answered with nothing, and the next heartbeat is heard', async () => {
    const { clock, network, table, beat, received, agentSocket } = setUp();
    const random = new SeededRandom(3);
    for (let i = 0; i < 2_000; i++)
      await agentSocket.send(
        Uint8Array.from({ length: Math.floor(random.next() * 220) }, () => random.next() * 256),
        C1,
      );
    await clock.advance(10);
    expect(network.counts.delivered).toBe(2_000);
    expect(table.counts.malformed).toBe(2_000);
    expect(received).toEqual([]);
    await beat();
    await clock.advance(10);
    expect(received).toEqual([96]);
  });

  it('stops: closes the socket, leaves no timer', async () => {
    const { clock, listener, beat } = setUp();
    await beat();
    await clock.advance(1);
    await listener.stop();
    await listener.stop();
    await clock.advance(1_000);
    expect(clock.pendingCount).toBe(0);
  });
});
