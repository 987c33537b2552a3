import { SeededRandom, SimClock, SimDatagramNetwork } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { DatagramRing } from '../datagram-ring.ts';
import { SEND_STATE } from '../send-queue.ts';
import { Receiving } from './receiving.ts';

const HERE = { address: '10.0.0.1', port: 7946 };
const THERE = { address: '10.0.0.7', port: 7000 };

/** The thread's work without a thread: the clock is driven. */
function setUp() {
  const clock = new SimClock();
  const network = new SimDatagramNetwork({ clock, random: new SeededRandom(1) });
  const received = DatagramRing.create(2_048);
  const sends = DatagramRing.create(8);
  const listened = new BigInt64Array(1);
  const refusals: unknown[] = [];
  const turns: (() => void)[] = [];
  let wakes = 0;
  let rests = 0;
  const receiving = new Receiving({
    socket: network.open(HERE.address, HERE.port),
    clock,
    received,
    sends,
    listened,
    listenEveryMs: 100,
    wakeMain: () => wakes++,
    afterTurn: (then) => void turns.push(then),
    rest: () => rests++,
    onSendRefused: (error) => refusals.push(error),
  });
  const far = network.open(THERE.address, THERE.port);
  const drained = () => {
    const atMs: number[] = [];
    received.drain((_payload, _from, heardAtMs) => void atMs.push(heardAtMs));
    return atMs;
  };
  /** Ends the turn that read; how often the thread rested until now. */
  const endTurn = () => {
    turns.shift()?.();
    return rests;
  };
  return { clock, received, sends, listened, refusals, receiving, far, drained, wakes: () => wakes, turns, endTurn };
}

describe('a receive thread', () => {
  it('notes when each datagram came, however late it is taken, and wakes the main thread once', async () => {
    const { clock, receiving, far, drained, wakes, endTurn } = setUp();
    receiving.start();
    drained();
    await far.send(Uint8Array.of(1), HERE);
    await clock.advance(3);
    endTurn();
    await far.send(Uint8Array.of(2), HERE);
    await clock.advance(1);
    endTurn();
    expect(wakes()).toBe(0);
    await clock.advance(3_600_000);
    expect(wakes()).toBe(1);
    expect(drained()).toEqual([1, 4]);
    await far.send(Uint8Array.of(3), HERE);
    await clock.advance(10);
    expect(wakes()).toBe(2);
    await receiving.stop();
  });

  it('dates what it reads in one turn with the beginning of that turn, and never later than it came', async () => {
    const { clock, receiving, far, drained, endTurn } = setUp();
    receiving.start();
    for (const byte of [1, 2]) {
      await far.send(Uint8Array.of(byte), HERE);
      await clock.advance(1);
    }
    // A pause of an hour within the turn: what came after it proves no more than what came before.
    await clock.advance(3_600_000);
    await far.send(Uint8Array.of(3), HERE);
    await clock.advance(1);
    endTurn();
    await far.send(Uint8Array.of(4), HERE);
    await clock.advance(1);
    expect(drained()).toEqual([1, 1, 1, 3_600_004]);
    await receiving.stop();
  });

  it('wakes the main thread at once when a thousand wait', async () => {
    const { clock, receiving, far, drained, wakes } = setUp();
    receiving.start();
    drained();
    for (let i = 0; i < 1_023; i++) await far.send(Uint8Array.of(1), HERE);
    await clock.advance(1);
    expect(wakes()).toBe(0);
    await far.send(Uint8Array.of(1), HERE);
    await clock.advance(1);
    expect(wakes()).toBe(1);
    await receiving.stop();
  });

  it('rests after a turn that read all there was, once, and not after a full one', async () => {
    const { clock, receiving, far, turns, endTurn } = setUp();
    receiving.start();
    const turn = async (count: number) => {
      for (let i = 0; i < count; i++) await far.send(Uint8Array.of(1), HERE);
      await clock.advance(1);
      expect(turns).toHaveLength(1);
      return endTurn();
    };
    expect([await turn(1), await turn(31), await turn(32), await turn(1)]).toEqual([1, 2, 2, 3]);
    await far.send(Uint8Array.of(1), HERE);
    await clock.advance(1);
    await receiving.stop();
    expect(endTurn()).toBe(3);
  });

  it('shows that it listens every 100 ms, and no longer once it has stopped', async () => {
    const { clock, receiving, listened } = setUp();
    receiving.start();
    await clock.advance(1_050);
    expect(listened[0]).toBe(1_000_000n);
    await receiving.stop();
    await clock.advance(10_000);
    expect(listened[0]).toBe(1_000_000n);
    expect(clock.pendingCount).toBe(0);
  });

  it('sends what is fresh and says so; what waited more than a second is not sent', async () => {
    const { clock, receiving, sends, far, wakes, drained } = setUp();
    const heard: number[] = [];
    far.onMessage((payload) => void heard.push(payload[0] ?? -1));
    receiving.start();
    drained();
    const old = sends.push(Uint8Array.of(1), THERE, 0, SEND_STATE.underWay);
    await clock.advance(1_001);
    const fresh = sends.push(Uint8Array.of(2), THERE, 1_000, SEND_STATE.underWay);
    receiving.send();
    await clock.advance(10);
    expect([sends.places.state(old), sends.places.state(fresh)]).toEqual([SEND_STATE.tooLate, SEND_STATE.sent]);
    expect(heard).toEqual([2]);
    expect(wakes()).toBe(1);
    await receiving.stop();
  });

  it('says what could not be sent', async () => {
    const { clock, receiving, sends, refusals } = setUp();
    receiving.start();
    await receiving.stop();
    const place = sends.push(Uint8Array.of(1), THERE, 0, SEND_STATE.underWay);
    receiving.send();
    await clock.advance(0);
    expect(sends.places.state(place)).toBe(SEND_STATE.refused);
    expect(refusals).toHaveLength(1);
  });
});
