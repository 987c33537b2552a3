import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';
import { LONG, ONLY_VERIFIED, PAIRED, SHORT_INTEGRATION, SPEED } from './test/speeds.ts';

/**
 * Workspace packages are taken from their TypeScript source, as everywhere (`node
 * --conditions=source`).
 */
const source = {
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'], externalConditions: ['source'] } },
};
const short = process.env[SPEED] === 'short';
const left = short ? [...ONLY_VERIFIED, ...LONG] : process.env[SPEED] === 'all' ? LONG : [];
const never = ['**/node_modules/**', '**/dist/**', '.cache/**', ...left];
const INTEGRATION = ['packages/**/src/**/*.integration.test.ts', 'test/{integration,e2e}/**/*.test.ts'];

const integration = {
  // Real processes and leases on a noisy two-core machine: a case that fails is run once more. No
  // test relies on it: `npm test` names those that did.
  retry: 1,
  testTimeout: 120_000,
  hookTimeout: 60_000,
};

/**
 * `unit` needs nothing but Node and git; `simulation` runs whole clusters in simulated time;
 * `integration` uses real etcd, sockets and processes: after the others, one file at a time; of it,
 * `paired` are those that mostly wait, two at a time. `npm test` runs a part (test/speeds.ts).
 */
export default defineConfig({
  test: {
    // Vitest leaves one core to whoever watches, which is half of two.
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        ...source,
        test: {
          name: 'unit',
          // Two processes run all files: a module is loaded once and stays warm, which spares a
          // third of the time. So no test may leave a trace in a module, a global or the process.
          isolate: false,
          include: ['packages/**/src/**/*.test.ts', 'test/{scenarios,unit,fuzz,detection}/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts', ...never],
          globalSetup: ['test/temporary-folder.ts'],
          // Views are compared to the letter: no colours, also where CI=true asks for them.
          env: { NO_COLOR: '1' },
          testTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...source,
        test: {
          name: 'simulation',
          include: ['test/sim/**/*.test.ts'],
          exclude: never,
          globalSetup: ['test/temporary-folder.ts'],
          testTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...source,
        test: {
          ...integration,
          name: 'paired',
          globalSetup: ['test/temporary-folder.ts', 'test/integration/global-setup.ts'],
          include: short ? [] : PAIRED,
          exclude: never,
          sequence: { groupOrder: 2 },
        },
      },
      {
        ...source,
        test: {
          ...integration,
          name: 'integration',
          globalSetup: ['test/temporary-folder.ts', 'test/integration/global-setup.ts'],
          include: [...(short ? SHORT_INTEGRATION : INTEGRATION)],
          // The short pass has no pairs: what it names of them runs here.
          exclude: [...never, ...(short ? [] : PAIRED)],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
