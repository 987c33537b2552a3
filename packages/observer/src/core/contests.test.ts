import { decodeAck, type MemberId, ServiceProbeSchema } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { TWO_AGENTS_FOR_MS } from './contests.ts';
import { at, FROM, observer, run, WireAgent, watched } from './observe.fixtures.ts';
import type { ObserverTable } from './observer-table.ts';

const M = 'db/m1' as MemberId;
const I = 'i-db-m1';

/** The service's agent, heard for a while, and one that was started by hand beside it. */
function twoAgents() {
  const { table } = observer([watched(M)], { warmUpMs: 0 });
  const service = new WireAgent(M, I);
  service.epoch = 100n;
  service.greet(table, 0);
  const byHand = new WireAgent(M, I);
  byHand.epoch = 200n;
  return { table, service, byHand };
}

function beat(table: ObserverTable, agents: readonly WireAgent[], fromMs: number, toMs: number): void {
  for (let ms = fromMs; ms < toMs; ms += 1_000) {
    for (const agent of agents) agent.send(table, ms);
    run(table, ms, ms + 1_000);
  }
}

describe('a second agent with a newer boot epoch', () => {
  it('whoever it overtook is told so: the newest epoch, a challenge of its own, and not that it may serve', () => {
    const { table, service, byHand } = twoAgents();
    byHand.greet(table, 1_000);
    const known = service.challenge;
    const { outcome, ack } = service.send(table, 2_000);
    expect(outcome).toBe('stale');
    expect(decodeAck(ack ?? new Uint8Array())).toMatchObject({
      newestEpoch: 200n,
      activation: 'unknown',
      holdsForMs: 0,
      leaderLive: false,
      bootEpoch: 100n,
    });
    expect(service.challenge).not.toBe(known);
    expect(table.counts).toMatchObject({ stale: 1, rival: 0 });
  });

  it('both speak: the member is alive and said to have two agents, as long as they do and half a minute more', () => {
    const { table, service, byHand } = twoAgents();
    byHand.greet(table, 1_000);
    beat(table, [service, byHand], 2_000, 8_000);
    expect(table.opinion(M)).toMatchObject({ verdict: 'alive', reason: 'TwoAgents' });
    beat(table, [byHand], 8_000, 8_000 + TWO_AGENTS_FOR_MS);
    expect(table.opinion(M)).toMatchObject({ verdict: 'alive', reason: 'Heard' });
  });

  it('both fall silent: that is silence, whoever spoke before', () => {
    const { table, service, byHand } = twoAgents();
    byHand.greet(table, 1_000);
    beat(table, [service, byHand], 2_000, 8_000);
    run(table, 8_000, 13_500);
    expect(table.opinion(M)).toMatchObject({ verdict: 'suspect', reason: 'Silent' });
  });

  it('it ends after six seconds, and the one it overtook goes on unheard of that: never suspect', () => {
    const { table, service, byHand } = twoAgents();
    byHand.greet(table, 1_000);
    beat(table, [service, byHand], 2_000, 7_000);
    byHand.send(table, 7_000, { goodbye: true });
    for (let ms = 8_000; ms < 120_000; ms += 1_000) {
      beat(table, [service], ms, ms + 1_000);
      expect(table.opinion(M)?.verdict, `at ${ms}`).toBe('alive');
    }
  });

  it('both take a greater epoch as soon as they are told: said to be two all the same', () => {
    const { table, service, byHand } = twoAgents();
    byHand.greet(table, 1_000);
    service.send(table, 2_000);
    service.epoch = 201n;
    service.send(table, 2_050);
    expect(table.opinion(M)?.reason).toBe('Heard');
    byHand.send(table, 2_300);
    byHand.epoch = 202n;
    expect(byHand.send(table, 2_350).outcome).toBe('recorded');
    expect(table.opinion(M)).toMatchObject({ verdict: 'alive', reason: 'TwoAgents' });
  });

  it('an epoch that differs from theirs in its upper half only is another one', () => {
    const { table, service, byHand } = twoAgents();
    byHand.greet(table, 1_000);
    service.send(table, 2_000);
    service.epoch = (1n << 32n) | 200n;
    service.send(table, 2_050);
    byHand.send(table, 2_300);
    expect(table.opinion(M)?.reason).toBe('Heard');
    byHand.epoch = (2n << 32n) | 200n;
    expect(byHand.send(table, 2_350).outcome).toBe('recorded');
    expect(table.opinion(M)).toMatchObject({ verdict: 'alive', reason: 'TwoAgents' });
  });

  it('whoever takes a greater epoch is heard at once, and the other one is told', () => {
    const { table, service, byHand } = twoAgents();
    byHand.greet(table, 1_000);
    service.send(table, 2_000);
    service.epoch = 201n;
    expect(service.send(table, 2_200).outcome).toBe('recorded');
    expect(byHand.send(table, 2_300).outcome).toBe('stale');
    expect(byHand.send(table, 3_300).outcome).toBe('rival');
  });
});

