import { describeFault } from './faults/fault.ts';
import { INVARIANTS } from './invariants/invariant.ts';
import { replayCommand } from './replay-command.ts';
import type { RunResult } from './simulation.ts';

const hours = (ms: number): string => (ms / 3_600_000).toFixed(2);
const clockTime = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

const wayText = (spec: RunResult['spec']): string => {
  const { way, places, prepare, makes, events, follows, enrols, inventory, commands } = spec;
  return [
    way ?? 'as told',
    ...(places ? [`places ${places}`] : []),
    ...(prepare ? [`reads ${prepare}`] : []),
    ...(makes === true ? ['makes'] : []),
    ...(events && events !== 'off' ? [`events ${events}`] : []),
    ...(follows === true ? ['address follows'] : []),
    ...(enrols === true ? ['some enrol'] : []),
    ...(inventory === true ? ['inventory'] : []),
    ...(commands === true ? ['hooks on instances'] : []),
  ].join(', ');
};

/** What a run did, in a few lines. `cpuMs`: processor time it took. */
export function summaryOf(result: RunResult, cpuMs: number): string {
  const { spec, simulatedMs, eventCount, outcomes, tally, traceHash } = result;
  const keys = Object.entries(result.enrolment).map(([what, times]) => `${what} ${times}`);
  const happened = outcomes.filter((one) => one.result === 'happened').length;
  return [
    `seed ${spec.seed} (${wayText(spec)}): ${hours(simulatedMs)} h simulated (${Math.round(simulatedMs / cpuMs)} × processor time), ${eventCount} events`,
    `  ${happened} of ${outcomes.length} faults happened; ${tally.text()}`,
    ...(keys.length > 0 ? [`  keys for identities: ${keys.join(', ')}`] : []),
    `  trace ${traceHash}; ${result.violations.length === 0 ? 'no violation' : `${result.violations.length} VIOLATIONS`}`,
  ].join('\n');
}

/** Why it failed, what led there, and how to see it again. */
export function failureOf(result: RunResult): string {
  const happened = result.outcomes
    .filter((one) => one.result !== 'waiting')
    .map(({ fault, result: what }) => `  ${what.padEnd(14)} ${describeFault(fault)}`);
  return [
    ...result.violations.map(
      ({ invariant, atMs, text }) => `${invariant} (${INVARIANTS[invariant]}) broken at ${clockTime(atMs)}: ${text}`,
    ),
    'faults:',
    ...(happened.length > 0 ? happened : result.faults.flat().map((fault) => `  ${describeFault(fault)}`)),
    'before it:',
    ...result.lastLines.slice(-25).map((line) => `  ${line}`),
    `again: ${replayCommand(result.spec)}`,
  ].join('\n');
}
