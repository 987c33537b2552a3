import { describe, expect, it } from 'vitest';
import { at, FROM, observer, watched, WireAgent } from './observe.fixtures.ts';

const MEMBER = 'prod/db';
const ID = 'i-prod-db';

/** The challenge an observer gives this agent first. */
function challengeOf(nonce: number, agent = new WireAgent(MEMBER, ID)): string {
  const { table } = observer([watched(MEMBER)], {}, nonce);
  const { ack } = table.receive(agent.beat(), FROM, at(0));
  if (!ack) throw new Error('no ack');
  return agent.hear(ack).challenge;
}

describe('the challenge', () => {
  it('is another one after a restart, for the same agent, instance and row', () => {
    const challenges = [1, 2, 3, 4, 5, 6, 7, 8].map((nonce) => challengeOf(nonce));
    expect(new Set(challenges).size).toBe(8);
  });

  it('makes a recording of before the restart worthless: it is answered, and says nothing about life', () => {
    const before = observer([watched(MEMBER)], {}, 1);
    const agent = new WireAgent(MEMBER, ID);
    agent.greet(before.table, 0);
    const recordings = [1, 2, 3].map(() => agent.beat());
    expect(before.table.reading(MEMBER, ID, at(0))).not.toBeNull();
    const after = observer([watched(MEMBER)], {}, 2, 100_000);
    const outcomes = recordings.map((one) => after.table.receive(one, FROM, at(100_000)).outcome);
    expect(outcomes).toEqual(['unconfirmed', 'unconfirmed', 'unconfirmed']);
    expect(after.table.reading(MEMBER, ID, at(100_000))).toBeNull();
    expect(agent.send(after.table, 105_000).outcome).toBe('unconfirmed');
    expect(agent.send(after.table, 106_000).outcome).toBe('recorded');
  });

  it('is echoed as a whole or not at all', () => {
    const { table } = observer([watched(MEMBER)]);
    const agent = new WireAgent(MEMBER, ID);
    agent.greet(table, 0);
    const { challenge } = agent;
    const zero = '00000000';
    for (const half of [`${challenge.slice(0, 8)}${zero}`, `${zero}${challenge.slice(8)}`]) {
      expect(half).not.toBe(challenge);
      agent.challenge = half;
      expect(table.receive(agent.beat(), FROM, at(1_000)).outcome).toBe('unconfirmed');
    }
  });

  it('of a row that was given up and made anew is another one: recordings of before prove nothing', () => {
    const { table } = observer([watched(MEMBER)]);
    const agent = new WireAgent(MEMBER, 'i-guest');
    agent.greet(table, 0);
    const recorded = agent.beat();
    for (let i = 0; i < 6; i++) new WireAgent(MEMBER, `i-${i}`).greet(table, 1_000 + i);
    expect(table.reading(MEMBER, 'i-guest')).toBeNull();
    expect(table.receive(recorded, FROM, at(2_000)).outcome).toBe('unconfirmed');
    expect(table.reading(MEMBER, 'i-guest')).toBeNull();
  });

  it('differs by member and by instance', () => {
    const { table } = observer([watched(MEMBER), watched('prod/web')], {}, 1);
    const agents = [new WireAgent(MEMBER, ID), new WireAgent(MEMBER, 'i-other'), new WireAgent('prod/web', ID)];
    const challenges = agents.map((agent) => {
      const { ack } = table.receive(agent.beat(), FROM, at(0));
      return ack ? agent.hear(ack).challenge : null;
    });
    expect(new Set(challenges).size).toBe(3);
  });
});
