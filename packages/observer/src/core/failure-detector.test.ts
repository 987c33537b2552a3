import {
  agentIdOf,
  coordinatorHashOf,
  decodeProbe,
  instanceHashOf,
  type MemberId,
  tagMatches,
} from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { at, FROM, observer, run, watched, WireAgent } from './observe.fixtures.ts';
import type { ObserverTable } from './observer-table.ts';

/** `count` members, all greeted at 0. */
function fleet(count: number, settings = {}) {
  const members = Array.from({ length: count }, (_, i) => `db/m${i}` as MemberId);
  const { table } = observer(
    members.map((member) => watched(member)),
    settings,
  );
  const agents = members.map((member) => new WireAgent(member, `i-${member.replace('/', '-')}`));
  for (const agent of agents) agent.greet(table, 0);
  return { table, agents, members };
}
const abstention = (table: ObserverTable): string => {
  const { reason, untilMs } = table.abstention ?? {};
  return reason === undefined ? 'none' : `${reason} until ${untilMs}`;
};
/** What it says about itself at each of these moments, each a tick. */
const ticked = (table: ObserverTable, ...moments: readonly number[]): readonly string[] =>
  moments.map((ms) => {
    table.tick(at(ms));
    return abstention(table);
  });

describe('how long an observer abstains', () => {
  it('as long as it warms up, from its start on, and not a moment longer', () => {
    const { table } = observer([], { warmUpMs: 1_000 }, 1, 500);
    expect(abstention(table)).toBe('WarmingUp until 1500');
    expect(ticked(table, 750, 1_000, 1_499, 1_500)).toEqual([...Array(3).fill('WarmingUp until 1500'), 'none']);
  });

  it.each([
    ['a short stall: the least time', 800, 1_000],
    ['a longer one: as long as it took', 8_000, 8_000],
    ['a very long one: the most time', 60_000, 20_000],
  ])('%s', (_, stallMs, abstainsMs) => {
    const { table } = fleet(1);
    const untilMs = stallMs + abstainsMs;
    expect(ticked(table, stallMs)).toEqual([`OwnStall until ${untilMs}`]);
    for (let ms = stallMs + 250; ms < untilMs; ms += 250) table.tick(at(ms));
    expect(ticked(table, untilMs - 1, untilMs)).toEqual([`OwnStall until ${untilMs}`, 'none']);
  });

  it('a second, shorter stall does not shorten the first one’s time', () => {
    const { table } = fleet(1);
    expect(ticked(table, 60_000, 61_000)).toEqual(Array(2).fill('OwnStall until 80000'));
  });

  it('while the receiver shows no sign of listening, and a second more', () => {
    const { table } = fleet(1);
    expect(table.tick(at(250)).deafMs).toBe(0);
    expect(table.tick(at(1_000), at(249))).toEqual({
      stalledMs: 0,
      deafMs: 751,
      abstention: { reason: 'OwnStall', untilMs: 2_000 },
    });
    expect(table.tick(at(1_250), at(1_250))).toMatchObject({ stalledMs: 1_001, deafMs: 0 });
    expect(abstention(table)).toBe('OwnStall until 2251');
  });

  it('two seconds after the last loss on our side; what it abstains for already comes first', () => {
    const { table } = fleet(1);
    table.tick(at(250));
    table.noteReceiveLoss(at(300));
    expect(abstention(table)).toBe('ReceiveLoss until 2300');
    table.noteReceiveLoss(at(400));
    for (let ms = 500; ms < 2_400; ms += 250) table.tick(at(ms));
    expect(ticked(table, 2_399, 2_400)).toEqual(['ReceiveLoss until 2400', 'none']);
    const warming = observer([], { warmUpMs: 10_000 }).table;
    warming.noteReceiveLoss(at(100));
    expect(abstention(warming)).toBe('WarmingUp until 10000');
  });
});

it('a deaf observer accuses nobody, not even for one tick', () => {
  const { table } = fleet(10);
  const seen = new Set<string>();
  run(table, 250, 20_000, () => {
    for (const { verdict } of table.opinions()) seen.add(verdict);
  });
  expect([...seen]).toEqual(['alive', 'unknown']);
});

