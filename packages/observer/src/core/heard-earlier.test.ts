import type { MemberId } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { at, FROM, observer, run, watched, WireAgent } from './observe.fixtures.ts';

/**
 * Datagrams are read beside the main thread: they wait there, with the moment they came in, until
 * the main thread takes them.
 */
const HOUR = 3_600_000;

function fleet(count: number, settings = {}) {
  const members = Array.from({ length: count }, (_, i) => `db/m${i}` as MemberId);
  const { table } = observer(
    members.map((member) => watched(member)),
    settings,
  );
  const agents = members.map((member) => new WireAgent(member, `i-${member.replace('/', '-')}`));
  for (const agent of agents) agent.greet(table, 0);
  const live = (living: readonly WireAgent[], fromMs: number, untilMs: number) =>
    run(table, fromMs, untilMs, (nowMs) => {
      if (nowMs % 1_000 === 0) for (const agent of living) agent.send(table, nowMs);
    });
  const [first, ...others] = agents;
  if (!first) throw new Error('want at least one agent');
  return { table, agents, first, others, live, verdict: () => table.opinion('db/m0')?.verdict };
}

/** A tick at which this waited to be read. */
const tickWith = (table: ReturnType<typeof fleet>['table'], nowMs: number, hear: () => void) =>
  table.tick(at(nowMs), at(nowMs), hear);

describe('a heartbeat that waited to be read', () => {
  it('counts from when it came in, not from when it was read', () => {
    const { table, first, verdict } = fleet(1);
    run(table, 250, 3_000);
    tickWith(table, 3_250, () => table.receive(first.beat(), FROM, at(1_000), at(3_250)));
    expect(table.opinion('db/m0')?.lastHeardMs).toBe(1_000);
    run(table, 3_500, 5_750);
    expect(verdict()).toBe('alive');
    run(table, 6_000, 6_000);
    expect(verdict()).toBe('suspect');
  });

  it('is heard before its sender is judged, by the tick that would have suspected it', () => {
    const { table, first, verdict } = fleet(1);
    run(table, 250, 4_750);
    let whenHeard: string | undefined;
    tickWith(table, 5_000, () => {
      whenHeard = verdict();
      table.receive(first.beat(), FROM, at(4_990), at(5_000));
    });
    expect([whenHeard, verdict()]).toEqual(['alive', 'alive']);
    expect(table.takeChanges().map((change) => change.verdict)).toEqual(['alive']);
  });

  it('an hour does not make who died meanwhile look alive for longer than a stall of ours does anyway', () => {
    const { table, first, others, live, verdict } = fleet(5);
    live([first, ...others], 250, 10_000);
    const late = 10_000 + HOUR;
    // Main thread paused: what came in its first second waited; the first agent died then, the
    // others go on.
    const stall = tickWith(table, late, () => table.receive(first.beat(), FROM, at(11_000), at(late)));
    expect(stall.stalledMs).toBe(HOUR);
    expect(table.opinion('db/m0')?.lastHeardMs).toBe(11_000);
    expect(table.abstention?.reason).toBe('OwnStall');
    for (const agent of others) agent.send(table, late);
    live(others, late + 250, late + 20_000);
    live(others, late + 20_250, late + 30_000);
    expect(verdict()).toBe('dead');
  });

  it('an hour does not make who lives look silent', () => {
    const { table, agents, live } = fleet(5);
    live(agents, 250, 10_000);
    const late = 10_000 + HOUR;
    tickWith(table, late, () => {
      for (const agent of agents) table.receive(agent.beat(), FROM, at(11_000), at(late));
    });
    const seen = new Set<string>();
    run(table, late + 250, late + 40_000, (nowMs) => {
      if ((nowMs - late) % 1_000 === 0) for (const agent of agents) agent.send(table, nowMs);
      for (const { verdict } of table.opinions()) seen.add(verdict);
    });
    expect([...seen]).toEqual(['alive']);
  });

  it('and is older than the silence we suspect refutes nothing: its sender is not alive because we read slowly', () => {
    const { table, first, others, live, verdict } = fleet(5);
    live(others, 250, 7_000);
    expect(verdict()).toBe('suspect');
    const stuck = first.beat();
    table.receive(stuck, FROM, at(1_500), at(7_100));
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'suspect', lastHeardMs: 1_500 });
    live(others, 7_250, 8_500);
    expect(verdict()).toBe('dead');
    table.receive(first.beat(), FROM, at(8_400), at(8_600));
    expect(verdict()).toBe('alive');
  });

  it('ends a suspicion as of when that began, not of before: since when it is alive never goes back', () => {
    const { table, first } = fleet(1);
    run(table, 250, 5_000);
    table.receive(first.beat(), FROM, at(4_000), at(5_100));
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'alive', sinceMs: 5_000, lastHeardMs: 4_000 });
    run(table, 5_250, 9_000);
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'suspect', sinceMs: 9_000 });
  });

  it('as old as the silence we suspect refutes nothing; a millisecond younger does', () => {
    for (const [heardAtMs, verdict] of [
      [1_000, 'suspect'],
      [1_001, 'alive'],
    ] as const) {
      const { table, first } = fleet(1);
      run(table, 250, 5_500);
      table.receive(first.beat(), FROM, at(heardAtMs), at(6_000));
      expect(table.opinion('db/m0')?.verdict).toBe(verdict);
    }
  });

  it('takes nothing back that came later, when two sockets overtake each other', () => {
    const { table, first, verdict } = fleet(1);
    run(table, 250, 1_000);
    const early = first.beat();
    first.send(table, 4_000);
    expect(table.receive(early, FROM, at(1_100), at(4_010)).outcome).toBe('recorded');
    expect(table.opinion('db/m0')?.lastHeardMs).toBe(4_000);
    run(table, 1_250, 8_750);
    expect(verdict()).toBe('alive');
  });

  it('is acknowledged at the pace of now: a backlog of one agent fetches one ack', () => {
    const { table, first } = fleet(1);
    const acks = Array.from({ length: 20 }, (_, i) =>
      table.receive(first.beat({ ackRequested: true }), FROM, at(1_000 + 1_000 * i), at(30_000)),
    ).filter(({ ack }) => ack !== null);
    expect(acks).toHaveLength(1);
  });

  it('dates the boot it is the first of from when it came in: that is when the stop before it was over', () => {
    const made = observer([watched('db/m0')]);
    const agent = new WireAgent('db/m0', 'i-db-m0');
    agent.greet(made.table, 0);
    agent.epoch = 2n;
    made.table.receive(agent.beat({ ackRequested: true }), FROM, at(5_000), at(9_000));
    expect(made.bootHeardAtMs).toBe(5_000);
  });
});

