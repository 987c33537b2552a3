import { monotonicMs, type MonotonicMs, type ProbeReport, ServiceProbeSchema } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import type { ProbeRoom, ServiceOrder } from '../core/service-types.ts';
import { ServiceProber } from './service-prober.ts';

const PROBE = ServiceProbeSchema.parse({ kind: 'tcp', port: 5_432 });
const PASSES: ProbeReport = { host: 'answered', code: 'Passing', httpStatus: null, expiresSoon: false };

const order = (purpose: ServiceOrder['purpose'], index: number): ServiceOrder => ({
  purpose,
  member: `db/m${index}`,
  probe: PROBE,
  to: { address: '10.0.0.7', port: 5_432 },
  timeoutMs: 1_000,
  plannedAtMs: monotonicMs(0),
  index: 0,
  epoch: 1,
  suspectSinceMs: null,
});

/** A table that always has more to look at than fits. */
function setUp(answer: (order: ServiceOrder, signal: AbortSignal) => Promise<ProbeReport>, wants = 10_000) {
  const reports: ProbeReport[] = [];
  const rooms: ProbeRoom[] = [];
  let next = 0;
  const table = {
    planServiceProbes: (_nowMs: MonotonicMs, room: ProbeRoom) => {
      rooms.push(room);
      return Array.from({ length: Math.min(wants, room.watch) }, () => order('watch', next++));
    },
    serviceResult: (_order: ServiceOrder, report: ProbeReport) => void reports.push(report),
  };
  const clock = new SimClock();
  const log = new RecordingLog();
  const prober = new ServiceProber({
    table,
    clock,
    log,
    probe: (_p, _to, _ms, signal) => answer(order('watch', 0), signal),
  });
  return { prober, clock, log, reports, rooms, begun: () => next };
}

describe('the prober', () => {
  it('has at most 64 looks that watch under way, and puts the others off', async () => {
    const ends: (() => void)[] = [];
    const { prober, clock, begun, reports } = setUp(() => new Promise((resolve) => ends.push(() => resolve(PASSES))));
    for (let tick = 0; tick < 10; tick++) prober.tick(clock.monotonicMs());
    expect([begun(), prober.underWayCount]).toEqual([64, 64]);
    for (const end of ends.splice(0, 10)) end();
    await clock.advance(0);
    expect(prober.underWayCount).toBe(54);
    prober.tick(clock.monotonicMs());
    expect([begun(), reports.length]).toEqual([74, 10]);
  });

  it('leaves room for looks that confirm a silence', () => {
    const { prober, clock, rooms } = setUp(() => new Promise(() => undefined));
    prober.tick(clock.monotonicMs());
    prober.tick(clock.monotonicMs());
    expect(rooms).toEqual([
      { confirm: 64, watch: 64 },
      { confirm: 64, watch: 0 },
    ]);
  });

  it('a look that breaks proves nothing, and is said', async () => {
    const { prober, clock, log, reports } = setUp(() => Promise.reject(new Error('a bug')), 1);
    prober.tick(clock.monotonicMs());
    await clock.advance(0);
    expect(reports).toEqual([{ host: 'not-sent', code: 'NotSent', httpStatus: null, expiresSoon: false }]);
    expect(log.lines.map((line) => line.event)).toEqual(['service_probe.broken']);
    expect(prober.underWayCount).toBe(0);
    expect([...prober.counts]).toEqual([['NotSent', 1]]);
  });

  it('stopped, it aborts what is under way and begins nothing', () => {
    const signals: AbortSignal[] = [];
    const { prober, clock, begun } = setUp((_order, signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    });
    prober.tick(clock.monotonicMs());
    prober.stop();
    expect(signals.every((signal) => signal.aborted)).toBe(true);
    prober.tick(clock.monotonicMs());
    expect(begun()).toBe(64);
  });
});
