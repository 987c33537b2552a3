import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../ports/datagram-socket.ts';
import { SeededRandom } from '../seeded-random.ts';
import { SimClock } from './sim-clock.ts';
import { type Condition, SimDatagramNetwork } from './sim-datagram-network.ts';

async function exchange(seed: number, wrong: Omit<Condition, 'from' | 'to'>, count: number) {
  const clock = new SimClock();
  const network = new SimDatagramNetwork({ clock, random: new SeededRandom(seed) });
  network.impose('wrong', { from: {}, to: {}, ...wrong });
  const sender = network.open('10.0.0.1');
  const receiver = network.open('10.0.0.2', 7946);
  const heard: number[] = [];
  receiver.onMessage((payload) => heard.push(payload[0] ?? -1));
  for (let i = 0; i < count; i++) await sender.send(Uint8Array.of(i), { address: '10.0.0.2', port: 7946 });
  await clock.advance(1_000);
  return { clock, network, sender, receiver, heard };
}

describe('SimDatagramNetwork', () => {
  it('delivers after the delay, with the sender named', async () => {
    const clock = new SimClock();
    const network = new SimDatagramNetwork({
      clock,
      random: new SeededRandom(1),
      usualDelayMs: [5, 5],
    });
    const sender = network.open('10.0.0.1');
    const receiver = network.open('10.0.0.2', 7946);
    const heard: Endpoint[] = [];
    receiver.onMessage((_payload, from) => heard.push(from));
    await sender.send(Uint8Array.of(1), { address: '10.0.0.2', port: 7946 });
    await clock.advance(4);
    expect(heard).toEqual([]);
    await clock.advance(1);
    expect(heard).toEqual([{ address: '10.0.0.1', port: sender.localPort }]);
  });

  it('loses and duplicates as told, the same for the same seed', async () => {
    const wrong = { lossRatio: 0.3, duplicateRatio: 0.2, delayMs: [0, 50] as const };
    const first = await exchange(7, wrong, 200);
    const second = await exchange(7, wrong, 200);
    expect(first.heard).toEqual(second.heard);
    expect(first.network.counts.lost).toBeGreaterThan(30);
    expect(first.network.counts.duplicated).toBeGreaterThan(10);
    expect(first.heard.length).toBe(200 - first.network.counts.lost + first.network.counts.duplicated);
    expect(first.heard).not.toEqual(first.heard.toSorted((a, b) => a - b));
    expect(first.network.counts.overtaken).toBeGreaterThan(10);
  });

  it('a cut is one-way and heals', async () => {
    const { clock, network, sender, receiver, heard } = await exchange(1, {}, 0);
    const back: number[] = [];
    sender.onMessage((payload) => back.push(payload[0] ?? -1));
    network.cut('10.0.0.1', '*');
    await sender.send(Uint8Array.of(1), { address: '10.0.0.2', port: 7946 });
    await receiver.send(Uint8Array.of(2), { address: '10.0.0.1', port: sender.localPort });
    await clock.advance(10);
    expect(network.counts.cut).toBe(1);
    expect([heard, back]).toEqual([[], [2]]);
    network.heal('10.0.0.1', '*');
    await sender.send(Uint8Array.of(3), { address: '10.0.0.2', port: 7946 });
    await clock.advance(10);
    expect(heard).toEqual([3]);
  });

  it('keeps its own copy of the payload, and a closed socket hears and sends nothing', async () => {
    const { clock, network, sender, receiver, heard } = await exchange(1, {}, 0);
    const buffer = Uint8Array.of(9);
    await sender.send(buffer, { address: '10.0.0.2', port: 7946 });
    buffer[0] = 0;
    await clock.advance(10);
    expect(heard).toEqual([9]);
    await receiver.close();
    await receiver.close();
    await sender.send(buffer, { address: '10.0.0.2', port: 7946 });
    await clock.advance(10);
    expect(network.counts.unheard).toBe(1);
    await expect(receiver.send(buffer, { address: '10.0.0.1', port: 1 })).rejects.toThrow('closed');
  });

  it('conditions are chosen by role, zone and name, add up, and are lifted one by one', async () => {
    const clock = new SimClock();
    const network = new SimDatagramNetwork({ clock, random: new SeededRandom(1) });
    const one = { name: 'one', role: 'agent', az: 'a', address: '10.0.0.1' } as const;
    const two = { name: 'c1', role: 'coordinator', az: 'b', address: '10.1.0.1' } as const;
    const [sender, receiver] = [network.open(one), network.open(two, 7946)];
    const heardAtMs: number[] = [];
    receiver.onMessage(() => heardAtMs.push(clock.monotonicMs()));
    const send = async () => {
      await sender.send(Uint8Array.of(1), { address: two.address, port: 7946 });
      await clock.advance(100);
    };
    network.impose('slow', { from: { role: 'agent' }, to: { az: 'b' }, delayMs: [20, 20] });
    network.impose('slower', { from: { name: 'one' }, to: {}, delayMs: [30, 30] });
    network.impose('elsewhere', { from: { az: 'c' }, to: {}, cut: true });
    await send();
    network.impose('lost', { from: {}, to: { role: 'coordinator' }, lossRatio: 1 });
    await send();
    expect([network.isCut(one, two), network.isCut(two, one), network.counts.lost]).toEqual([true, false, 1]);
    network.lift('lost');
    network.lift('slower');
    await send();
    expect(heardAtMs).toEqual([31, 221]);
  });

  it('refuses an endpoint that is in use; who has closed gives it back', async () => {
    const network = new SimDatagramNetwork({ clock: new SimClock(), random: new SeededRandom(1) });
    const socket = network.open('10.0.0.1', 7946);
    expect(() => network.open('10.0.0.1', 7946)).toThrow('in use');
    await socket.close();
    expect(network.open('10.0.0.1', 7946).localPort).toBe(7946);
  });
});
