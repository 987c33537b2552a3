import { RecordingLog, SimClock } from '@understudy/shared/testing';
import { describe, expect, it } from 'vitest';
import { type ServiceUnits, withdrawTarget } from './target-withdrawal.ts';

const TARGET = 'understudy-active.target';
const LIMITS = { stopMs: 10_000, killMs: 5_000 };

interface Behaviour {
  /** Time from SIGTERM to the end. `never`: it ignores the signal. */
  readonly stopMs: number | 'never';
  /** It hangs in the kernel: SIGKILL does not end it. */
  readonly unkillable?: true;
}

/** Plays systemd: a target, workloads that follow it, and somebody else at the keyboard. */
class PlayedSystemd implements ServiceUnits {
  readonly calls: string[] = [];
  readonly #clock: SimClock;
  readonly #workloads: ReadonlyMap<string, Behaviour>;
  readonly #up: Set<string>;
  readonly #stopping = new Set<string>();
  /** Until when nothing is answered, as with a bus that hangs. Each call takes 3 s then. */
  hungUntilMs = 0;
  stopsRefused = 0;
  /** Called right after a stop has been queued. */
  afterStop: () => void = () => undefined;

  constructor(clock: SimClock, workloads: Readonly<Record<string, Behaviour>>) {
    this.#clock = clock;
    this.#workloads = new Map(Object.entries(workloads));
    this.#up = new Set([TARGET, ...this.#workloads.keys()]);
  }

