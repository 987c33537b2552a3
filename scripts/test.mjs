/**
 * `npm test`: sets up what is missing, then runs every check, and the tests for every commit
 * (test/speeds.ts), with the project's own Node; minutes. `npm run verify` runs all tests but those
 * of `npm run verify:long`.
 * Arguments go to vitest (`npm test -- --project unit`), and then nothing is left out either. The
 * last line is `N passed, N failed, N skipped`; the three static checks count as one test each.
 * Before it stand the names of the tests that passed only when they were run again (`retry` in
 * vitest.config.ts).
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RETRIED_FILE, retriedLines } from './retried-reporter.mjs';
import { run, runMain, say } from './run.mjs';
import { CACHE, ROOT, setUp } from './setup.mjs';

const [wish, ...rest] = process.argv.slice(2);
/** What is handed to vitest; `all` is the word of `npm run verify`. */
const VITEST_ARGS = wish === 'all' ? rest : process.argv.slice(2);
const SPEED = wish === undefined ? 'short' : wish === 'all' ? 'all' : 'named';

const CHECKS = ['format:check', 'lint', 'typecheck'];
const RESULTS = join(CACHE, 'test-results', `${process.pid}.json`);
const RETRIED = join(CACHE, 'test-results', `${process.pid}-retried.json`);
const REPORTER = join(ROOT, 'scripts', 'retried-reporter.mjs');

await runMain(async () => {
  const { node, env } = await setUp();
  const scripts = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts;
  const total = { passed: 0, failed: 0, skipped: 0 };
  const stopped = noteSignals();
  for (const name of CHECKS) {
    if (stopped()) break;
    say(`\n> ${name}: ${scripts[name]}`);
    const code = await run('sh', ['-c', scripts[name]], { env, cwd: ROOT });
    total[code === 0 ? 'passed' : 'failed'] += 1;
  }
  if (!stopped()) add(total, await runVitest(node, env));
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
  return stopped() ? 130 : total.failed === 0 ? 0 : 1;
});

/** After a Ctrl-C nothing further is started. */
function noteSignals() {
  let seen = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      seen = true;
    });
  }
  return () => seen;
}

async function runVitest(node, env) {
  mkdirSync(dirname(RESULTS), { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`, `--reporter=${REPORTER}`];
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const args = [vitest, 'run', ...reporters, ...VITEST_ARGS];
  const told = { ...env, [RETRIED_FILE]: RETRIED, UNDERSTUDY_TESTS: SPEED };
  const code = await run(node, args, { env: told, cwd: ROOT, watchParent: true });
  nameRetried();
  return counted(code);
}

function nameRetried() {
  try {
    for (const line of retriedLines(JSON.parse(readFileSync(RETRIED, 'utf8')))) process.stdout.write(`${line}\n`);
  } catch {
    // Vitest ended without a report; that is said elsewhere.
  } finally {
    rmSync(RETRIED, { force: true });
  }
}

/**
 * A file that could not be loaded and an error outside any test count as failures: nothing red may
 * end in `0 failed`.
 */
function counted(code) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const results = JSON.parse(readFileSync(RESULTS, 'utf8'));
    counts.passed = results.numPassedTests;
    counts.failed = results.numFailedTests;
    counts.skipped = results.numPendingTests + results.numTodoTests;
    counts.failed += results.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    ).length;
  } catch {
    say('understudy: vitest ended without a report');
  } finally {
    rmSync(RESULTS, { force: true });
  }
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

function add(total, counts) {
  for (const key of Object.keys(total)) total[key] += counts[key];
}
