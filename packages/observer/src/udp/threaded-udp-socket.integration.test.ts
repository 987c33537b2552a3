import { Worker } from 'node:worker_threads';
import { type DatagramSocket, HEARTBEAT_BYTES, type MemberId } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { RecordingLog } from '@understudy/shared/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { observer, watched, WireAgent } from '../core/observe.fixtures.ts';
import { computeFor, keepLoopBusy } from './busy.fixtures.ts';
import { HeartbeatListener } from './heartbeat-listener.ts';
import { readKernelDrops } from './kernel-drops.ts';
import { type HeartbeatSocket, openHeartbeatSocket } from './open-heartbeat-socket.ts';
import type { PacedSending } from './paced-sender.fixtures.ts';
import { ThreadedUdpSocket, type ThreadedUdpSocketOptions } from './threaded-udp-socket.ts';
import { UdpSocket } from './udp-socket.ts';

const clock = new SystemClock();
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Started now on the real clock: an observer that begins in the past begins with a stall. */
const observing = (members: readonly MemberId[], suspectAfterMs = 5_000) =>
  observer(
    members.map((member) => watched(member, { suspectAfterMs })),
    {},
    1,
    clock.monotonicMs(),
  );

interface Wanted {
  readonly port?: number;
  readonly host?: string;
  readonly receiveBufferBytes?: number;
}

async function open(receiveThreads: number, wanted: Wanted = {}) {
  const opened = await openUnclosed(receiveThreads, wanted);
  closing.push(() => opened.socket.close());
  return opened;
}

async function openUnclosed(receiveThreads: number, wanted: Wanted): Promise<HeartbeatSocket & { log: RecordingLog }> {
  const log = new RecordingLog();
  const onBroken = (error: Error) => {
    throw error;
  };
  const options = { host: '127.0.0.1', port: 0, receiveThreads, tickMs: 250, clock, log, onBroken, ...wanted };
  return { ...(await openHeartbeatSocket(options)), log };
}

async function openThreaded(change: Partial<ThreadedUdpSocketOptions> = {}) {
  const workers: Worker[] = [];
  const broken: Error[] = [];
  const socket = await ThreadedUdpSocket.open({
    host: '127.0.0.1',
    port: 0,
    threads: 1,
    listenEveryMs: 100,
    clock,
    log: new RecordingLog(),
    onBroken: (error) => broken.push(error),
    spawn: (entry, options) => {
      const worker = new Worker(entry, options);
      workers.push(worker);
      return worker;
    },
    ...change,
  });
  closing.push(() => socket.close());
  return { socket, workers, broken };
}

async function openSender(): Promise<UdpSocket> {
  const sender = await UdpSocket.open({ host: '127.0.0.1', port: 0 }, new RecordingLog());
  closing.push(() => sender.close());
  return sender;
}

const to = ({ localPort }: DatagramSocket) => ({ address: '127.0.0.1', port: localPort });
async function until(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const deadlineMs = clock.monotonicMs() + limitMs;
  while (!(await condition())) {
    if (clock.monotonicMs() > deadlineMs) throw new Error(`not within ${limitMs} ms`);
    await clock.sleep(5);
  }
}