describe('what an attacker can do with recordings', () => {
  it('recordings of an older epoch prove nothing: a dead member stays dead', () => {
    const { table, service, byHand } = twoAgents();
    const recorded = Array.from({ length: 40 }, () => service.beat());
    byHand.greet(table, 1_000);
    run(table, 1_000, 2_000);
    recorded.forEach((bytes, index) => {
      const result = table.receive(bytes, FROM, at(2_000 + index * 500));
      expect(result.outcome).toBe('stale');
      run(table, 2_000 + index * 500, 2_500 + index * 500);
    });
    expect(table.opinion(M)?.verdict).toBe('dead');
  });

  it('nor do those of the contest itself, repeated then or in a later one', () => {
    const { table, service, byHand } = twoAgents();
    byHand.greet(table, 1_000);
    service.send(table, 2_000);
    const echo = service.beat();
    expect(table.receive(echo, FROM, at(3_000)).outcome).toBe('rival');
    expect(table.receive(echo, FROM, at(3_500)).outcome).toBe('stale');
    run(table, 3_500, 3_500 + TWO_AGENTS_FOR_MS + 1_000);
    expect(table.receive(echo, FROM, at(40_000)).outcome).toBe('stale');
    expect(table.opinion(M)?.lastHeardMs).toBe(3_000);
  });

  it('they do not use up the answers of one who lives, and get one in a second themselves', () => {
    const { table, service, byHand } = twoAgents();
    const recorded = Array.from({ length: 60 }, () => service.beat());
    byHand.greet(table, 1_000);
    service.send(table, 2_000);
    let answers = 0;
    recorded.forEach((bytes, index) => {
      if (table.receive(bytes, FROM, at(2_010 + index * 15)).ack !== null) answers++;
    });
    expect(answers).toBe(1);
    expect(service.send(table, 3_000).ack).not.toBeNull();
  });

  it('what they provoke makes no second agent of one: nobody echoes it', () => {
    const { table, service } = twoAgents();
    const recorded = service.beat();
    service.epoch = 101n;
    service.sequence = 0n;
    service.send(table, 1_000);
    table.receive(recorded, FROM, at(1_500));
    beat(table, [service], 2_000, 10_000);
    expect(table.opinion(M)).toMatchObject({ verdict: 'alive', reason: 'Heard' });
  });
});

it('recordings with the newest epoch, of before a restart of the observer, make no second agent', () => {
  const { table, service, byHand } = twoAgents();
  expect(byHand.send(table, 1_000).outcome).toBe('unconfirmed');
  const recorded = new WireAgent(M, I);
  Object.assign(recorded, { epoch: 200n, sequence: 50n });
  service.send(table, 2_000);
  expect(service.send(table, 3_000).outcome).toBe('rival');
  expect(table.receive(recorded.beat(), FROM, at(3_500)).outcome).toBe('unconfirmed');
  expect(service.send(table, 4_000).outcome).toBe('rival');
  expect(table.opinion(M)).toMatchObject({ verdict: 'alive', reason: 'Heard' });
});

it('one agent whose clock and state went back is told, goes on with a greater epoch, and is not called two', () => {
  const { table, service } = twoAgents();
  service.epoch = 50n;
  expect(service.send(table, 2_000).outcome).toBe('stale');
  service.epoch = 101n;
  expect(service.send(table, 2_300).outcome).toBe('recorded');
  beat(table, [service], 3_000, 8_000);
  expect(table.opinion(M)).toMatchObject({ verdict: 'alive', reason: 'Heard' });
});

it('one that goes on with the epoch it took, while a recording of the one before is repeated, is not called two', () => {
  const { table, service } = twoAgents();
  const recorded = service.beat();
  service.epoch = 50n;
  expect(service.send(table, 2_000).outcome).toBe('stale');
  service.epoch = 101n;
  // Its acks are lost: it echoes what it was told when it was stale.
  expect(table.receive(service.beat(), FROM, at(2_300)).outcome).toBe('recorded');
  expect(table.receive(recorded, FROM, at(2_400)).outcome).toBe('stale');
  expect(table.receive(service.beat(), FROM, at(3_300)).outcome).toBe('recorded');
  expect(table.opinion(M)).toMatchObject({ verdict: 'alive', reason: 'Heard' });
});

it('one that was heard only as the overtaken one has no address: it is not probed', () => {
  const probe = ServiceProbeSchema.parse({ kind: 'tcp', port: 5_432 });
  const { table } = observer([watched(M, { serviceProbes: [probe] })]);
  const [newer, older] = [new WireAgent(M, I), new WireAgent(M, I)];
  newer.epoch = 200n;
  expect(newer.send(table, 0).outcome).toBe('unconfirmed');
  expect([older.send(table, 500).outcome, older.send(table, 1_000).outcome]).toEqual(['stale', 'rival']);
  expect(table.opinion(M)).toMatchObject({ verdict: 'alive', lastHeardMs: 1_000 });
  expect(table.unexpected(M, [FROM.address], at(1_000)).map(({ kind }) => kind)).toEqual(['older-epoch']);
  for (let ms = 1_250; ms <= 20_000; ms += 250) {
    table.tick(at(ms));
    expect(table.planProbes(at(ms))).toEqual([]);
    expect(table.planServiceProbes(at(ms), { confirm: 9, watch: 9 })).toEqual([]);
  }
  expect(table.opinion(M)?.verdict).not.toBe('dead');
});

it('a row that is made anew knows nothing of a contest of the one before', () => {
  const { table, service, byHand } = twoAgents();
  byHand.greet(table, 1_000);
  beat(table, [service, byHand], 2_000, 4_000);
  table.setRoster([], at(4_000));
  table.setRoster([watched(M)], at(4_000));
  service.greet(table, 4_500);
  expect(table.opinion(M)).toMatchObject({ verdict: 'alive', reason: 'Heard' });
});
