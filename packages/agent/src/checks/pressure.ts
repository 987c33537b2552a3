import type { CheckResult } from '../core/check-state.ts';
import type { Check } from './check.ts';
import type { PressureShares } from './proc-parsers.ts';

/** Limits in percent of the last minute; `undefined` = none. */
export interface PressureLimits {
  readonly cpuWarnPercent: number;
  readonly cpuFailPercent?: number | undefined;
  readonly memoryWarnPercent: number;
  readonly memoryFailPercent?: number | undefined;
}

/**
 * The kernel's pressure stall information (Linux, Documentation/accounting/psi.rst). Rejects where
 * there is none.
 */
export interface PressureSource {
  cpu(): Promise<PressureShares>;
  memory(): Promise<PressureShares>;
}

/**
 * Judges pressure. For the CPU it counts when some process waits, because a machine never waits as
 * a whole for its own CPUs. For memory it counts when all wait at once, because one process that
 * faults its pages back in is everyday. Failing goes before warning, and memory before CPU, because
 * memory pressure often causes CPU pressure.
 */
export function judgePressure(cpu: PressureShares, memory: PressureShares, limits: PressureLimits): CheckResult {
  const detail = `cpu ${cpu.somePercent} %, memory ${memory.fullPercent} % of the last minute`;
  if (reaches(memory.fullPercent, limits.memoryFailPercent)) return { status: 'fail', code: 'memoryPressure', detail };
  if (reaches(cpu.somePercent, limits.cpuFailPercent)) return { status: 'fail', code: 'cpuPressure', detail };
  if (reaches(memory.fullPercent, limits.memoryWarnPercent)) return { status: 'warn', code: 'memoryPressure', detail };
  if (reaches(cpu.somePercent, limits.cpuWarnPercent)) return { status: 'warn', code: 'cpuPressure', detail };
  return { status: 'pass', code: 'none', detail };
}

const reaches = (percent: number, limit: number | undefined): boolean => limit !== undefined && percent >= limit;

export function pressureCheck(source: PressureSource, limits: PressureLimits): Check {
  return {
    async run() {
      const [cpu, memory] = await Promise.all([source.cpu(), source.memory()]);
      return judgePressure(cpu, memory, limits);
    },
  };
}
