/**
 * A vitest reporter that writes down which tests passed only when they were run again, and how they
 * failed before. No test may rely on that: it is for a noisy machine, and a name that comes up
 * often is a defect. `scripts/test.mjs` shows it at the end of a run.
 */
import { writeFileSync } from 'node:fs';

/** Path of the file, as JSON: `[{ name, file, retries, error }]`. */
export const RETRIED_FILE = 'UNDERSTUDY_RETRIED_FILE';

export default class RetriedReporter {
  #retried = [];

  /** @param {any} test vitest's TestCase */
  onTestCaseResult(test) {
    const retries = test.diagnostic()?.retryCount ?? 0;
    if (retries === 0 || test.result().state !== 'passed') return;
    const error = test.result().errors?.[0]?.message ?? '';
    this.#retried.push({
      name: test.fullName,
      file: test.module.relativeModuleId,
      retries,
      error: error.split('\n')[0],
    });
  }

  onTestRunEnd() {
    const file = process.env[RETRIED_FILE];
    if (file) writeFileSync(file, JSON.stringify(this.#retried));
  }
}

/**
 * What is said of them at the end of a run, a line each; none when there are none.
 * @param {readonly { name: string, file: string, retries: number, error: string }[]} retried
 * @returns {string[]}
 */
export function retriedLines(retried) {
  if (retried.length === 0) return [];
  const one = ({ name, file, retries, error }) =>
    `  ${file} > ${name} (${retries} more ${retries === 1 ? 'time' : 'times'})${error ? `: first ${error}` : ''}`;
  return [`${retried.length} passed only when run again:`, ...retried.map(one)];
}
