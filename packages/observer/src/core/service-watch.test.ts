import { type MemberId, NOT_SENT, type ProbeReport, type ServiceProbe, ServiceProbeSchema } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { at, observer, watched, WireAgent } from './observe.fixtures.ts';
import type { ObserverTable } from './observer-table.ts';
import type { ServiceOrder } from './service-types.ts';
import type { WatchedMember } from './types.ts';

const M = 'db/a' as const;
const TICK_MS = 250;
const probe = (over: object = {}): ServiceProbe =>
  ServiceProbeSchema.parse({ kind: 'tcp', port: 5_432, rise: 2, fall: 3, ...over });
const PASSES: ProbeReport = { host: 'answered', code: 'Passing', httpStatus: null, expiresSoon: false };
const REFUSES: ProbeReport = { ...PASSES, code: 'Refused' };
const TIMES_OUT: ProbeReport = { ...PASSES, host: 'silent', code: 'Timeout' };
const ROOM = { confirm: 64, watch: 64 };

interface Driven {
  readonly table: ObserverTable;
  readonly agent: WireAgent;
  /** What every look finds from now on. */
  answer: (order: ServiceOrder) => ProbeReport;
  /** Beats once a second while true. */
  beats: boolean;
  readonly orders: ServiceOrder[];
  /** Opinions that changed, newest last. */
  readonly changes: string[];
}

function setUp(over: Partial<WatchedMember> = {}, settings = {}): Driven {
  const { table } = observer([watched(M, { serviceProbes: [probe()], ...over })], settings);
  const agent = new WireAgent(M, 'i-db-a');
  agent.greet(table, 0);
  table.takeChanges();
  return { table, agent, answer: () => PASSES, beats: true, orders: [], changes: [] };
}

/** Looks end in the tick after the one that began them. */
function drive(driven: Driven, fromMs: number, untilMs: number): void {
  const { table, agent, orders, changes } = driven;
  let begun: readonly ServiceOrder[] = [];
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += TICK_MS) {
    if (driven.beats && nowMs % 1_000 === 0) agent.send(table, nowMs);
    for (const order of begun) table.serviceResult(order, driven.answer(order), at(nowMs));
    table.tick(at(nowMs));
    for (const order of table.planProbes(at(nowMs))) table.probeResult(order, 'sent', at(nowMs));
    begun = table.planServiceProbes(at(nowMs), ROOM);
    orders.push(...begun);
    for (const { verdict, reason, service } of table.takeChanges())
      changes.push(`${verdict} ${reason} ${service ? `${service.state} ${service.probe} ${service.reason}` : '-'}`);
  }
  // As an orderly end: what is under way is answered.
  for (const order of begun) table.serviceResult(order, driven.answer(order), at(untilMs));
}

