import { type Clock, errorText } from '@understudy/shared';
import { type Finding, warning, worstFirst, type Severity } from './finding.ts';

/** Longest time one check may take, in ms. What it would have found is then not known. */
const CHECK_TIMEOUT_MS = 15_000;

/**
 * One thing that `doctor` looks at. Facts are probed by I/O; the verdict over them is pure, so that
 * a test can show it every case.
 */
export interface Check<Host> {
  /** `etcd version`: short, unique among the checks of a kind of host. */
  readonly name: string;
  readonly run: (host: Host) => Promise<readonly Finding[]>;
}

export const check = <Host, Facts>(
  name: string,
  probe: (host: Host) => Promise<Facts> | Facts,
  judge: (facts: Facts) => readonly Finding[],
): Check<Host> => ({ name, run: async (host) => judge(await probe(host)) });

/** A finding with the check that found it. */
export interface Found extends Finding {
  readonly check: string;
}

/** What `doctor` says. */
export interface DoctorReport {
  readonly host: string;
  readonly worst: Severity;
  /** The worst first. */
  readonly findings: readonly Found[];
}

const unknown = (text: string): Finding =>
  warning(`could not be found out: ${text}`, 'see that what the text names can be reached, and run doctor again');

async function runOne<Host>({ name, run }: Check<Host>, host: Host, clock: Clock): Promise<readonly Found[]> {
  const { promise: late, resolve } = Promise.withResolvers<readonly Finding[]>();
  const timer = clock.setTimer(CHECK_TIMEOUT_MS, () => resolve([unknown(`no result after ${CHECK_TIMEOUT_MS} ms`)]));
  try {
    const found = await Promise.race([run(host), late]);
    return found.map((one) => ({ check: name, ...one }));
  } catch (error) {
    return [{ check: name, ...unknown(errorText(error)) }];
  } finally {
    timer.cancel();
  }
}

/** Runs all checks side by side. One that fails or hangs is a warning of its own. */
export async function runChecks<Host>(
  name: string,
  checks: readonly Check<Host>[],
  host: Host,
  clock: Clock,
): Promise<DoctorReport> {
  const all = await Promise.all(checks.map((one) => runOne(one, host, clock)));
  const findings = all.flat().toSorted(worstFirst);
  return { host: name, worst: findings[0]?.severity ?? 'ok', findings };
}
