import { instanceHashOf, type MemberId } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { TWO_AGENTS_FOR_MS } from './contests.ts';
import { at, FROM, observer, run, WireAgent, watched } from './observe.fixtures.ts';

const M = 'db/m1' as MemberId;
const I = 'i-db-m1';
const OWN = [FROM.address];

function hearing(...instanceIds: readonly string[]) {
  const { table } = observer([watched(M)]);
  const agents = instanceIds.map((instanceId) => new WireAgent(M, instanceId));
  for (const agent of agents) agent.greet(table, 0);
  return { table, agents };
}

describe('nothing is odd', () => {
  it('about the activated instance at its own address, however it is written', () => {
    const { table, agents } = hearing(I);
    expect(table.unexpected(M, OWN, at(1_000))).toEqual([]);
    const mapped = { address: `::ffff:${FROM.address}`, port: 7 };
    expect(table.receive(agents[0]?.beat() ?? new Uint8Array(), mapped, at(1_000)).outcome).toBe('recorded');
    expect(table.unexpected(M, OWN, at(1_000))).toEqual([]);
  });
  it('where nobody knows the address, or the agent is on our own host', () => {
    const { table, agents } = hearing(I);
    expect(table.unexpected(M, [], at(1_000))).toEqual([]);
    for (const address of ['127.0.0.1', '::1']) {
      table.receive(agents[0]?.beat() ?? new Uint8Array(), { address, port: 7 }, at(1_000));
      expect(table.unexpected(M, ['10.0.0.1'], at(1_000))).toEqual([]);
    }
  });
  it('while nobody is activated, or about somebody we do not watch', () => {
    const { table } = observer([watched(M, { activatedInstanceId: null })]);
    new WireAgent(M, I).greet(table, 0);
    expect(table.unexpected(M, [], at(1_000))).toEqual([]);
    expect(table.unexpected('db/m2', [], at(1_000))).toEqual([]);
  });
});

describe('heartbeats of another instance', () => {
  const other = {
    kind: 'other-instance',
    instanceHash: instanceHashOf('i-other'),
    activatedInstanceId: I,
    address: FROM.address,
  };
  it('are named with where they come from, also while the activated one is silent', () => {
    expect(hearing(I, 'i-other').table.unexpected(M, OWN, at(1_000))).toEqual([other]);
    expect(hearing('i-other').table.unexpected(M, OWN, at(1_000))).toEqual([other]);
  });
  it('no longer than it would take to suspect it', () => {
    const { table, agents } = hearing(I, 'i-other');
    agents[1]?.send(table, 2_000);
    expect(table.unexpected(M, OWN, at(6_999))).toEqual([other]);
    expect(table.unexpected(M, OWN, at(7_000))).toEqual([]);
  });
  it('are not named for recordings, which answer no challenge', () => {
    const { table } = hearing(I);
    table.receive(new WireAgent(M, 'i-other').beat(), FROM, at(500));
    expect(table.unexpected(M, OWN, at(1_000))).toEqual([]);
  });
  it('are a few at most, whoever invents instances with a stolen key', () => {
    const { table } = hearing(I, ...Array.from({ length: 200 }, (_, index) => `i-${index}`));
    expect(table.unexpected(M, OWN, at(1_000))).toHaveLength(4);
  });
});

it('another address than EC2 says is named', () => {
  const { table } = hearing(I);
  expect(table.unexpected(M, ['10.0.0.1', '10.0.0.2'], at(1_000))).toEqual([
    { kind: 'other-address', instanceId: I, address: FROM.address },
  ]);
});

describe('a boot epoch that went back', () => {
  function wentBack() {
    const { table } = observer([watched(M)]);
    const before = new WireAgent(M, I);
    before.epoch = 200n;
    before.greet(table, 0);
    const after = new WireAgent(M, I);
    after.epoch = 100n;
    after.send(table, 1_000);
    return { table, before, after };
  }
  const older = { kind: 'older-epoch', instanceId: I, epoch: 100n, newestEpoch: 200n };

  it('is not proven by a datagram, and is by an answer to our challenge', () => {
    const { table, after } = wentBack();
    expect(table.unexpected(M, OWN, at(1_100))).toEqual([{ ...older, proven: false }]);
    expect(after.send(table, 2_000).outcome).toBe('rival');
    expect(table.unexpected(M, OWN, at(2_100))).toEqual([{ ...older, proven: true }]);
  });
  it('goes half a minute after the agent took a greater one', () => {
    const { table, after } = wentBack();
    after.epoch = 201n;
    expect(after.send(table, 2_000).outcome).toBe('recorded');
    expect(table.unexpected(M, OWN, at(2_100))).toEqual([{ ...older, proven: true }]);
    run(table, 2_000, 2_000 + TWO_AGENTS_FOR_MS);
    after.send(table, 2_000 + TWO_AGENTS_FOR_MS);
    expect(table.unexpected(M, OWN, at(2_000 + TWO_AGENTS_FOR_MS))).toEqual([]);
  });
  it('is two agents, and said to be that, once both speak', () => {
    const { table, before, after } = wentBack();
    before.send(table, 1_500);
    after.send(table, 2_000);
    run(table, 2_000, 2_500);
    expect(table.opinion(M)?.reason).toBe('TwoAgents');
    expect(table.unexpected(M, OWN, at(2_500))).toEqual([]);
  });
});