describe('the services of a member that is heard', () => {
  it('are looked at on their interval with jitter, at the address its heartbeats come from', () => {
    const driven = setUp();
    drive(driven, 250, 61_000);
    expect(driven.orders.length).toBeGreaterThanOrEqual(11);
    expect(driven.orders.length).toBeLessThanOrEqual(14);
    expect(driven.orders[0]).toMatchObject({ purpose: 'watch', to: { address: '10.0.0.7', port: 5_432 } });
    const gaps = driven.orders.slice(1).map((order, i) => order.plannedAtMs - (driven.orders[i]?.plannedAtMs ?? 0));
    expect(new Set(gaps).size).toBeGreaterThan(1);
    for (const gap of gaps) expect(Math.abs(gap - 5_000)).toBeLessThanOrEqual(750);
  });

  it('are failing after `fall` failures in a row since the first of them, passing after `rise` passes, and each is one change', () => {
    const driven = setUp();
    drive(driven, 250, 20_000);
    driven.answer = () => REFUSES;
    drive(driven, 20_250, 40_000);
    expect(driven.table.opinion(M)?.service).toMatchObject({
      state: 'failing',
      probe: 'tcp-5432',
      reason: 'Refused',
      passedBefore: true,
    });
    const firstFailureMs = driven.orders.find((order) => order.plannedAtMs >= 20_000)?.plannedAtMs ?? 0;
    expect(driven.table.opinion(M)?.service?.sinceMs).toBe(firstFailureMs + TICK_MS);
    driven.answer = () => PASSES;
    drive(driven, 40_250, 60_000);
    expect(driven.changes).toEqual([
      'alive Heard passing  Passing',
      'alive Heard failing tcp-5432 Refused',
      'alive Heard passing  Passing',
    ]);
  });

  it('that flap within rise and fall change nothing', () => {
    const driven = setUp();
    drive(driven, 250, 20_000);
    let count = 0;
    driven.answer = () => (count++ % 3 === 2 ? PASSES : TIMES_OUT);
    drive(driven, 20_250, 600_000);
    expect(count).toBeGreaterThan(100);
    expect(driven.changes).toEqual(['alive Heard passing  Passing']);
  });

  it('keep the reason they began to fail with: another one is no news', () => {
    const driven = setUp();
    drive(driven, 250, 20_000);
    let count = 0;
    driven.answer = () => (count++ % 2 === 0 ? REFUSES : TIMES_OUT);
    drive(driven, 20_250, 300_000);
    expect(driven.changes).toHaveLength(2);
  });

  it('that never passed fail, and say so', () => {
    const driven = setUp();
    driven.answer = () => REFUSES;
    drive(driven, 250, 30_000);
    expect(driven.table.opinion(M)?.service).toMatchObject({ state: 'failing', passedBefore: false });
  });

  it('looks that could not be made prove nothing; an opinion they leave without proof is withdrawn', () => {
    const driven = setUp();
    drive(driven, 250, 20_000);
    driven.answer = () => NOT_SENT;
    drive(driven, 20_250, 55_000);
    expect(driven.table.opinion(M)?.service?.state).toBe('passing');
    drive(driven, 55_250, 70_000);
    expect(driven.table.opinion(M)?.service).toBeNull();
    expect(driven.changes).toHaveLength(2);
  });

  it('one of two fails: failing, with its name; both pass: passing', () => {
    const driven = setUp({ serviceProbes: [probe(), probe({ kind: 'http', port: 8_080, name: 'health' })] });
    driven.answer = (order) => (order.index === 0 ? PASSES : { ...PASSES, code: 'HttpStatus', httpStatus: 503 });
    drive(driven, 250, 30_000);
    expect(driven.table.opinion(M)?.service).toMatchObject({
      state: 'failing',
      probe: 'health',
      reason: 'HttpStatus 503',
    });
    driven.answer = () => PASSES;
    drive(driven, 30_250, 60_000);
    expect(driven.table.opinion(M)?.service?.state).toBe('passing');
  });

  it('a certificate that expires soon is a warning of a passing service', () => {
    const driven = setUp();
    driven.answer = () => ({ ...PASSES, expiresSoon: true });
    drive(driven, 250, 20_000);
    expect(driven.table.opinion(M)?.service).toMatchObject({ state: 'passing', warning: 'CertificateExpiresSoon' });
  });
});