  get serving(): boolean {
    return [...this.#workloads.keys()].some((name) => this.#up.has(name));
  }

  async look(names: readonly string[]) {
    this.calls.push('look');
    if (await this.#hangs()) return null;
    const units = names.map((name) => ({
      name,
      loaded: name === TARGET || this.#workloads.has(name),
      activeState: this.#stateOf(name),
      jobPending: this.#stopping.has(name),
      tasks: 0,
    }));
    return {
      units,
      alsoFound: [...this.#workloads.keys()].filter((name) => this.#up.has(name) && !names.includes(name)),
    };
  }

  async stop(names: readonly string[]) {
    this.calls.push(`stop ${names.join(' ')}`);
    if (await this.#hangs()) return false;
    if (this.stopsRefused > 0) {
      this.stopsRefused--;
      return false;
    }
    for (const name of this.#up) this.#beginStop(name);
    this.afterStop();
    return true;
  }

  async kill(names: readonly string[]) {
    this.calls.push(`kill ${names.join(' ')}`);
    if (await this.#hangs()) return false;
    for (const name of names) if (!this.#workloads.get(name)?.unkillable) this.#end(name);
    return true;
  }

  /** `systemctl cancel`: whoever is root can do even that to an irreversible job. */
  cancelJobs(): void {
    this.#stopping.clear();
  }

  async #hangs(): Promise<boolean> {
    if (this.#clock.monotonicMs() >= this.hungUntilMs) return false;
    await this.#clock.sleep(3_000);
    return true;
  }

  #stateOf(name: string): string {
    if (!this.#up.has(name)) return 'inactive';
    return this.#stopping.has(name) && name !== TARGET ? 'deactivating' : 'active';
  }

  #beginStop(name: string): void {
    this.#stopping.add(name);
    const stopMs = name === TARGET ? 0 : (this.#workloads.get(name)?.stopMs ?? 0);
    if (stopMs === 'never') return;
    this.#clock.setTimer(stopMs, () => this.#stopping.has(name) && this.#end(name));
  }

  #end(name: string): void {
    this.#up.delete(name);
    this.#stopping.delete(name);
  }
}

async function withdrawal(systemd: (clock: SimClock) => PlayedSystemd, names = [TARGET, 'db.service']) {
  const clock = new SimClock();
  const units = systemd(clock);
  const log = new RecordingLog();
  const done = withdrawTarget(names, { units, clock, log, limits: LIMITS }).then(
    () => 'stopped',
    (error: unknown) => String(error),
  );
  const outcome = await clock.runUntilSettled(done);
  return { outcome, units, log, tookMs: clock.monotonicMs() };
}

describe('withdrawing a target', () => {
  it('a workload that stops in order is not killed, and done is said only after it is down', async () => {
    const { outcome, units, tookMs } = await withdrawal(
      (clock) => new PlayedSystemd(clock, { 'db.service': { stopMs: 2_000 } }),
    );
    expect(outcome).toBe('stopped');
    expect(units.serving).toBe(false);
    expect(units.calls.some((call) => call.startsWith('kill'))).toBe(false);
    expect(tookMs).toBeGreaterThanOrEqual(2_000);
    expect(tookMs).toBeLessThan(2_400);
  });

  it('a stop that somebody cancels is given again', async () => {
    const { outcome, units } = await withdrawal((clock) => {
      const systemd = new PlayedSystemd(clock, { 'db.service': { stopMs: 500 } });
      let cancelled = false;
      systemd.afterStop = () => {
        if (!cancelled) systemd.cancelJobs();
        cancelled = true;
      };
      return systemd;
    });
    expect(outcome).toBe('stopped');
    expect(units.serving).toBe(false);
    expect(units.calls.filter((call) => call.startsWith('stop'))).toHaveLength(2);
  });

  it('a stop that is refused is given again', async () => {
    const { outcome, units } = await withdrawal((clock) => {
      const systemd = new PlayedSystemd(clock, { 'db.service': { stopMs: 0 } });
      systemd.stopsRefused = 3;
      return systemd;
    });
    expect(outcome).toBe('stopped');
    expect(units.calls.filter((call) => call.startsWith('stop'))).toHaveLength(4);
  });

  it('a workload that ignores SIGTERM is killed at the end of its time', async () => {
    const { outcome, units, log, tookMs } = await withdrawal(
      (clock) => new PlayedSystemd(clock, { 'db.service': { stopMs: 'never' } }),
    );
    expect(outcome).toBe('stopped');
    expect(units.calls).toContain('kill db.service');
    expect(log.events()).toEqual(['activation.workload.killed']);
    expect(tookMs).toBeGreaterThanOrEqual(LIMITS.stopMs);
    expect(tookMs).toBeLessThan(LIMITS.stopMs + 1_000);
  });

  it('a workload nobody named, but that follows the target, is stopped and killed as well', async () => {
    const stubborn = (clock: SimClock) => new PlayedSystemd(clock, { 'db.service': { stopMs: 'never' } });
    const { outcome, units } = await withdrawal(stubborn, [TARGET]);
    expect(outcome).toBe('stopped');
    expect(units.calls).toContain('kill db.service');
  });

  it('a process that hangs in the kernel is stuck after both times, by name', async () => {
    const hung = { 'db.service': { stopMs: 'never', unkillable: true } } as const;
    const { outcome, units, tookMs } = await withdrawal((clock) => new PlayedSystemd(clock, hung));
    expect(outcome).toMatch(/WORKLOAD_STUCK: still up: .*db\.service/);
    expect(units.serving).toBe(true);
    expect(tookMs).toBe(LIMITS.stopMs + LIMITS.killMs);
  });

  it('a systemd that never answers is stuck in time, give or take one command', async () => {
    const { outcome, tookMs } = await withdrawal((clock) => {
      const systemd = new PlayedSystemd(clock, { 'db.service': { stopMs: 0 } });
      systemd.hungUntilMs = Number.POSITIVE_INFINITY;
      return systemd;
    });
    expect(outcome).toMatch(/WORKLOAD_STUCK: systemd does not tell of/);
    expect(tookMs).toBeLessThanOrEqual(LIMITS.stopMs + LIMITS.killMs + 3_000);
  });

  it('a systemd that hangs for a while loses nothing', async () => {
    const { outcome, units } = await withdrawal((clock) => {
      const systemd = new PlayedSystemd(clock, { 'db.service': { stopMs: 100 } });
      systemd.hungUntilMs = 6_000;
      return systemd;
    });
    expect([outcome, units.serving]).toEqual(['stopped', false]);
  });
});
