import { type MemberId, NOT_SENT, type ProbeReport, type ServiceProbe, ServiceProbeSchema } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { at, observer, watched, WireAgent } from './observe.fixtures.ts';
import type { ObserverTable } from './observer-table.ts';
import type { ServiceOrder } from './service-types.ts';

const TIMEOUT_MS = 1_000;
/** One look settles it, which a policy may not ask for. */
const probe = (): ServiceProbe => ({
  ...ServiceProbeSchema.parse({ kind: 'tcp', port: 5_432, rise: 1, timeoutMs: TIMEOUT_MS }),
  fall: 1,
});
const PASSES: ProbeReport = { host: 'answered', code: 'Passing', httpStatus: null, expiresSoon: false };
const TIMES_OUT: ProbeReport = { ...PASSES, host: 'silent', code: 'Timeout' };
const ROOM = { confirm: 64, watch: 64 };
/** Three ticks of 250 ms. */
const STALL_MS = 750;

/** `count` members with one probe each, all heard at 0 and looked at first within 5 s. */
function fleet(count: number, settings = {}) {
  const members = Array.from({ length: count }, (_, i) => `db/m${i}` as MemberId);
  const { table } = observer(
    members.map((member) => watched(member, { serviceProbes: [probe()] })),
    { hearsMinimum: 1_000, ...settings },
  );
  const agents = members.map((member) => new WireAgent(member, `i-${member.replace('/', '-')}`));
  for (const agent of agents) agent.greet(table, 0);
  const service = (member: MemberId = 'db/m0') => table.opinion(member)?.service?.state ?? 'nothing';
  return { table, agents, members, service };
}
function ticks(table: ObserverTable, fromMs: number, untilMs: number): void {
  for (let ms = fromMs; ms <= untilMs; ms += 250) table.tick(at(ms));
}
const first = ([order]: readonly ServiceOrder[]): ServiceOrder => {
  if (!order) throw new Error('want an order');
  return order;
};

describe('the outcome of a look', () => {
  const looked = (report: ProbeReport, lateMs: number) => {
    const { table, service } = fleet(1);
    ticks(table, 250, 4_750);
    const order = first(table.planServiceProbes(at(4_950), ROOM));
    table.serviceResult(order, report, at(4_950 + TIMEOUT_MS + lateMs));
    return service();
  };

  it('a failure that comes later than deadline and three ticks explain may be our own; a pass is one whenever it comes', () => {
    expect([looked(TIMES_OUT, STALL_MS), looked(TIMES_OUT, STALL_MS + 1)]).toEqual(['failing', 'nothing']);
    expect([looked(PASSES, STALL_MS), looked(PASSES, 3_600_000)]).toEqual(['passing', 'passing']);
  });

  it('a failure of a look that began while we did not trust ourselves counts for nothing, of one begun after it does', () => {
    const { table, agents, service } = fleet(1);
    ticks(table, 250, 4_750);
    const before = first(table.planServiceProbes(at(4_950), ROOM));
    table.noteReceiveLoss(at(4_960));
    ticks(table, 5_000, 5_000);
    table.serviceResult(before, TIMES_OUT, at(5_100));
    expect(service()).toBe('nothing');
    for (let ms = 5_250; ms <= 12_000; ms += 250) {
      agents[0]?.send(table, ms);
      table.tick(at(ms));
    }
    const after = first(table.planServiceProbes(at(12_000), ROOM));
    table.serviceResult(after, TIMES_OUT, at(12_100));
    expect(service()).toBe('failing');
  });

  it('counts for the member it was made at, and for no other', () => {
    const { table, service, members } = fleet(2);
    ticks(table, 250, 4_750);
    const order = table.planServiceProbes(at(4_950), ROOM).find(({ member }) => member === members[1]);
    table.serviceResult(first(order ? [order] : []), TIMES_OUT, at(5_000));
    expect(members.map(service)).toEqual(['nothing', 'failing']);
  });

  it('of a member, an instance or a list of probes we no longer watch is ignored', () => {
    const { table, service } = fleet(1);
    ticks(table, 250, 4_750);
    const order = first(table.planServiceProbes(at(4_950), ROOM));
    for (const other of [
      { ...order, member: 'db/other' as const },
      { ...order, epoch: order.epoch + 1 },
      { ...order, index: 1 },
    ])
      table.serviceResult(other, PASSES, at(5_000));
    expect(service()).toBe('nothing');
    table.serviceResult(order, PASSES, at(5_000));
    expect(service()).toBe('passing');
  });
});

describe('while the observer abstains', () => {
  it('no look is begun, also one that is due', () => {
    const { table } = fleet(1);
    ticks(table, 250, 4_750);
    table.noteReceiveLoss(at(4_800));
    expect(table.planServiceProbes(at(4_990), ROOM)).toEqual([]);
  });

  it('what it held against a service is withdrawn at its next tick', () => {
    const { table, service } = fleet(1);
    ticks(table, 250, 4_750);
    const order = first(table.planServiceProbes(at(4_950), ROOM));
    table.serviceResult(order, TIMES_OUT, at(4_960));
    expect(service()).toBe('failing');
    table.noteReceiveLoss(at(4_970));
    table.tick(at(5_000));
    expect(service()).toBe('nothing');
  });

  it('a look that began at the very moment it began to do so proves nothing', () => {
    const { table, service } = fleet(1);
    ticks(table, 250, 4_750);
    table.tick(at(4_990));
    const order = first(table.planServiceProbes(at(4_990), ROOM));
    table.noteReceiveLoss(at(4_990));
    table.tick(at(4_990));
    table.serviceResult(order, TIMES_OUT, at(5_000));
    expect(service()).toBe('nothing');
  });
});