describe('nobody is looked at', () => {
  it('while this observer abstains; what it held against a service is withdrawn, and shown anew from the start', () => {
    const driven = setUp();
    drive(driven, 250, 20_000);
    driven.answer = () => TIMES_OUT;
    drive(driven, 20_250, 40_000);
    expect(driven.table.opinion(M)?.service?.state).toBe('failing');
    driven.table.noteReceiveLoss(at(40_100));
    const before = driven.orders.length;
    drive(driven, 40_250, 41_000);
    expect(driven.orders.length).toBe(before);
    expect(driven.table.opinion(M)?.service).toBeNull();
    drive(driven, 41_250, 46_000);
    expect(driven.table.opinion(M)?.service).toBeNull();
    drive(driven, 46_250, 62_000);
    expect(driven.table.opinion(M)?.service).toMatchObject({ state: 'failing', passedBefore: true });
  });

  it('a failure that came in after a stall of our own counts for nothing', () => {
    const driven = setUp({ serviceProbes: [probe({ fall: 2 })] });
    drive(driven, 250, 20_000);
    const stalled: ServiceOrder[] = [];
    for (let nowMs = 20_250; nowMs < 60_000 && stalled.length < 2; nowMs += 250) {
      driven.agent.send(driven.table, nowMs);
      driven.table.tick(at(nowMs));
      const orders = driven.table.planServiceProbes(at(nowMs), ROOM);
      stalled.push(...orders);
      // Reported later than deadline and ticks can explain.
      for (const order of orders) driven.table.serviceResult(order, TIMES_OUT, at(nowMs + 1_000 + 4 * TICK_MS));
    }
    expect(stalled).toHaveLength(2);
    expect(driven.table.opinion(M)?.service?.state).toBe('passing');
  });

  it('nor does one of a look that was under way when we stopped trusting ourselves', () => {
    const driven = setUp({ serviceProbes: [probe(), probe({ port: 1 })] });
    drive(driven, 250, 20_000);
    driven.answer = () => TIMES_OUT;
    // Two failures each; the third ones are under way.
    const wanted = new Map<number, ServiceOrder>();
    for (let nowMs = 20_250; nowMs < 60_000 && wanted.size < 2; nowMs += TICK_MS) {
      driven.agent.send(driven.table, nowMs);
      driven.table.tick(at(nowMs));
      for (const order of driven.table.planServiceProbes(at(nowMs), ROOM)) {
        driven.orders.push(order);
        const failures = driven.orders.filter((one) => one.index === order.index && one.plannedAtMs > 20_000).length;
        if (failures === 3) wanted.set(order.index, order);
        else driven.table.serviceResult(order, TIMES_OUT, at(nowMs));
      }
      if (wanted.size === 2) {
        driven.table.noteReceiveLoss(at(nowMs + 1));
        driven.table.tick(at(nowMs + 2));
        for (let times = 0; times < 3; times++)
          for (const order of wanted.values()) driven.table.serviceResult(order, TIMES_OUT, at(nowMs + 3));
        expect(driven.table.abstention).not.toBeNull();
        expect(driven.table.opinion(M)?.service?.state).toBe('passing');
      }
    }
    expect(wanted.size).toBe(2);
  });

  it('that is silent: it is confirmed, not watched', () => {
    const driven = setUp();
    drive(driven, 250, 20_000);
    driven.beats = false;
    drive(driven, 20_250, 25_500);
    const before = driven.orders.length;
    drive(driven, 25_750, 60_000);
    const later = driven.orders.slice(before);
    expect(later.length).toBeGreaterThan(20);
    expect(later.every((order) => order.purpose === 'confirm')).toBe(true);
  });

  it('without an activated instance', () => {
    const driven = setUp({ activatedInstanceId: null });
    drive(driven, 250, 30_000);
    expect(driven.orders).toEqual([]);
  });

  it('a replacement begins without its predecessor’s past', () => {
    const driven = setUp();
    drive(driven, 250, 20_000);
    driven.table.setRoster([watched(M, { serviceProbes: [probe()], activatedInstanceId: 'i-new' })], at(20_100));
    expect(driven.table.opinion(M)?.service).toBeNull();
    const late = driven.orders.at(-1);
    for (let times = 0; late && times < 3; times++) driven.table.serviceResult(late, PASSES, at(20_200));
    expect(driven.table.opinion(M)?.service).toBeNull();
    const heir = new WireAgent(M, 'i-new');
    heir.greet(driven.table, 20_200);
    Object.assign(driven, { agent: heir, answer: () => REFUSES });
    drive(driven, 20_250, 45_000);
    expect(driven.table.opinion(M)?.service).toMatchObject({ state: 'failing', passedBefore: false });
  });

  it('an edited probe begins anew, the same list written again does not', () => {
    const driven = setUp();
    drive(driven, 250, 20_000);
    driven.table.setRoster([watched(M, { serviceProbes: [probe()] })], at(20_050));
    expect(driven.table.opinion(M)?.service?.state).toBe('passing');
    driven.table.setRoster([watched(M, { serviceProbes: [probe({ port: 1 })] })], at(20_100));
    expect(driven.table.opinion(M)?.service).toBeNull();
    driven.table.setRoster([watched(M)], at(20_150));
    driven.orders.length = 0;
    drive(driven, 20_250, 40_000);
    expect(driven.orders).toEqual([]);
  });
});

