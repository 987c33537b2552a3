import { type MonotonicMs, monotonicMs } from '@understudy/shared';
import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { serviceManager } from './adapters/sd-notify.ts';
import { mayPing } from './core/service-ping.ts';
import { ServiceNotifier } from './service-notifier.ts';

function notified(watchdogMs: number | null = 60_000) {
  const clock = new SimClock();
  const log = new RecordingLog();
  const told: (readonly string[])[] = [];
  const state = { beatAtMs: null as MonotonicMs | null, status: 'standby', works: true, takesMs: 0 };
  const manager = {
    watchdogMs,
    tell: async (lines: readonly string[]) => {
      told.push(lines);
      if (state.takesMs > 0) await clock.sleep(state.takesMs);
      return state.works;
    },
  };
  const pulse = () => ({ beatAtMs: state.beatAtMs, intervalMs: 1_000 });
  const notifier = new ServiceNotifier({ manager, clock, log, pulse, status: () => state.status });
  const pings = () => told.filter((lines) => lines.includes('WATCHDOG=1')).length;
  return { notifier, clock, log, told, state, pings };
}

describe('what systemd is told', () => {
  it('ready at once, and the status', async () => {
    const { notifier, clock, told } = notified();
    notifier.start();
    await clock.advance(1);
    expect(told).toEqual([['READY=1', 'STATUS=standby', 'WATCHDOG=1']]);
  });

  it('four pings a period while heartbeats go out, none once they do not, and again when they do', async () => {
    const { notifier, clock, log, state, pings } = notified();
    notifier.start();
    const beating = async (ms: number) => {
      for (let leftMs = ms; leftMs > 0; leftMs -= 1_000) {
        state.beatAtMs = clock.monotonicMs();
        await clock.advance(1_000);
      }
    };
    await beating(60_000);
    expect(pings()).toBe(5);
    await clock.advance(60_000);
    expect(pings()).toBe(5);
    expect(log.events()).toEqual(['service.ping.withheld']);
    await beating(15_000);
    expect(pings()).toBe(6);
  });

  it('a changed status once; without a watchdog nothing else', async () => {
    const { notifier, clock, told, state } = notified(null);
    notifier.start();
    await clock.advance(31_000);
    state.status = 'active';
    await clock.advance(31_000);
    expect(told).toEqual([['READY=1', 'STATUS=standby'], ['STATUS=active']]);
  });

  it('that it stops, and with every ping that it needs more time for that', async () => {
    const { notifier, clock, told } = notified();
    notifier.start();
    await clock.advance(1);
    notifier.stopping();
    await clock.advance(30_000);
    expect(told.slice(1)).toEqual([
      ['STOPPING=1', 'EXTEND_TIMEOUT_USEC=30000000'],
      ['WATCHDOG=1', 'EXTEND_TIMEOUT_USEC=30000000'],
      ['WATCHDOG=1', 'EXTEND_TIMEOUT_USEC=30000000'],
    ]);
    notifier.close();
    await clock.advance(60_000);
    expect(told).toHaveLength(4);
  });

  it('never by two processes at a time, and says once that it cannot be told', async () => {
    const { notifier, clock, log, told, state } = notified();
    state.works = false;
    state.takesMs = 40_000;
    notifier.start();
    await clock.advance(120_000);
    expect(told.length).toBe(3);
    expect(log.events()).toEqual(['service.not-told']);
    state.works = true;
    await clock.advance(120_000);
    expect(log.events()).toEqual(['service.not-told', 'service.told-again']);
  });
});

describe('a ping', () => {
  it.each([
    ['before there are heartbeats', null, 1_000, true],
    ['right after one', 100_000, 1_000, true],
    ['five seconds after the last, however fast they are', 95_000, 100, true],
    ['more than that after', 94_999, 100, false],
    ['five intervals after the last, where they are slow', 50_000, 10_000, true],
    ['more than that', 49_999, 10_000, false],
  ])('%s', (_name, beatAtMs, intervalMs, may) => {
    const pulse = { beatAtMs: beatAtMs === null ? null : monotonicMs(beatAtMs), intervalMs };
    expect(mayPing(pulse, monotonicMs(100_000))).toBe(may);
  });
});

describe('the service manager', () => {
  const clock = new SimClock();

  it('is there when it says where, and watches when it says how long', () => {
    expect(serviceManager({}, clock)).toBeNull();
    expect(serviceManager({ NOTIFY_SOCKET: '/run/s' }, clock)?.watchdogMs).toBeNull();
    expect(serviceManager({ NOTIFY_SOCKET: '/run/s', WATCHDOG_USEC: '20000000' }, clock)?.watchdogMs).toBe(20_000);
    const another = { NOTIFY_SOCKET: '/run/s', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' };
    expect(serviceManager(another, clock)?.watchdogMs).toBeNull();
  });

  it('is not there for hooks and checks', () => {
    const environment = { NOTIFY_SOCKET: '/run/s', WATCHDOG_USEC: '1', WATCHDOG_PID: '1', PATH: '/bin' };
    serviceManager(environment, clock);
    expect(environment).toEqual({ PATH: '/bin' });
  });
});