describe('an observer that hears too few, while most of them may be silent for a minute', () => {
  /** One suspect after 5 s and dead half a minute later, nine patient ones; all heard at 0. */
  function mixed() {
    const members = Array.from({ length: 10 }, (_, i) => `db/m${i}` as MemberId);
    const patient = { suspectAfterMs: 60_000 };
    const { table } = observer(
      members.map((member, i) => watched(member, i === 0 ? { confirmForMs: 30_000 } : patient)),
    );
    const [fast, ...slow] = members.map((member) => new WireAgent(member, `i-${member.replace('/', '-')}`));
    for (const agent of [fast, ...slow]) agent?.greet(table, 0);
    return { table, fast, slow };
  }

  it('takes back a suspicion between its looks', () => {
    const { table, slow } = mixed();
    for (const ms of [1_000, 2_000, 3_000, 4_000]) for (const agent of slow) agent.send(table, ms);
    run(table, 250, 8_750);
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'suspect', reason: 'Silent' });
    run(table, 9_000, 9_000);
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'unknown', reason: 'HearsTooFew' });
  });

  it('abstains until it hears enough of them again, not only the one that is overdue', () => {
    const { table, fast, slow } = mixed();
    run(table, 250, 6_000);
    expect(abstention(table)).toBe('HearsTooFew until null');
    fast?.send(table, 6_100);
    run(table, 6_250, 6_500);
    expect(abstention(table)).toBe('HearsTooFew until null');
    for (const agent of slow.slice(0, 4)) agent.send(table, 6_600);
    run(table, 6_750, 6_750);
    expect(abstention(table)).toBe('none');
  });
});

it('a death counts among those heard before until it has lasted as long as it must, and no tick longer', () => {
  const { table } = fleet(1, { settledAfterMs: 10_000 });
  run(table, 250, 8_000);
  expect(table.opinion('db/m0')).toMatchObject({ verdict: 'dead', sinceMs: 8_000 });
  run(table, 8_250, 17_750);
  expect(table.hearing(at(17_750)).heardBefore).toBe(1);
  run(table, 18_000, 18_000);
  expect(table.hearing(at(18_000)).heardBefore).toBe(0);
});

it('one that never answered a challenge is never missed, also when it becomes the activated one', () => {
  const { table } = observer([watched('db/m0', { activatedInstanceId: null })]);
  table.receive(new WireAgent('db/m0', 'i-db-m0').beat(), FROM, at(0));
  table.setRoster([watched('db/m0')], at(100));
  run(table, 250, 60_000);
  expect(table.opinion('db/m0')).toMatchObject({ verdict: 'unknown', reason: 'NeverHeard', lastHeardMs: null });
});