describe('a silent member', () => {
  const silent = (over: Partial<WatchedMember> = {}) => {
    const driven = setUp(over);
    drive(driven, 250, 20_000);
    driven.beats = false;
    return driven;
  };

  it.each([
    ['accepted', PASSES],
    ['refused', REFUSES],
    ['answered with a failing service', { ...PASSES, code: 'HttpStatus', httpStatus: 500 } as const],
  ])('whose probe is %s stays suspect, until it is no longer answered', (_, report) => {
    const driven = silent();
    driven.answer = () => report;
    drive(driven, 20_250, 60_000);
    expect(driven.table.opinion(M)).toMatchObject({ verdict: 'suspect', reason: 'ProbeAnswered' });
    expect(driven.orders.filter((order) => order.purpose === 'confirm').length).toBeGreaterThan(20);
    driven.answer = () => TIMES_OUT;
    drive(driven, 60_250, 63_000);
    expect(driven.table.opinion(M)).toMatchObject({ verdict: 'dead', reason: 'ProbesFailed' });
  });

  it('is dead as early as without service probes when none is answered', () => {
    const driven = silent();
    driven.answer = () => TIMES_OUT;
    drive(driven, 20_250, 27_750);
    expect(driven.table.opinion(M)?.verdict).toBe('suspect');
    drive(driven, 28_000, 28_500);
    expect(driven.table.opinion(M)?.verdict).toBe('dead');
  });

  it('is not kept suspect by answers for ever', () => {
    const driven = silent({ answeredProbesHoldForMs: 60_000 });
    drive(driven, 20_250, 87_000);
    expect(driven.table.opinion(M)).toMatchObject({ verdict: 'suspect', reason: 'ProbeAnswered' });
    drive(driven, 87_250, 89_000);
    expect(driven.table.opinion(M)).toMatchObject({ verdict: 'dead', reason: 'AnsweredTooLong' });
  });

  it('with answers that hold for 0 ms they delay nothing', () => {
    const driven = silent({ answeredProbesHoldForMs: 0 });
    drive(driven, 20_250, 28_500);
    expect(driven.table.opinion(M)).toMatchObject({ verdict: 'dead', reason: 'AnsweredTooLong' });
  });

  it('that could not be looked at is not dead; after a while this observer has no opinion of it', () => {
    const driven = silent();
    driven.answer = () => NOT_SENT;
    drive(driven, 20_250, 42_000);
    expect(driven.table.opinion(M)).toMatchObject({ verdict: 'suspect', reason: 'Silent' });
    drive(driven, 42_250, 45_000);
    expect(driven.table.opinion(M)).toMatchObject({ verdict: 'unknown', reason: 'ProbeNotSent' });
    driven.answer = () => TIMES_OUT;
    drive(driven, 45_250, 48_000);
    expect(driven.table.opinion(M)?.verdict).toBe('dead');
  });

  it('a heartbeat refutes, whatever the probes say', () => {
    const driven = silent();
    driven.answer = () => TIMES_OUT;
    drive(driven, 20_250, 30_000);
    expect(driven.table.opinion(M)?.verdict).toBe('dead');
    driven.beats = true;
    drive(driven, 30_250, 31_000);
    expect(driven.table.opinion(M)?.verdict).toBe('alive');
  });

  it('probes that changed meanwhile must fail anew', () => {
    const driven = silent();
    driven.answer = () => TIMES_OUT;
    drive(driven, 20_250, 27_000);
    driven.table.setRoster([watched(M, { serviceProbes: [probe({ port: 1 })] })], at(27_100));
    driven.answer = () => NOT_SENT;
    drive(driven, 27_250, 30_000);
    expect(driven.table.opinion(M)?.verdict).toBe('suspect');
  });

  it.each([
    ['changed', [probe({ port: 1 })]],
    ['taken away', []],
  ])('that is dead stays dead when its probes are %s: what confirmed it stays what it was', (_, serviceProbes) => {
    const driven = silent();
    driven.answer = () => TIMES_OUT;
    drive(driven, 20_250, 30_000);
    const said = () => {
      const { verdict, reason, sinceMs } = driven.table.opinion(M) ?? {};
      return { verdict, reason, sinceMs };
    };
    const dead = said();
    driven.table.setRoster([watched(M, { serviceProbes })], at(30_100));
    // Past the moment a death is looked at once more.
    drive(driven, 30_250, 700_000);
    expect(dead.verdict).toBe('dead');
    expect(said()).toEqual(dead);
  });
});

describe('many members', () => {
  const fleet = (count: number) => {
    const members = Array.from({ length: count }, (_, i) => `db/m${i}` as MemberId);
    const { table } = observer(members.map((member) => watched(member, { serviceProbes: [probe()] })));
    for (const member of members) new WireAgent(member, `i-${member.replace('/', '-')}`).greet(table, 0);
    return { table, members };
  };

  it('what does not fit is put off, and everyone’s turn comes', () => {
    const { table, members } = fleet(100);
    table.tick(at(250));
    const seen = new Set<MemberId>();
    for (let round = 0; round < 12; round++) {
      const orders = table.planServiceProbes(at(4_900), { confirm: 10, watch: 10 });
      expect(orders.length).toBeLessThanOrEqual(10);
      for (const { member } of orders) expect(seen.has(member)).toBe(false);
      for (const { member } of orders) seen.add(member);
    }
    expect(seen.size).toBeGreaterThan(90);
    expect(seen.size).toBeLessThanOrEqual(members.length);
  });

  it('silent ones come first', () => {
    const { table } = fleet(8);
    const beating = Array.from({ length: 7 }, (_, i) => new WireAgent(`db/m${i + 1}`, `i-db-m${i + 1}`));
    for (const agent of beating) agent.epoch = 2n;
    for (let nowMs = 250; nowMs <= 6_000; nowMs += 250) {
      if (nowMs === 250) for (const agent of beating) agent.greet(table, nowMs);
      else for (const agent of beating) agent.send(table, nowMs);
      table.tick(at(nowMs));
    }
    const [first, ...others] = table.planServiceProbes(at(6_000), { confirm: 4, watch: 3 });
    expect(first).toMatchObject({ purpose: 'confirm', member: 'db/m0' });
    expect(others.map((order) => order.purpose)).toEqual(['watch', 'watch', 'watch']);
  });
});
