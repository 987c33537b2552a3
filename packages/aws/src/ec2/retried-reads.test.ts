import { monotonicMs } from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { describe, expect, test } from 'vitest';
import { earned, READ_RETRIES, retriedReads } from './retried-reads.ts';
import type { Ec2Transport } from '../transport/transport.ts';

const failure = (name: string, httpStatusCode: number | null): Error =>
  Object.assign(new Error('because'), {
    name,
    ...(httpStatusCode === null
      ? {}
      : { $fault: httpStatusCode < 500 ? 'client' : 'server', $metadata: { httpStatusCode } }),
  });
const unavailable = () => failure('ServiceUnavailable', 503);

/** A transport whose calls end as `outcome` says. It counts them. */
function counted(outcome: (call: number) => Error | null, tookMs = 0) {
  const clock = new SimClock();
  const sent = { count: 0 };
  const inner: Ec2Transport = async () => {
    sent.count += 1;
    const error = outcome(sent.count);
    if (tookMs > 0) await clock.sleep(tookMs);
    if (error) throw error;
    return { Reservations: [] };
  };
  const send = retriedReads(inner, { clock, random: new SeededRandom(1) });
  const read = (signal?: AbortSignal) =>
    clock.runUntilSettled(
      send('DescribeInstances', {}, { mutating: false, repeat: true, ...(signal ? { signal } : {}) }),
    );
  return { clock, sent, send, read };
}

describe('a single read', () => {
  test('is sent again after a failure that passes, and its answer is the answer', async () => {
    const { sent, read } = counted((call) => (call < 4 ? unavailable() : null));
    expect(await read()).toEqual({ Reservations: [] });
    expect(sent.count).toBe(4);
  });
  test.each([
    ['a throttle', () => failure('RequestLimitExceeded', 503)],
    ['an unknown fault of the server', () => failure('SomethingNew', 500)],
    ['no answer', () => failure('TimeoutError', null)],
  ])('%s passes', async (_name, error) => {
    const { sent, read } = counted((call) => (call === 1 ? error() : null));
    await read();
    expect(sent.count).toBe(2);
  });
  test('five times at most, with the last error, within two seconds', async () => {
    const { clock, sent, read } = counted(unavailable);
    await expect(read()).rejects.toThrow('because');
    expect(sent.count).toBe(5);
    expect(clock.monotonicMs()).toBeLessThan(2_500);
  });
  test('that took four seconds to fail is not', async () => {
    const { sent, read } = counted(unavailable, 4_000);
    await expect(read()).rejects.toThrow('because');
    expect(sent.count).toBe(1);
  });
  test.each([
    ['refused', () => failure('InvalidParameterValue', 400)],
    ['denied', () => failure('UnauthorizedOperation', 403)],
    ['not found', () => failure('InvalidInstanceID.NotFound', 400)],
  ])('that was %s is not', async (_name, error) => {
    const { sent, read } = counted(error);
    await expect(read()).rejects.toThrow('because');
    expect(sent.count).toBe(1);
  });
  test('that is not to be repeated is sent once; the next page of a listing is repeated', async () => {
    const { clock, sent, send } = counted(unavailable);
    await expect(send('DescribeInstances', {}, { mutating: false })).rejects.toThrow('because');
    expect(sent.count).toBe(1);
    const page = send('DescribeInstances', { NextToken: '2' }, { mutating: false });
    await expect(clock.runUntilSettled(page)).rejects.toThrow('because');
    expect(sent.count).toBe(6);
  });
  test('is given up with its signal', async () => {
    const stop = new AbortController();
    const { clock, sent, send } = counted(unavailable);
    const work = send('DescribeInstances', {}, { mutating: false, repeat: true, signal: stop.signal });
    work.catch(() => undefined);
    await clock.advance(10);
    stop.abort(new Error('the term is over'));
    await expect(work).rejects.toThrow('the term is over');
    await clock.advance(10_000);
    expect(sent.count).toBeLessThan(3);
  });
});

test('a mutating call is sent once, whatever becomes of it', async () => {
  const { sent, send } = counted(unavailable);
  await expect(send('RunInstances', {}, { mutating: true, repeat: true })).rejects.toThrow('because');
  await expect(send('RunInstances', {})).rejects.toThrow('because');
  expect(sent.count).toBe(2);
});

describe('a question that stays broken', () => {
  test('is asked once at a time, until it is answered; another one is repeated as ever', async () => {
    const state = { broken: true };
    const { clock, sent, send, read } = counted(() => (state.broken ? unavailable() : null));
    await expect(read()).rejects.toThrow('because');
    expect(sent.count).toBe(5);
    await expect(read()).rejects.toThrow('because');
    await expect(read()).rejects.toThrow('because');
    expect(sent.count).toBe(7);
    const other = send('DescribeInstances', { Filters: [] }, { mutating: false, repeat: true });
    await expect(clock.runUntilSettled(other)).rejects.toThrow('because');
    expect(sent.count).toBe(12);
    state.broken = false;
    await read();
    state.broken = true;
    await expect(read()).rejects.toThrow('because');
    expect(sent.count).toBe(18);
  });
});

describe('all repeats together', () => {
  test('while nothing works: a hundred, then one a second', async () => {
    const { clock, sent, send } = counted(unavailable);
    for (let reads = 0; reads < 200; reads += 1) {
      const work = send('DescribeInstances', { NextToken: String(reads) }, { mutating: false, repeat: true });
      await clock.runUntilSettled(work).catch(() => undefined);
    }
    const elapsedS = clock.monotonicMs() / 1_000;
    expect(sent.count - 200).toBeGreaterThanOrEqual(100);
    expect(sent.count - 200).toBeLessThanOrEqual(101 + elapsedS);
  });
  test('with half of all calls failing the budget holds out', async () => {
    const random = new SeededRandom(5);
    const { read } = counted(() => (random.next() < 0.5 ? unavailable() : null));
    let failed = 0;
    for (let reads = 0; reads < 2_000; reads += 1) await read().catch(() => (failed += 1));
    // One in 32 still fails after five sendings. Each is followed by one that is sent once, until
    // it works.
    expect(failed).toBeGreaterThan(20);
    expect(failed).toBeLessThan(200);
  });
});

test('a read that works earns two repeats, up to the burst', () => {
  const now = monotonicMs(1_000);
  expect(earned({ tokens: 3, atMs: now }, now)).toEqual({ tokens: 5, atMs: now });
  expect(earned({ tokens: READ_RETRIES.burst - 1, atMs: now }, now).tokens).toBe(READ_RETRIES.burst);
});