describe('a receiver that does not listen while the ticks go on', () => {
  const deafTicks = (
    table: ReturnType<typeof fleet>['table'],
    fromMs: number,
    untilMs: number,
    listenedAtMs: number,
  ) => {
    const found = [];
    for (let nowMs = fromMs; nowMs <= untilMs; nowMs += 250) found.push(table.tick(at(nowMs), at(listenedAtMs)));
    return found;
  };

  it.each([1, 2, 5])('of %i agents accuses none, however long it lasts', (count) => {
    const { table, agents, live } = fleet(count);
    live(agents, 250, 10_000);
    const seen = new Set<string>();
    for (let nowMs = 10_250; nowMs <= 10_000 + HOUR / 3; nowMs += 250) {
      const { stalledMs } = table.tick(at(nowMs), at(10_000));
      expect(stalledMs).toBe(0);
      for (const { verdict } of table.takeChanges()) seen.add(verdict);
    }
    expect(table.abstention?.reason).toBe('OwnStall');
    expect([...seen].filter((verdict) => verdict !== 'alive' && verdict !== 'unknown')).toEqual([]);
  });

  it('is a stall as long as it lasted once it listens again: every age is shifted, and nobody accused at once', () => {
    const { table, agents, live } = fleet(3);
    live(agents, 250, 10_000);
    const found = deafTicks(table, 10_250, 70_000, 10_000);
    expect(found.slice(0, 3).map(({ deafMs }) => deafMs)).toEqual([0, 0, 0]);
    expect(found.at(-1)?.deafMs).toBe(60_000);
    expect(table.tick(at(70_250)).stalledMs).toBe(60_250);
    const seen = new Set<string>();
    run(table, 70_500, 110_000, (nowMs) => {
      if (nowMs % 1_000 === 0) for (const agent of agents) agent.send(table, nowMs);
      for (const { verdict } of table.opinions()) seen.add(verdict);
    });
    expect([...seen]).toEqual(['alive']);
    expect(table.abstention).toBeNull();
  });

  it('still finds the one that died meanwhile, later', () => {
    const { table, agents, others, live, verdict } = fleet(3);
    live(agents, 250, 10_000);
    deafTicks(table, 10_250, 70_000, 10_000);
    live(others, 70_250, 100_000);
    expect(verdict()).toBe('dead');
  });

  it('up to three ticks late is none', () => {
    const { table, agents, live } = fleet(1);
    live(agents, 250, 10_000);
    expect(table.tick(at(10_250), at(9_500)).deafMs).toBe(0);
    expect(table.tick(at(10_251), at(9_500)).deafMs).toBe(751);
  });
});