describe.each([
  ['the main thread', 0],
  ['a receive thread', 1],
  ['two receive threads', 2],
])('a heartbeat socket read by %s', (_, receiveThreads) => {
  let shared: HeartbeatSocket & { log: RecordingLog };
  beforeAll(async () => {
    shared = await openUnclosed(receiveThreads, { receiveBufferBytes: 262_144 });
  });
  afterAll(() => shared.socket.close());

  it('hears an agent, challenges and acknowledges it', async () => {
    const { table } = observing(['db/a']);
    const listener = new HeartbeatListener({ ...shared, table, clock });
    listener.start();
    const agent = new WireAgent('db/a', 'i-db-a');
    const own = await openSender();
    own.onMessage((payload) => void agent.hear(payload));
    await own.send(agent.beat(), to(shared.socket));
    await until(() => agent.challenge !== '00'.repeat(8));
    await own.send(agent.beat(), to(shared.socket));
    await until(() => table.opinion('db/a')?.verdict === 'alive');
    await until(() => listener.stats().acksSentCount === 1);
    expect(listener.stats()).toMatchObject({ receivedCount: 2, unsentCount: 0, ringDropsCount: 0 });
  });

  it('hands over every datagram whole, with where it came from and when', async () => {
    const { socket, receiver } = shared;
    const heard = new Map<number, string>();
    const moments: number[] = [];
    socket.onMessage((payload, from, heardAtMs) => {
      heard.set(new DataView(payload.buffer, payload.byteOffset).getUint32(0), `${payload.length} ${from.port}`);
      moments.push(heardAtMs ?? clock.monotonicMs());
    });
    const senders = [await openSender(), await openSender(), await openSender()];
    const sinceMs = clock.monotonicMs();
    for (let i = 0; i < 600; i++) {
      const payload = new Uint8Array(4 + (i % 150));
      new DataView(payload.buffer).setUint32(0, i);
      await senders[i % 3]?.send(payload, to(socket));
    }
    await until(() => {
      receiver?.drain();
      return heard.size === 600;
    });
    for (const [i, what] of heard) expect(what).toBe(`${4 + (i % 150)} ${senders[i % 3]?.localPort}`);
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(sinceMs);
    expect(Math.max(...moments)).toBeLessThanOrEqual(clock.monotonicMs());
  });

  it('reports the buffer the kernel gave', () => {
    expect(shared.socket.receiveBufferBytes).toBe(262_144);
    expect(shared.log.lines).toEqual([]);
  });

  it('hears IPv6; warns when the buffer is smaller than asked', async () => {
    const { socket, log } = await open(receiveThreads, { host: '::1', receiveBufferBytes: 1 << 28 });
    const far = await UdpSocket.open({ host: '::1', port: 0 }, new RecordingLog());
    closing.push(() => far.close());
    const froms: string[] = [];
    socket.onMessage((_payload, from) => void froms.push(`${from.address} ${from.port}`));
    await far.send(Uint8Array.of(1), { address: '::1', port: socket.localPort });
    await until(() => froms.length > 0);
    expect(froms).toEqual([`::1 ${far.localPort}`]);
    expect(socket.receiveBufferBytes).toBeLessThan(1 << 28);
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'udp.receive-buffer.small' }));
  });

  it('refuses a port that is taken', async () => {
    const taken = shared;
    await expect(open(receiveThreads, { port: taken.socket.localPort })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`CONFIG_INVALID: cannot listen on udp 127.0.0.1:${taken.socket.localPort}`),
    });
  });

  it.runIf(process.platform === 'linux')(
    'drops by the kernel are read, summed up, told and make it abstain',
    async () => {
      const hearing = await open(receiveThreads, { receiveBufferBytes: 4_096 });
      const { table } = observing(['db/a']);
      const readDrops = () => readKernelDrops('127.0.0.1', hearing.socket.localPort);
      const listener = new HeartbeatListener({ ...hearing, table, clock, readDrops });
      listener.start();
      listener.tick();
      await until(() => listener.stats().kernelDropsCount === 0);
      const sender = await openSender();
      const payload = new Uint8Array(160);
      // Without a turn of the loop in between, faster than they are read.
      for (let burst = 0; burst < 20; burst++) {
        await Promise.all(Array.from({ length: 250 }, () => sender.send(payload, to(hearing.socket))));
        listener.tick();
      }
      const dropped = await readDrops();
      expect(dropped).toBeGreaterThan(0);
      await until(() => {
        listener.tick();
        return hearing.log.lines.some(({ event }) => event === 'udp.kernel-drops');
      });
      expect(listener.stats().kernelDropsCount).toBe(dropped);
      expect(hearing.log.lines).toContainEqual(expect.objectContaining({ event: 'udp.kernel-drops' }));
      expect(table.abstention?.reason).toBe('ReceiveLoss');
      await listener.stop();
    },
  );

  it('sends from its own port; once closed it refuses, and closing again does nothing', async () => {
    const { socket } = shared;
    const far = await openSender();
    const ports = new Set<number>();
    far.onMessage((_payload, from) => void ports.add(from.port));
    await Promise.all(Array.from({ length: 50 }, () => socket.send(Uint8Array.of(1), to(far))));
    await until(() => ports.size > 0);
    expect([...ports]).toEqual([socket.localPort]);
    await socket.close();
    await socket.close();
    await expect(socket.send(Uint8Array.of(1), to(far))).rejects.toThrow();
  });
});

