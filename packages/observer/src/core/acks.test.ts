import { describe, expect, it } from 'vitest';
import { ANSWER, at, FROM, observer, watched, WireAgent } from './observe.fixtures.ts';

const M = 'db/a' as const;
const I = 'i-db-a';

function greeted(settings = {}) {
  const made = observer([watched(M)], settings);
  const agent = new WireAgent(M, I);
  agent.greet(made.table, 0);
  agent.send(made.table, 1_000, { ackRequested: true });
  /** Is a heartbeat of this moment answered? */
  const acked = (ms: number, flags = {}) => agent.send(made.table, ms, flags).ack !== null;
  return { made, table: made.table, agent, acked };
}

describe('an ack', () => {
  it('is due with every fifth heartbeat, and not within a second of the last one', () => {
    const { acked } = greeted();
    expect([1_100, 1_200, 1_300, 1_400, 1_500, 1_999, 2_000].map((ms) => acked(ms))).toEqual([
      ...Array(6).fill(false),
      true,
    ]);
    expect([3_000, 4_000, 5_000, 6_000, 7_000].map((ms) => acked(ms))).toEqual([...Array(4).fill(false), true]);
  });

  it('is due on request, at once but for a tenth of a second', () => {
    const { acked } = greeted();
    expect([acked(1_099, { ackRequested: true }), acked(1_100, { ackRequested: true })]).toEqual([false, true]);
  });

  it.each([
    ['another activation', { activation: 'standby' as const }],
    ['another incarnation', { incarnation: 2 }],
  ])('is due when the answer is %s, once', (_, change) => {
    const { made, acked } = greeted();
    expect(acked(2_000)).toBe(false);
    made.answer = { ...made.answer, ...change };
    expect([acked(3_000), acked(4_000)]).toEqual([true, false]);
  });

  it('asks for the interval of the member’s group, and for another one once that changed', () => {
    const { made, agent } = greeted();
    const asked = (ms: number) => {
      const { ack } = agent.send(made.table, ms, { ackRequested: true });
      return ack && agent.hear(ack).heartbeatIntervalMs;
    };
    expect(asked(2_000)).toBe(1_000);
    made.table.setRoster([watched(M, { heartbeatIntervalMs: 250 })], at(2_500));
    expect(asked(3_000)).toBe(250);
  });

  it('is not due because a promise about the future moved on', () => {
    const { made, acked } = greeted();
    made.answer = { ...made.answer, holdsForMs: 1, term: 6 };
    expect(acked(2_000)).toBe(false);
  });

  it('is due as long as the agent does not know our challenge', () => {
    const { agent, acked } = greeted();
    for (const ms of [2_000, 3_000]) {
      agent.challenge = '00'.repeat(8);
      expect(acked(ms)).toBe(true);
    }
  });

  it('says what is thought of the instance it goes to, not of the member', () => {
    const { table, agent } = greeted();
    const other = new WireAgent(M, 'i-other');
    other.greet(table, 2_000);
    const heard = (one: WireAgent) => {
      const { ack } = one.send(table, 3_000, { ackRequested: true });
      return ack && one.hear(ack);
    };
    expect(heard(other)).toMatchObject({ opinion: 'unknown', contested: false, newestEpoch: null });
    expect(heard(agent)).toMatchObject({ opinion: 'alive', contested: false, newestEpoch: null });
  });

  it('is given for the promise of the very heartbeat', () => {
    const { made, agent } = greeted();
    expect(made.promise).toBeNull();
    agent.promise = { stopWithinSeconds: 7, watchdog: true };
    agent.send(made.table, 2_000);
    expect(made.promise).toEqual(agent.promise);
  });
});

describe('what an overtaken agent is told', () => {
  const told = (answer: Partial<typeof ANSWER>) => {
    const { made, table, agent } = greeted();
    const newer = new WireAgent(M, I);
    newer.epoch = (5n << 32n) | 6n;
    newer.greet(table, 1_500);
    made.answer = { ...made.answer, ...answer };
    const { ack } = table.receive(agent.beat(), FROM, at(2_000));
    if (!ack) throw new Error('want an ack');
    return { ack: agent.hear(ack), table, agent, newer };
  };

  it('never that it may serve: not when it is activated, and of no incarnation', () => {
    expect(told({ activation: 'active', incarnation: 4 }).ack).toMatchObject({
      activation: 'unknown',
      incarnation: 0,
      holdsForMs: 0,
      leaderLive: false,
    });
  });

  it.each(['fenced', 'standby'] as const)('that it is %s, and since which incarnation', (activation) => {
    expect(told({ activation, incarnation: 4 }).ack).toMatchObject({ activation, incarnation: 4, holdsForMs: 0 });
  });

  it('the newest epoch, what is thought of its instance, and whether both are known to speak', () => {
    const { ack, table, agent, newer } = told({});
    expect(ack).toMatchObject({ newestEpoch: (5n << 32n) | 6n, opinion: 'alive', contested: false });
    newer.send(table, 2_500);
    const again = agent.send(table, 3_500).ack;
    expect(again && agent.hear(again)).toMatchObject({ contested: true });
    const toNewer = newer.send(table, 4_000, { ackRequested: true }).ack;
    expect(toNewer && newer.hear(toNewer)).toMatchObject({ contested: true, newestEpoch: null });
  });

  it('of an instance that is not activated: nothing is thought of it', () => {
    const { table } = greeted();
    const old = new WireAgent(M, 'i-other');
    old.greet(table, 1_000);
    const newer = new WireAgent(M, 'i-other');
    newer.epoch = 2n;
    newer.greet(table, 1_500);
    const { ack } = old.send(table, 2_000);
    expect(ack && old.hear(ack)).toMatchObject({ opinion: 'unknown', newestEpoch: 2n });
  });
});
