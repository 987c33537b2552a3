import { durationText, type HistoryRecord, type MemberReadiness } from '@understudy/shared';
import ansis from 'ansis';
import { tableText } from '../views/format.ts';

/** One failover of the demo, as measured from outside. */
export interface RecoveryReport {
  readonly member: string;
  readonly oldInstanceId: string;
  readonly newInstanceId: string | null;
  readonly instancesLaunched: number;
  /** Failure → recovery begun. */
  readonly detectMs: number;
  /** Recovery begun → done. */
  readonly totalMs: number;
  /**
   * Time that the cloud itself, and the settle time that was asked for, needed on the longest path.
   */
  readonly criticalPathMs: number;
  readonly leaderChanges: number;
  /** Leader killed → successor leads. Null when no leader was killed. */
  readonly takeOverMs: number | null;
  readonly steps: readonly { readonly step: string; readonly ms: number | null }[];
}

export interface DemoReport {
  readonly recoveries: readonly RecoveryReport[];
  readonly falseFailovers: number;
  readonly violations: readonly string[];
  /** What would become of each member if it failed at the end, the worst first. */
  readonly readiness?: readonly MemberReadiness[];
}

/**
 * True when there was exactly one launch per failure, every recovery finished, and nothing else was
 * touched.
 */
export const succeeded = (report: DemoReport, expectedRecoveries: number): boolean =>
  report.recoveries.length === expectedRecoveries &&
  report.recoveries.every((each) => each.newInstanceId !== null && each.instancesLaunched === 1) &&
  report.falseFailovers === 0 &&
  report.violations.length === 0;

export function recoveryReport(
  history: HistoryRecord,
  measured: { failedAtWallMs: number; instancesLaunched: number; criticalPathMs: number; takeOverMs: number | null },
): RecoveryReport {
  return {
    member: history.member,
    oldInstanceId: history.oldInstanceId,
    newInstanceId: history.newInstanceId,
    instancesLaunched: measured.instancesLaunched,
    detectMs: Math.round(history.startedAtWallMs - measured.failedAtWallMs),
    totalMs: Math.round(history.endedAtWallMs - history.startedAtWallMs),
    criticalPathMs: Math.round(measured.criticalPathMs),
    leaderChanges: history.leaderChanges,
    takeOverMs: measured.takeOverMs === null ? null : Math.round(measured.takeOverMs),
    steps: history.steps.map((each) => ({
      step: each.step,
      ms: each.endedAtWallMs === null ? null : Math.round(each.endedAtWallMs - each.startedAtWallMs),
    })),
  };
}

function recoveryText(each: RecoveryReport): string {
  const ratio =
    each.criticalPathMs > 0
      ? ` (${(each.totalMs / each.criticalPathMs).toFixed(2)} × the cloud's own ${durationText(each.criticalPathMs)})`
      : '';
  const takeOver = each.takeOverMs === null ? '' : `, of which ${durationText(each.takeOverMs)} without a leader`;
  const launches =
    each.instancesLaunched === 1
      ? ansis.green('1 instance launched')
      : ansis.red(`${each.instancesLaunched} instances launched`);
  const steps = each.steps.map((step) => [`  ${step.step}`, step.ms === null ? '-' : durationText(step.ms)]);
  return [
    `${ansis.bold(each.member)}: ${each.oldInstanceId} → ${each.newInstanceId ?? 'nothing'}, ${launches}`,
    `  noticed after ${durationText(each.detectMs)}, replaced in ${durationText(each.totalMs)}${ratio}${takeOver}`,
    tableText(['  step', 'took'], steps),
  ].join('\n');
}

/** The summary at the end. */
export function reportText(report: DemoReport, expectedRecoveries: number): string {
  const verdict = succeeded(report, expectedRecoveries)
    ? ansis.green(`Every failure was replaced exactly once; nothing else was touched.`)
    : ansis.red('Not as promised: see above.');
  return [
    ...report.recoveries.map(recoveryText),
    `false failovers: ${report.falseFailovers}`,
    ...report.violations.map((each) => ansis.red(`violation: ${each}`)),
    verdict,
  ].join('\n\n');
}
