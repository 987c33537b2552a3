import type { MemberId } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { hearsTooFew } from './local-health.ts';
import { at, observer, run, watched, WireAgent } from './observe.fixtures.ts';

const members = Array.from({ length: 4 }, (_, i) => `db/m${i}` as MemberId);
const fleet = (settings = {}) => {
  const { table } = observer(
    members.map((member) => watched(member)),
    settings,
  );
  const agents = members.map((member) => new WireAgent(member, `i-${member.replace('/', '-')}`));
  return { table, agents };
};

describe('of the agents heard before, those heard now', () => {
  it('are counted from the first confirmed heartbeat on', () => {
    const { table, agents } = fleet();
    agents[0]?.greet(table, 0);
    agents[1]?.send(table, 0);
    expect(table.hearing(at(100))).toEqual({ heardBefore: 1, hearsNow: 1 });
  });

  it('stop counting as heard after the shortest suspicion time of any member', () => {
    const { table, agents } = fleet();
    for (const agent of agents) agent.greet(table, 0);
    expect(table.hearing(at(4_999)).hearsNow).toBe(4);
    expect(table.hearing(at(5_000))).toEqual({ heardBefore: 4, hearsNow: 0 });
    table.setRoster(
      members.map((member, i) => watched(member, { suspectAfterMs: i === 2 ? 2_000 : 9_000 })),
      at(0),
    );
    expect(table.hearing(at(1_999)).hearsNow).toBe(4);
    expect(table.hearing(at(2_000)).hearsNow).toBe(0);
  });

  it('one that speaks seldom is heard for two of its own intervals', () => {
    const { table, agents } = fleet();
    for (const agent of agents) agent.greet(table, 0);
    for (let ms = 4_000; ms <= 40_000; ms += 4_000) agents[0]?.send(table, ms);
    expect(table.hearing(at(47_999)).hearsNow).toBe(1);
    expect(table.hearing(at(48_000)).hearsNow).toBe(0);
  });

  it('deaths that have lasted long, and members that are gone, do not count', () => {
    const { table, agents } = fleet({ settledAfterMs: 10_000 });
    for (const agent of agents) agent.greet(table, 0);
    const living = agents.slice(2);
    run(table, 250, 17_750, (nowMs) => {
      if (nowMs % 1_000 === 0) for (const agent of living) agent.send(table, nowMs);
    });
    expect(table.hearing(at(17_750))).toEqual({ heardBefore: 4, hearsNow: 2 });
    run(table, 18_000, 18_250);
    expect(table.hearing(at(18_250))).toEqual({ heardBefore: 2, hearsNow: 2 });
    table.setRoster(
      members.slice(0, 3).map((member) => watched(member)),
      at(18_300),
    );
    expect(table.hearing(at(18_300))).toEqual({ heardBefore: 1, hearsNow: 1 });
  });

  it('are not counted while nobody is silent for too long by its own policy: a slow majority is no deafness', () => {
    const { table, agents } = fleet();
    table.setRoster(
      members.map((member, i) => watched(member, { suspectAfterMs: i === 0 ? 2_000 : 60_000 })),
      at(0),
    );
    for (const agent of agents) agent.greet(table, 0);
    run(table, 250, 20_000, (nowMs) => {
      agents[0]?.send(table, nowMs);
      expect(table.abstention).toBeNull();
    });
    expect(table.hearing(at(20_000))).toEqual({ heardBefore: 4, hearsNow: 1 });
  });

  it('one that comes back from a settled death counts again', () => {
    const { table, agents } = fleet({ settledAfterMs: 10_000 });
    for (const agent of agents) agent.greet(table, 0);
    run(table, 250, 20_000, (nowMs) => {
      if (nowMs % 1_000 === 0) for (const agent of agents.slice(1)) agent.send(table, nowMs);
    });
    expect(table.hearing(at(20_000)).heardBefore).toBe(3);
    agents[0]?.send(table, 20_100);
    expect(table.hearing(at(20_100))).toEqual({ heardBefore: 4, hearsNow: 4 });
  });
});

describe('where a person calls zones lost', () => {
  const settings = { hearsMinimum: 4, hearsRatio: 0.5 };
  const deaf = (heardBefore: number, hearsNow: number, outside?: readonly [number, number]): boolean =>
    hearsTooFew(
      { heardBefore, hearsNow, ...(outside && { outside: { heardBefore: outside[0], hearsNow: outside[1] } }) },
      settings,
    );

  it('at least half of those outside have to be heard', () => {
    expect([deaf(110, 10), deaf(110, 10, [10, 10]), deaf(110, 5, [10, 5])]).toEqual([true, false, false]);
    expect([deaf(110, 4, [10, 4]), deaf(100, 0, [0, 0]), deaf(110, 0, [10, 0])]).toEqual([true, true, true]);
  });

  it('those who are heard in such a zone do not stand for others', () => {
    expect([deaf(12, 4, [4, 0]), deaf(12, 5, [4, 1]), deaf(12, 5, [4, 2])]).toEqual([true, true, false]);
  });

  it('nothing changes where enough of all are heard, or the fleet is small', () => {
    expect([deaf(10, 5, [5, 0]), deaf(3, 0, [1, 0])]).toEqual([false, false]);
  });

  it('it counts until its end, and only while it is said', () => {
    const { table, agents } = fleet();
    for (const agent of agents) agent.greet(table, 0);
    const say = (lost: { readonly saidLostForMs?: number }) =>
      table.setRoster(
        members.map((member, i) => watched(member, i < 3 ? lost : {})),
        at(0),
      );
    say({ saidLostForMs: 6_500 });
    agents[3]?.send(table, 6_000);
    const all = { heardBefore: 4, hearsNow: 1 };
    expect(table.hearing(at(6_000))).toEqual({ ...all, outside: { heardBefore: 1, hearsNow: 1 } });
    expect(table.hearing(at(6_500))).toEqual(all);
    say({});
    expect(table.hearing(at(6_000))).toEqual(all);
  });

  it('it counts for nothing while anybody there is heard, unless only a part is said to be lost', () => {
    const { table, agents } = fleet();
    for (const agent of agents) agent.greet(table, 0);
    const say = (partly: { readonly saidPartlyLost?: true }) =>
      table.setRoster(
        members.map((member, i) => watched(member, i < 3 ? { saidLostForMs: 600_000, ...partly } : {})),
        at(0),
      );
    say({});
    agents[3]?.send(table, 20_000);
    const outside = { heardBefore: 1, hearsNow: 1 };
    expect(table.hearing(at(20_000))).toEqual({ heardBefore: 4, hearsNow: 1, outside });
    agents[0]?.send(table, 21_000);
    expect(table.hearing(at(21_000))).toEqual({ heardBefore: 4, hearsNow: 2 });
    say({ saidPartlyLost: true });
    expect(table.hearing(at(21_000))).toEqual({ heardBefore: 4, hearsNow: 2, outside });
    say({});
    // Silent again for longer than its policy allows.
    agents[3]?.send(table, 80_000);
    expect(table.hearing(at(80_000))).toEqual({ heardBefore: 4, hearsNow: 1, outside });
  });
});
