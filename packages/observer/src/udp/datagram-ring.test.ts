import { Worker } from 'node:worker_threads';
import { exercised } from '@understudy/shared/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatagramRing, PAYLOAD_BYTES_MAX } from './datagram-ring.ts';

const FROM = { address: '10.1.2.3', port: 7000 };
const taken = (ring: DatagramRing) => {
  const all: { payload: string; from: string; atMs: number }[] = [];
  ring.drain((payload, { address, port }, atMs) =>
    all.push({ payload: Buffer.from(payload).toString('hex'), from: `${address}|${port}`, atMs }),
  );
  return all;
};

describe('a datagram ring', () => {
  it('gives back every datagram as it came, in order, whatever address it came from', () => {
    const datagram = fc.record({
      payload: fc.uint8Array({ maxLength: PAYLOAD_BYTES_MAX, size: 'max' }),
      address: fc.oneof(
        fc.ipV4(),
        fc.constantFrom(
          '::1',
          'fe80::a1b2:c3d4:e5f6:7890%a-long-name-15c',
          '2001:db8::7',
          '0.0.0.0',
          '255.255.255.255',
        ),
      ),
      port: fc.integer({ min: 0, max: 65_535 }),
      atMs: fc.double({ min: 0, max: 1e12, noNaN: true }),
    });
    const ring = DatagramRing.create(8);
    const seen = exercised();
    fc.assert(
      fc.property(fc.array(datagram, { maxLength: 8, size: 'max' }), (datagrams) => {
        seen.note('datagrams', datagrams.length);
        seen.note('full', datagrams.length === 8 ? 1 : 0);
        seen.note('large', datagrams.filter(({ payload }) => payload.length > 100).length);
        for (const { payload, address, port, atMs } of datagrams)
          expect(ring.push(payload, { address, port }, atMs)).toBeGreaterThanOrEqual(0);
        expect(taken(ring)).toEqual(
          datagrams.map(({ payload, address, port, atMs }) => ({
            payload: Buffer.from(payload).toString('hex'),
            from: `${address}|${port}`,
            atMs,
          })),
        );
      }),
      { numRuns: 300 },
    );
    // So the ring went round more than a hundred times, also full.
    seen.atLeast({ datagrams: 800, full: 4, large: 200 });
  });

  it('refuses what does not fit, counts it, and keeps what it had', () => {
    const ring = DatagramRing.create(4);
    for (let i = 0; i < 7; i++) ring.push(Uint8Array.of(i), FROM, i);
    expect(ring.lostCount).toBe(3);
    expect(ring.pendingCount).toBe(4);
    expect(taken(ring).map(({ payload }) => payload)).toEqual(['00', '01', '02', '03']);
    expect(ring.push(Uint8Array.of(9), FROM, 9)).toBeGreaterThanOrEqual(0);
    expect(taken(ring).map(({ payload }) => payload)).toEqual(['09']);
  });

  it('cuts what is longer than any frame, so that it stays none', () => {
    const ring = DatagramRing.create(1);
    ring.push(new Uint8Array(1_400), FROM, 1);
    expect(taken(ring)[0]?.payload).toHaveLength(PAYLOAD_BYTES_MAX * 2);
  });

  it('asks for one wake-up for each drain, and a drain that has begun sees what was pushed before', () => {
    const ring = DatagramRing.create(8);
    ring.push(Uint8Array.of(1), FROM, 1);
    expect(ring.takeWish()).toBe(false);
    expect(taken(ring)).toHaveLength(1);
    expect(ring.takeWish()).toBe(true);
    expect(ring.takeWish()).toBe(false);
    let pushed = 0;
    ring.push(Uint8Array.of(2), FROM, 2);
    ring.drain(() => {
      // Pushed while the drain runs, perhaps too late for it: the wish stands, so the other side is
      // woken again.
      pushed = ring.push(Uint8Array.of(3), FROM, 3);
    });
    expect(pushed).toBeGreaterThanOrEqual(0);
    expect(ring.takeWish()).toBe(true);
    expect(taken(ring).map(({ payload }) => payload)).toEqual(['03']);
  });

  it('takes only a power of two', () => {
    expect(() => DatagramRing.create(12)).toThrow('power of two');
  });

  it('loses, doubles and tears nothing between two threads', async () => {
    const ring = DatagramRing.create(256);
    const count = 50_000;
    const worker = new Worker(new URL('./ring-pusher.fixtures.ts', import.meta.url), {
      workerData: { memory: ring.memory, count },
    });
    let next = 0;
    let faults = 0;
    const done = new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
    const drain = () =>
      ring.drain((payload, { port }, atMs) => {
        const words = new Uint32Array(payload.slice().buffer);
        if (atMs !== next || port !== (next & 0xff_ff) || words.some((word) => word !== next)) faults++;
        next++;
      });
    const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
    while (next < count && faults === 0) {
      drain();
      await turn();
    }
    await done;
    expect({ next, faults }).toEqual({ next: count, faults: 0 });
    expect(ring.lostCount).toBeGreaterThan(0);
  });
});
