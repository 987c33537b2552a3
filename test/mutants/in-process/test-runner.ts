import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { MutantCoverage } from '@stryker-mutator/api/core';
import {
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  type TestResult,
  type TestRunner,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import { type File, startTests, type Suite, type Task, type Test, type VitestRunner } from '@vitest/runner';
import { answerForVitest, testFileAt } from './test-files.ts';
import { checkAssertions, forgetAssertions } from './vitest-surface.ts';

/** The variables that the mutated code reads (mutation switching of Stryker's instrumenter). */
interface Switchboard {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: MutantCoverage | undefined;
}

/**
 * A mutant that makes a test hang is found after this long. No test of a room takes nearly as much.
 */
const TEST_TIMEOUT_MS = 20_000;

/** A failure of a test that takes longer is believed without running it again. */
const QUICK_MS = 500;
/**
 * How long each test took without a mutant, for later processes. The file is in the tree, which is
 * where they run.
 */
const DURATIONS = 'mutants-durations.json';

const namesOf = (task: Task): readonly string[] => (task.suite ? [...namesOf(task.suite), task.name] : [task.name]);
const idOf = (test: Test): string => `${relative(process.cwd(), test.file.filepath)}#${namesOf(test).join(' > ')}`;
const testsIn = (suite: Suite | File): readonly Test[] =>
  suite.tasks.flatMap((task) => (task.type === 'suite' ? testsIn(task) : [task]));

/**
 * Skips unwanted tests, and the hooks of suites that have nothing else. Says whether anything is
 * left.
 */
function keepOnly(suite: Suite | File, wanted: ReadonlySet<string>): boolean {
  const left = suite.tasks.map((task) => {
    if (task.type === 'suite') return keepOnly(task, wanted);
    if (!wanted.has(idOf(task))) task.mode = 'skip';
    return task.mode !== 'skip';
  });
  if (!left.includes(true)) suite.mode = 'skip';
  return left.includes(true);
}

/** Stands for the tests of a file while the file registers them and while its hooks run. */
const ownerOf = (file: string): string => `${relative(process.cwd(), file)}#`;

/**
 * Mutants that a file reaches outside of its tests are reached again whenever one of its tests is
 * run, so they belong to those tests. Only what the loading of modules reaches is left as static.
 */
function shareAmongTests(perTest: MutantCoverage['perTest'], tests: readonly TestResult[]): void {
  for (const { id, fileName = '' } of tests) {
    const own = (perTest[id] ??= {});
    for (const [mutant, hits] of Object.entries(perTest[ownerOf(fileName)] ?? {}))
      own[mutant] = (own[mutant] ?? 0) + hits;
  }
  for (const { fileName = '' } of tests) delete perTest[ownerOf(fileName)];
}

function outcomeOf(test: Test): TestResult {
  const seen = { id: idOf(test), name: namesOf(test).join(' > '), timeSpentMs: test.result?.duration ?? 0 };
  const at = { ...seen, fileName: test.file.filepath };
  if (test.result?.state === 'pass') return { ...at, status: TestStatus.Success };
  if (test.mode === 'skip' || test.mode === 'todo') return { ...at, status: TestStatus.Skipped };
  const failureMessage = test.result?.errors?.[0]?.message ?? 'it did not end';
  return { ...at, status: TestStatus.Failed, failureMessage };
}

/**
 * Tries mutants in the process they are loaded in. The code under test is loaded once, the mutant
 * is switched on, and only the tests that reach it are run. Vitest itself starts a worker and loads
 * every module again for each mutant, which takes ten times as long. One mutant's remains must not
 * kill the next: after a failure of a quick test it is run without the mutant. Where it fails too,
 * this process gives up and the mutant is tried in a new one.
 */
export class InProcessTestRunner implements TestRunner {
  readonly #files: readonly string[];
  readonly #switchboard: Switchboard;
  #bodies: ReadonlyMap<string, () => void> | null = null;
  #durations: ReadonlyMap<string, number> | null = null;
  #unhandled: unknown[] = [];

  constructor(files: readonly string[], switchboard: Switchboard) {
    this.#files = files;
    this.#switchboard = switchboard;
  }

  /**
   * A mutant that works while a module is loaded needs a new process, because nothing is loaded
   * twice here.
   */
  capabilities(): { readonly reloadEnvironment: boolean } {
    return { reloadEnvironment: false };
  }

  async init(): Promise<void> {
    process.env['NODE_ENV'] = 'test';
    process.env['NO_COLOR'] = '1';
    answerForVitest();
    for (const event of ['unhandledRejection', 'uncaughtException'])
      process.on(event, (error: unknown) => void this.#unhandled.push(error));
  }

  async dryRun(): Promise<DryRunResult> {
    this.#switchboard.activeMutant = undefined;
    const result = await this.#run(null);
    if (result.status !== DryRunStatus.Complete) return result;
    writeFileSync(DURATIONS, JSON.stringify(result.tests.map(({ id, timeSpentMs }) => [id, timeSpentMs])));
    const { mutantCoverage } = this.#switchboard;
    if (mutantCoverage) shareAmongTests(mutantCoverage.perTest, result.tests);
    return { ...result, ...(mutantCoverage ? { mutantCoverage } : {}) };
  }

  async mutantRun({
    activeMutant,
    testFilter,
    hitLimit,
    mutantActivation,
  }: MutantRunOptions): Promise<MutantRunResult> {
    const board = this.#switchboard;
    Object.assign(board, { hitCount: 0, hitLimit });
    if (mutantActivation === 'static') board.activeMutant = activeMutant.id;
    await this.#load();
    board.activeMutant = activeMutant.id;
    const result = await this.#run(testFilter ? new Set(testFilter) : null);
    const timedOut = determineHitLimitReached(board.hitCount, hitLimit);
    Object.assign(board, { activeMutant: undefined, hitLimit: undefined });
    if (mutantActivation === 'runtime' && !timedOut) await this.#proveClean(result);
    return toMutantRunResult(timedOut ?? result);
  }

  async #proveClean(result: DryRunResult): Promise<void> {
    if (result.status !== DryRunStatus.Complete) return;
    const failed = result.tests.find(({ status }) => status === TestStatus.Failed);
    if (!failed || (this.#tookMs().get(failed.id) ?? 0) > QUICK_MS) return;
    const again = await this.#run(new Set([failed.id]));
    const clean =
      again.status === DryRunStatus.Complete && again.tests.every(({ status }) => status !== TestStatus.Failed);
    if (!clean) throw new Error(`"${failed.name}" fails without the mutant too: this process is spoilt`);
  }

  #tookMs(): ReadonlyMap<string, number> {
    this.#durations ??= new Map(existsSync(DURATIONS) ? JSON.parse(readFileSync(DURATIONS, 'utf8')) : []);
    return this.#durations;
  }

  /** Quick files come first, because the first failure ends it. */
  #filesFor(wanted: ReadonlySet<string>): readonly string[] {
    const tookMs = this.#tookMs();
    const costs = this.#files.map((file) => {
      const own = [...wanted].filter((id) => id.startsWith(ownerOf(file)));
      return { file, count: own.length, costMs: own.reduce((sum, id) => sum + (tookMs.get(id) ?? 0), 0) };
    });
    const reached = costs.filter(({ count }) => count > 0);
    return reached.sort((one, other) => one.costMs - other.costMs).map(({ file }) => file);
  }

  async #load(): Promise<ReadonlyMap<string, () => void>> {
    if (this.#bodies) return this.#bodies;
    const bodies = new Map<string, () => void>();
    for (const file of this.#files) bodies.set(file, await testFileAt(file));
    this.#bodies = bodies;
    return bodies;
  }

  /** Runs these tests, or all without any. Ends with the first that fails while a mutant is on. */
  async #run(wanted: ReadonlySet<string> | null): Promise<DryRunResult> {
    this.#unhandled = [];
    const bodies = await this.#load();
    const files = wanted === null ? this.#files : this.#filesFor(wanted);
    const tests: TestResult[] = [];
    for (const file of files) {
      const [ran] = await startTests([file], this.#runnerOf(bodies, wanted));
      this.#switchboard.currentTestId = undefined;
      if (!ran) continue;
      if (ran.result?.state === 'fail' && testsIn(ran).length === 0)
        return { status: DryRunStatus.Error, errorMessage: `${file}: ${ran.result.errors?.[0]?.message ?? ''}` };
      tests.push(
        ...testsIn(ran)
          .filter((test) => wanted === null || wanted.has(idOf(test)))
          .map(outcomeOf),
      );
      if (this.#isTried() && tests.some(({ status }) => status === TestStatus.Failed)) break;
    }
    if (this.#unhandled.length > 0 && tests.every(({ status }) => status !== TestStatus.Failed))
      return { status: DryRunStatus.Error, errorMessage: `outside of a test: ${String(this.#unhandled[0])}` };
    return { status: DryRunStatus.Complete, tests };
  }

  #isTried(): boolean {
    return this.#switchboard.activeMutant !== undefined;
  }

  #runnerOf(bodies: ReadonlyMap<string, () => void>, wanted: ReadonlySet<string> | null): VitestRunner {
    const board = this.#switchboard;
    let failed = false;
    const runner: VitestRunner = {
      config: CONFIG,
      importFile: (file, source) => {
        if (!this.#isTried()) board.currentTestId = ownerOf(file);
        if (source === 'collect') bodies.get(file)?.();
      },
      onCollected: (files) => {
        if (wanted !== null) for (const file of files) keepOnly(file, wanted);
      },
      onBeforeRunTask: (test) => {
        if (failed) test.mode = 'skip';
      },
      onBeforeTryTask: (test) => {
        forgetAssertions();
        if (!this.#isTried()) board.currentTestId = idOf(test);
      },
      onAfterTryTask: () => checkAssertions(),
      onAfterRunTask: (test) => {
        if (!this.#isTried()) board.currentTestId = ownerOf(test.file.filepath);
        failed ||= this.#isTried() && test.result?.state === 'fail';
      },
    };
    return runner;
  }
}

const CONFIG: VitestRunner['config'] = {
  root: process.cwd(),
  setupFiles: [],
  name: undefined,
  passWithNoTests: true,
  testNamePattern: undefined,
  allowOnly: false,
  sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
  chaiConfig: undefined,
  maxConcurrency: 1,
  testTimeout: TEST_TIMEOUT_MS,
  hookTimeout: TEST_TIMEOUT_MS,
  retry: 0,
  includeTaskLocation: false,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
};