describe('a receive thread', () => {
  it('reads on while the main thread computes, and notes when each datagram came', async () => {
    const { socket } = await openThreaded();
    const moments: number[] = [];
    socket.onMessage((_payload, _from, heardAtMs) => void moments.push(heardAtMs));
    const sender = await openSender();
    await sender.send(Uint8Array.of(1), to(socket));
    const sentAtMs = clock.monotonicMs();
    computeFor(300);
    expect(moments).toEqual([]);
    socket.drain();
    expect(moments).toHaveLength(1);
    expect((moments[0] ?? 0) - sentAtMs).toBeLessThan(150);
  });

  it('that has more than the ring holds counts what it lost, and the next tick abstains before it judges', async () => {
    const { socket } = await openThreaded({ receiveBufferBytes: 65_536 });
    const { table } = observing(['db/a']);
    const log = new RecordingLog();
    const listener = new HeartbeatListener({ socket, receiver: socket, table, clock, log });
    listener.start();
    listener.tick();
    const sender = await openSender();
    for (let burst = 0; burst < 20; burst++) {
      // Handed to the kernel at once; the main thread takes nothing meanwhile.
      for (let i = 0; i < 50; i++) void sender.send(new Uint8Array(160), to(socket));
      computeFor(20);
    }
    expect(socket.lostCount).toBeGreaterThan(500);
    const { abstention, stalledMs } = listener.tick();
    expect(stalledMs).toBe(0);
    expect(abstention?.reason).toBe('ReceiveLoss');
    expect(listener.stats().ringDropsCount).toBe(socket.lostCount);
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'udp.ring-drops' }));
    await listener.stop();
  });

  it('that ends by itself is told at once, once, and nothing counts as sent any more', async () => {
    const { socket, workers, broken } = await openThreaded({ threads: 2 });
    const under = socket.send(Uint8Array.of(1), { address: '127.0.0.1', port: 9 }).then(
      () => 'sent',
      () => 'refused',
    );
    await Promise.all(workers.map((worker) => worker.terminate()));
    await until(() => broken.length > 0);
    expect(broken).toHaveLength(1);
    expect(broken[0]?.message).toContain('receiving has ended: a receive thread ended by itself');
    expect(['sent', 'refused']).toContain(await under);
    await expect(socket.send(Uint8Array.of(1), { address: '127.0.0.1', port: 9 })).rejects.toThrow('closed');
    await socket.close();
    expect(broken).toHaveLength(1);
  });

  it('that is closed ends, and is not told as broken', async () => {
    const { socket, workers, broken } = await openThreaded();
    const ended = new Promise<number>((resolve) => workers[0]?.once('exit', resolve));
    await socket.close();
    expect(await ended).toBe(0);
    expect(broken).toEqual([]);
  });

  it('that hangs makes the observer abstain until it listens again, though the main thread ticks on', async () => {
    const spawned: Worker[] = [];
    const { socket } = await openThreaded({
      spawn: (_entry, options) => {
        const worker = new Worker(new URL('./hanging-thread.fixtures.ts', import.meta.url), options);
        spawned.push(worker);
        return worker;
      },
    });
    const { table } = observing(['db/a']);
    const log = new RecordingLog();
    const listener = new HeartbeatListener({ socket, receiver: socket, table, clock, log });
    listener.start();
    const tickFor = async (durationMs: number) => {
      const reports = [];
      for (const untilMs = clock.monotonicMs() + durationMs; clock.monotonicMs() < untilMs; await clock.sleep(100))
        reports.push(listener.tick());
      return reports;
    };
    const well = await tickFor(500);
    expect(well.filter(({ deafMs }) => deafMs > 0)).toEqual([]);
    spawned[0]?.postMessage({ hangMs: 1_600 });
    const during = await tickFor(1_400);
    expect(during.at(-1)?.deafMs).toBeGreaterThan(750);
    expect(during.at(-1)?.abstention?.reason).toBe('OwnStall');
    const after = await tickFor(800);
    expect(Math.max(...after.map(({ stalledMs }) => stalledMs))).toBeGreaterThan(1_400);
    expect(log.lines.filter(({ event }) => event === 'observer.deaf')).toHaveLength(1);
    await listener.stop();
  });

  it('needs a Node that can share a port before there is more than one', async () => {
    const { node } = process.versions;
    Object.defineProperty(process.versions, 'node', { value: '22.19.0', configurable: true });
    try {
      await expect(openThreaded({ threads: 2 })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('udp.receiveThreads = 2 needs Node >= 23.1 (SO_REUSEPORT), this is 22.19.0'),
      });
    } finally {
      Object.defineProperty(process.versions, 'node', { value: node, configurable: true });
    }
  });
});

