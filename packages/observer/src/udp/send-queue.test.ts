import { monotonicMs } from '@understudy/shared';
import { expect, it } from 'vitest';
import { DatagramRing } from './datagram-ring.ts';
import { SEND_STATE, SendQueue } from './send-queue.ts';

const TO = { address: '10.0.0.7', port: 7000 };

/** The other thread's end: takes places in order, and says what became of each when told. */
function setUp(capacity = 4) {
  const ring = DatagramRing.create(capacity);
  const queue = new SendQueue(ring);
  const places: number[] = [];
  const outcomes: string[] = [];
  const put = (byte: number) =>
    queue.put(Uint8Array.of(byte), TO, monotonicMs(0)).then(
      () => void outcomes.push(`${byte} sent`),
      (error: Error) => void outcomes.push(`${byte} ${error.message}`),
    );
  const take = () => ring.drain((_payload, _to, _atMs, place) => void places.push(place));
  const settle = async (place: number | undefined, state: number) => {
    ring.places.setState(place ?? -1, state);
    queue.settle();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { queue, places, outcomes, put, take, settle };
}

it('a send is settled only when its thread says what became of it', async () => {
  const { queue, places, outcomes, put, take, settle } = setUp();
  for (const byte of [0, 1, 2]) void put(byte);
  take();
  queue.settle();
  await Promise.resolve();
  expect(outcomes).toEqual([]);
  await settle(places[1], SEND_STATE.refused);
  expect(outcomes).toEqual([]);
  await settle(places[0], SEND_STATE.sent);
  expect(outcomes).toEqual(['0 sent', '1 the receive thread could not send it']);
  await settle(places[2], SEND_STATE.tooLate);
  expect(outcomes.at(-1)).toBe('2 it waited too long for the receive thread');
  expect(queue.underWayCount).toBe(0);
});

it('no place is used again while what became of it is unknown, also after the thread has taken it', async () => {
  const { queue, places, outcomes, put, take, settle } = setUp(2);
  void put(0);
  void put(1);
  take();
  await put(2);
  expect(outcomes).toEqual(['2 2 datagrams wait to be sent already']);
  await settle(places[0], SEND_STATE.sent);
  void put(3);
  take();
  expect(places).toEqual([0, 1, 0]);
  await settle(places[1], SEND_STATE.sent);
  expect(outcomes.slice(1)).toEqual(['0 sent', '1 sent']);
  expect(queue.underWayCount).toBe(1);
});

it('of a thread that has ended nothing counts as sent', async () => {
  const { queue, outcomes, put } = setUp();
  const all = [put(0), put(1)];
  queue.abandon();
  await Promise.all(all);
  expect(outcomes).toEqual(['0 the socket is closed', '1 the socket is closed']);
});