describe('looks at those that are heard', () => {
  it('take turns where there is room for one: nobody waits for ever', () => {
    const { table, agents, members } = fleet(4);
    const seen: MemberId[] = [];
    for (let ms = 250; ms <= 40_000; ms += 250) {
      for (const agent of agents) agent.send(table, ms);
      table.tick(at(ms));
      if (ms % 10_000 !== 0) continue;
      for (const order of table.planServiceProbes(at(ms), { confirm: 0, watch: 1 })) {
        seen.push(order.member);
        table.serviceResult(order, PASSES, at(ms));
      }
    }
    expect(seen.toSorted()).toEqual(members);
  });

  it('of one member, too, are no more than there is room for', () => {
    const two = [probe(), { ...probe(), port: 1 }];
    const { table } = observer([watched('db/a', { serviceProbes: two })]);
    new WireAgent('db/a', 'i-db-a').greet(table, 0);
    ticks(table, 250, 4_750);
    const next = () => table.planServiceProbes(at(4_990), { confirm: 0, watch: 1 }).map(({ index }) => index);
    expect([next(), next(), next()]).toEqual([[0], [1], []]);
  });

  it('are a tenth of their interval early or late, differently each time', () => {
    const { table, agents } = fleet(1);
    const planned: number[] = [];
    for (let ms = 0; ms <= 120_000; ms += 10) {
      if (ms % 1_000 === 0) agents[0]?.send(table, ms);
      if (ms % 250 === 0) table.tick(at(ms));
      for (const order of table.planServiceProbes(at(ms), ROOM)) {
        planned.push(ms);
        table.serviceResult(order, PASSES, at(ms));
      }
    }
    const gaps = planned.slice(1).map((ms, i) => ms - (planned[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(4_500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_510);
    expect(Math.min(...gaps)).toBeLessThan(4_700);
    expect(Math.max(...gaps)).toBeGreaterThan(5_300);
  });

  it('one that is under way is not begun again, however long it takes; its end makes room for the next', () => {
    const { table, agents } = fleet(1);
    let order: ServiceOrder | null = null;
    for (let ms = 250; ms <= 60_000; ms += 250) {
      agents[0]?.send(table, ms);
      table.tick(at(ms));
      const orders = table.planServiceProbes(at(ms), ROOM);
      expect(orders.length).toBe(order === null && orders.length === 1 ? 1 : 0);
      order ??= orders[0] ?? null;
    }
    if (order) table.serviceResult(order, NOT_SENT, at(60_000));
    expect(table.planServiceProbes(at(60_000), ROOM)).toHaveLength(1);
  });

  it('go on with who waits longest, also when members come and go', () => {
    const { table, members } = fleet(6);
    ticks(table, 250, 4_750);
    const next = (watch: number) =>
      table.planServiceProbes(at(4_990), { confirm: 0, watch }).map(({ member }) => member);
    const begun = [...next(2), ...next(2)];
    expect(new Set(begun).size).toBe(4);
    table.setRoster(
      members.slice(0, 5).map((member) => watched(member, { serviceProbes: [probe()] })),
      at(4_991),
    );
    const rest = [...next(64), ...next(64)];
    expect([...begun, ...rest].filter((member) => member !== 'db/m5').toSorted()).toEqual(members.slice(0, 5));
  });

  it('are made at those who join later too', () => {
    const { table, members } = fleet(2);
    ticks(table, 250, 4_750);
    expect(table.planServiceProbes(at(4_990), ROOM)).toHaveLength(2);
    const roster = [...members, 'db/late' as const].map((member) => watched(member, { serviceProbes: [probe()] }));
    table.setRoster(roster, at(5_000));
    new WireAgent('db/late', 'i-db-late').greet(table, 5_000);
    const orders = table.planServiceProbes(at(10_000), ROOM);
    expect(orders.map(({ member }) => member)).toEqual(['db/late']);
  });

  it('none is begun at one nobody has heard of, or where there is no room', () => {
    const { table } = observer([watched('db/a', { serviceProbes: [probe()] })]);
    ticks(table, 250, 10_000);
    expect(table.planServiceProbes(at(10_000), ROOM)).toEqual([]);
    const heard = fleet(2);
    ticks(heard.table, 250, 4_750);
    expect(heard.table.planServiceProbes(at(4_990), { confirm: 0, watch: 0 })).toEqual([]);
    expect(heard.table.planServiceProbes(at(4_990), { confirm: 0, watch: 1 })).toHaveLength(1);
  });
});

describe('looks at those that are silent', () => {
  const silent = (count: number) => {
    const made = fleet(count);
    ticks(made.table, 250, 5_000);
    return made;
  };

  it('are as many at once as there is room for, those left over next', () => {
    const { table, members } = silent(3);
    const next = (confirm: number) =>
      table.planServiceProbes(at(5_000), { confirm, watch: 0 }).map(({ member }) => member);
    expect([next(2), next(2), next(2)]).toEqual([members.slice(0, 2), members.slice(2), []]);
  });

  it('leave the room of the others alone', () => {
    const { table, agents } = fleet(3);
    ticks(table, 250, 4_750);
    for (const agent of agents.slice(1)) agent.send(table, 4_800);
    ticks(table, 5_000, 5_000);
    const orders = table.planServiceProbes(at(5_000), { confirm: 5, watch: 1 });
    expect(orders.map(({ purpose, suspectSinceMs }) => [purpose, suspectSinceMs])).toEqual([
      ['confirm', 5_000],
      ['watch', null],
    ]);
  });

  it('are made six times in the confirmation time', () => {
    const { table } = silent(1);
    const planned: number[] = [];
    for (let ms = 5_000; ms < 8_000; ms += 10) {
      if (ms % 250 === 0) table.tick(at(ms));
      for (const order of table.planServiceProbes(at(ms), ROOM)) {
        planned.push(ms);
        table.serviceResult(order, TIMES_OUT, at(ms));
      }
    }
    expect(planned).toEqual([5_000, 5_500, 6_000, 6_500, 7_000, 7_500]);
  });

  const verdictAfter = (
    report: ProbeReport,
    lateMs: number,
    change: (order: ServiceOrder) => ServiceOrder = (one) => one,
  ) => {
    const { table } = silent(1);
    for (const ms of [5_000, 5_500])
      for (const order of table.planProbes(at(ms))) table.probeResult(order, 'sent', at(ms));
    const order = first(table.planServiceProbes(at(5_000), ROOM));
    table.serviceResult(change(order), report, at(5_000 + TIMEOUT_MS + lateMs));
    ticks(table, 5_250, 8_000);
    const { verdict, reason } = table.opinion('db/m0') ?? {};
    return `${verdict} ${reason}`;
  };

  it('a silent host confirms, unless we may have been deaf; an answer delays, whenever it comes', () => {
    expect(verdictAfter(TIMES_OUT, STALL_MS)).toBe('dead ProbesFailed');
    expect(verdictAfter(TIMES_OUT, STALL_MS + 1)).toBe('suspect Silent');
    expect(verdictAfter(PASSES, 3_600_000)).toBe('suspect ProbeAnswered');
    expect(verdictAfter(NOT_SENT, 0)).toBe('suspect Silent');
  });

  it('end with its death, and with its first heartbeat', () => {
    const { table, agents } = silent(1);
    const order = first(table.planServiceProbes(at(5_000), ROOM));
    table.serviceResult(order, TIMES_OUT, at(5_100));
    for (const ms of [5_000, 5_500]) for (const one of table.planProbes(at(ms))) table.probeResult(one, 'sent', at(ms));
    ticks(table, 5_250, 8_000);
    expect(table.opinion('db/m0')?.verdict).toBe('dead');
    expect(table.planServiceProbes(at(9_000), ROOM)).toEqual([]);
    agents[0]?.send(table, 9_000);
    table.serviceResult(order, TIMES_OUT, at(9_100));
    expect(table.opinion('db/m0')?.verdict).toBe('alive');
  });

  it('whose probes are taken away is dead by its heartbeats alone', () => {
    const { table, members } = silent(1);
    for (const ms of [5_000, 5_500])
      for (const order of table.planProbes(at(ms))) table.probeResult(order, 'sent', at(ms));
    ticks(table, 5_250, 8_000);
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'suspect', reason: 'Silent' });
    table.setRoster(
      members.map((member) => watched(member)),
      at(8_100),
    );
    ticks(table, 8_250, 8_250);
    expect(table.opinion('db/m0')).toMatchObject({ verdict: 'dead', reason: 'ProbesFailed' });
  });

  it('the outcome of a look for an earlier suspicion confirms nothing', () => {
    expect(verdictAfter(TIMES_OUT, 0, (order) => ({ ...order, suspectSinceMs: at(4_000) }))).toBe('suspect Silent');
    expect(verdictAfter(TIMES_OUT, 0, (order) => ({ ...order, index: 1 }))).toBe('suspect Silent');
  });
});

describe('an opinion of services', () => {
  it('that rests on looks that are too old is withdrawn within a second', () => {
    const { table, agents, service } = fleet(1);
    const live = (fromMs: number, untilMs: number) => {
      for (let ms = fromMs; ms <= untilMs; ms += 250) {
        agents[0]?.send(table, ms);
        table.tick(at(ms));
      }
    };
    live(250, 4_750);
    const order = first(table.planServiceProbes(at(4_950), ROOM));
    table.serviceResult(order, PASSES, at(5_000));
    // Three intervals and half a minute.
    live(5_000, 49_750);
    expect(service()).toBe('passing');
    live(50_000, 51_000);
    expect(service()).toBe('nothing');
  });
});
