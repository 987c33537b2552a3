import type { CheckReading, Clock, Log, Random } from '@understudy/shared';
import type { Check } from './checks/check.ts';
import { CheckRunner } from './checks/check-runner.ts';
import type { ChecksConfig } from './config-checks.ts';
import { checkReading, worstOf } from './core/check-state.ts';

export type CheckName = 'network' | 'storage' | 'metadata' | 'pressure' | 'clock';

/**
 * The checks there are. A missing one is not run, and its slot says `absent`. `custom` has one per
 * configured custom check, in order.
 */
export type Checks = Partial<Readonly<Record<CheckName, Check>>> & { readonly custom?: readonly Check[] };

interface BoardParts {
  readonly config: ChecksConfig;
  readonly checks: Checks;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const NAMES = ['network', 'storage', 'metadata', 'pressure', 'clock'] as const;
export const ABSENT: CheckReading = { status: 'absent', code: 0, ageSeconds: 0 };

/**
 * Runs every check that is switched on and keeps what the slots of a heartbeat say. A check that is
 * off has no timer.
 */
export class CheckBoard {
  readonly #clock: Clock;
  readonly #runners = new Map<CheckName, CheckRunner>();
  readonly #custom: readonly CheckRunner[];

  constructor(parts: BoardParts) {
    const { config, checks, clock } = parts;
    this.#clock = clock;
    for (const name of NAMES) {
      const check = checks[name];
      const schedule = config[name];
      if (check && schedule.enabled) this.#runners.set(name, new CheckRunner({ ...parts, name, check, schedule }));
    }
    this.#custom = config.custom.flatMap((schedule, index) => {
      const check = checks.custom?.[index];
      if (!check || !schedule.enabled) return [];
      return [new CheckRunner({ ...parts, name: `custom:${schedule.name}`, check, schedule })];
    });
  }

  start(): void {
    for (const runner of this.#all()) runner.start();
  }

  stop(): void {
    for (const runner of this.#all()) runner.stop();
  }

  /** Readings by slot (docs/heartbeat-protocol.md). The caller gives `hooks`. Never waits. */
  readings(hooks: CheckReading): readonly CheckReading[] {
    const nowMs = this.#clock.monotonicMs();
    const slot = (name: CheckName): CheckReading => {
      const runner = this.#runners.get(name);
      return runner ? checkReading(runner.state, nowMs) : ABSENT;
    };
    const worst = worstOf(this.#custom.map(({ state }) => state));
    const custom = worst ? checkReading(worst, nowMs) : ABSENT;
    return [slot('network'), slot('storage'), slot('metadata'), hooks, slot('pressure'), slot('clock'), custom];
  }

  #all(): readonly CheckRunner[] {
    return [...this.#runners.values(), ...this.#custom];
  }
}