/**
 * 2 000 agents every 500 ms, suspected after 1.5 s, while every turn of the main loop computes for
 * 20 ms.
 */
async function hearWhileBusy(receiveThreads: number, seconds: number, wanted: Wanted = {}) {
  const members = Array.from({ length: 2_000 }, (_, i) => `db/m${i}` as MemberId);
  const agents = members.map((member) => new WireAgent(member, `i-${member.replace('/', '-')}`));
  const hearing = await open(receiveThreads, wanted);
  const { table } = observing(members, 1_500);
  for (const agent of agents) agent.greet(table, clock.monotonicMs());
  const datagrams = Buffer.concat(
    Array.from({ length: seconds * 2 }, () => agents.map((agent) => agent.beat())).flat(),
  );
  const readDrops = () => readKernelDrops('127.0.0.1', hearing.socket.localPort);
  const listener = new HeartbeatListener({ ...hearing, table, clock, readDrops });
  listener.start();
  // All that took a while, in which nobody beat: silence counts from now.
  table.tick(clock.monotonicMs());
  for (const agent of agents) agent.send(table, clock.monotonicMs());
  const recordedBefore = table.counts.recorded;
  table.takeChanges();
  const sending: PacedSending = {
    port: hearing.socket.localPort,
    datagrams,
    datagramBytes: HEARTBEAT_BYTES,
    perSecond: 4_000,
  };
  const sender = new Worker(new URL('./paced-sender.fixtures.ts', import.meta.url), { workerData: sending });
  let suspected = 0;
  let unopinionated = 0;
  const ticking = setInterval(() => {
    if (listener.tick().abstention?.reason === 'ReceiveLoss') unopinionated++;
    suspected += table.takeChanges().filter(({ verdict }) => verdict === 'suspect' || verdict === 'dead').length;
  }, table.settings.tickMs);
  const stopBusy = keepLoopBusy(20);
  const sentCount = await new Promise<number>((resolve, reject) => {
    sender.once('message', resolve);
    sender.once('error', reject);
  });
  const busyRatio = stopBusy();
  const kernelDrops = await readDrops();
  listener.tick();
  clearInterval(ticking);
  const { ringDropsCount } = listener.stats();
  await listener.stop();
  await sender.terminate();
  return {
    busyRatio,
    sentCount,
    heardCount: table.counts.recorded - recordedBefore,
    suspected,
    unopinionated,
    kernelDrops,
    ringDropsCount,
  };
}

describe('a main loop busy 90 % of the time', () => {
  it('causes no suspicion of 2 000 agents: all that is sent is heard', async () => {
    const { busyRatio, ...heard } = await hearWhileBusy(1, 4);
    expect(busyRatio).toBeGreaterThan(0.9);
    expect(heard).toEqual({
      sentCount: 16_000,
      heardCount: 16_000,
      suspected: 0,
      unopinionated: 0,
      kernelDrops: 0,
      ringDropsCount: 0,
    });
  });

  it('loses datagrams without the receive thread, when the buffer is one for a sixth of a second', async () => {
    const { busyRatio, sentCount, heardCount, kernelDrops } = await hearWhileBusy(0, 2, {
      receiveBufferBytes: 262_144,
    });
    expect(busyRatio).toBeGreaterThan(0.9);
    expect(sentCount).toBe(8_000);
    expect(kernelDrops).toBeGreaterThan(1_000);
    expect(heardCount).toBeLessThan(sentCount - 1_000);
  });
});