describe('UDP probes of a suspect', () => {
  const suspects = (count: number, settings = {}) => {
    const made = fleet(count, { hearsMinimum: 1_000, ...settings });
    for (let ms = 250; ms <= 5_000; ms += 250) made.table.tick(at(ms));
    return made;
  };
  const probed = (table: ObserverTable, ms: number) => table.planProbes(at(ms)).map(({ member }) => member);

  it('go where it was heard from, and ask it by its own key, agent, instance and challenge', () => {
    const { table, agents } = suspects(1);
    const [order] = table.planProbes(at(5_000));
    expect(order).toMatchObject({ member: 'db/m0', to: FROM, suspectSinceMs: 5_000 });
    const payload = order?.payload ?? new Uint8Array();
    expect(decodeProbe(payload)).toMatchObject({
      keyId: 1,
      agentId: agentIdOf('db/m0'),
      instanceHash: instanceHashOf('i-db-m0'),
      coordinatorHash: coordinatorHashOf('c1'),
      challenge: agents[0]?.challenge,
    });
    expect(agents[0] && tagMatches(payload, agents[0].mac)).toBe(true);
  });

  it('go out every half second until it is dead, and then no more', () => {
    const { table } = suspects(1);
    const moments: number[] = [];
    for (let ms = 5_000; ms <= 12_000; ms += 250) {
      table.tick(at(ms));
      for (const order of table.planProbes(at(ms))) {
        moments.push(ms);
        table.probeResult(order, 'sent', at(ms));
      }
    }
    expect(moments).toEqual([5_000, 5_500, 6_000, 6_500, 7_000, 7_500]);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
  });

  it('go to so many at once as they may; the others come next, and nobody twice before', () => {
    const { table, members } = suspects(5, { maxProbesPerTick: 2 });
    expect([probed(table, 5_000), probed(table, 5_000), probed(table, 5_000), probed(table, 5_000)]).toEqual([
      members.slice(0, 2),
      members.slice(2, 4),
      members.slice(4),
      [],
    ]);
    expect(probed(table, 5_499)).toEqual([]);
    expect(probed(table, 5_500)).toEqual(members.slice(0, 2));
  });

  it('end with its first heartbeat, before any tick', () => {
    const { table, agents } = suspects(1);
    agents[0]?.send(table, 5_000);
    expect(probed(table, 5_000)).toEqual([]);
  });

  it('do not go out while the observer abstains', () => {
    const { table } = suspects(1);
    table.noteReceiveLoss(at(5_000));
    expect(probed(table, 5_000)).toEqual([]);
  });

  it('two must have been sent, and the second must have had its time: one lost datagram proves nothing', () => {
    const { table } = suspects(1);
    const [order] = table.planProbes(at(5_000));
    if (!order) throw new Error('want a probe');
    const verdictAt = (ms: number) => {
      table.tick(at(ms));
      return table.opinion('db/m0')?.verdict;
    };
    table.probeResult(order, 'sent', at(5_000));
    for (let ms = 5_250; ms <= 20_000; ms += 250) expect(verdictAt(ms)).toBe('suspect');
    table.probeResult(order, 'not-sent', at(20_000));
    table.probeResult({ ...order, suspectSinceMs: at(4_999) }, 'sent', at(20_000));
    table.probeResult({ ...order, member: 'db/other' }, 'sent', at(20_000));
    expect(verdictAt(20_750)).toBe('suspect');
    table.probeResult(order, 'sent', at(20_800));
    expect([verdictAt(21_299), verdictAt(21_300)]).toEqual(['suspect', 'dead']);
  });

  it('a third one does not put the verdict off', () => {
    const { table } = suspects(1);
    const [order] = table.planProbes(at(5_000));
    if (!order) throw new Error('want a probe');
    for (const ms of [5_000, 5_500, 7_900]) table.probeResult(order, 'sent', at(ms));
    for (let ms = 5_250; ms <= 8_000; ms += 250) table.tick(at(ms));
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
  });
});

describe('a change of the policy’s times', () => {
  it('is judged by at the next tick, also of one that is not due', () => {
    const { table } = fleet(1);
    run(table, 250, 3_000);
    table.setRoster([watched('db/m0', { suspectAfterMs: 2_000 })], at(3_100));
    table.tick(at(3_250));
    expect(table.opinion('db/m0')?.verdict).toBe('suspect');
    table.setRoster([watched('db/m0', { suspectAfterMs: 60_000 })], at(3_300));
    table.tick(at(3_500));
    expect(table.opinion('db/m0')?.verdict).toBe('alive');
  });

  it('that ends a suspicion ends it: the next one begins from nothing', () => {
    const { table } = fleet(1);
    run(table, 250, 7_000);
    table.setRoster([watched('db/m0', { suspectAfterMs: 20_000 })], at(7_100));
    run(table, 7_250, 22_750);
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'suspect', sinceMs: 20_000 });
    run(table, 23_000, 23_000);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
  });

  it('of the confirmation alone too', () => {
    const { table } = fleet(1);
    run(table, 250, 6_000);
    table.setRoster([watched('db/m0', { confirmForMs: 1_000 })], at(6_100));
    run(table, 6_250, 6_250);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
  });
});
