/**
 * Where real time and real randomness may be used, and why. The ports (`Clock`, `Random`) are for
 * everything else.
 */
export const REAL_TIME_PLACES: readonly { readonly path: RegExp; readonly reason: string }[] = [
  { path: /^packages\/shared\/src\/node\//, reason: 'SystemClock and SystemRandom are the adapters to real time' },
  {
    path: /^packages\/shared\/src\/testing\//,
    reason: 'SimClock lets promises run with a macrotask and starts at a fixed date',
  },
  { path: /^packages\/[^/]+\/src\/main\.ts$/, reason: 'main.ts builds the adapters' },
  { path: /^packages\/(?:cli\/src\/demo|local-cluster\/src)\//, reason: 'real processes are waited for' },
  {
    path: /^packages\/dashboard\/src\/adapters\/clock\.ts$/,
    reason: "the browser's time and randomness; the rest of the page takes moments as parameters",
  },
  {
    path: /^packages\/agent\/src\/adapters\/command-runner\.ts$/,
    reason: 'one turn of the event loop for the pipe of a real child that has ended',
  },
  {
    path: /^packages\/observer\/src\/udp\/receive-thread\/main\.ts$/,
    reason: "the end of one turn of the event loop that read a real socket; the thread's own clock is SystemClock",
  },
  { path: /\.(?:test|fixtures)\.ts$/, reason: 'tests may meet real processes' },
  { path: /^test\//, reason: 'tests may meet real processes' },
  { path: /^scripts\//, reason: 'set-up runs before there is a package to import a port from' },
];

/**
 * Where a transaction may be sent to etcd, and why. Whatever a leader writes goes through its
 * `Term` (SPEC S2).
 */
export const STORE_WRITE_PLACES: readonly { readonly path: string; readonly reason: string }[] = [
  {
    path: 'packages/shared/src/term/guarded-commit.ts',
    reason: 'sends what a Term commits or removes, and what a RecordWriter writes',
  },
  {
    path: 'packages/coordinator/src/leadership/leadership.ts',
    reason: 'takes the leader key and gives it back: that is what a term begins and ends with',
  },
  {
    path: 'packages/coordinator/src/store/watched-store.ts',
    reason: 'passes on what others send, and rehearses writes that can never be applied',
  },
  {
    path: 'packages/coordinator/src/observing/opinion-publisher.ts',
    reason: "an observer's own opinions, which no leader writes",
  },
  {
    path: 'packages/coordinator/src/adapters/etcd/etcd-kv-store.ts',
    reason: 'the adapter to etcd',
  },
];

/** Who may write `new SystemClock()` and the like. */
export const COMPOSITION_ROOTS =
  /(?:^|\/)(?:main|fetch-key)\.ts$|\.(?:test|fixtures)\.ts$|^test\/|^packages\/cli\/src\/demo\/|^packages\/local-cluster\/src\/|^packages\/shared\/src\/node\//;

/**
 * How many lines of comments or prose wider than 100 columns a file still has: numbers may only go
 * down.
 */
export const WIDER_THAN_IT_SHOULD: Readonly<Record<string, number>> = {};

/**
 * How many comments of a file still begin without a subject ("Of …", "Whose …"): numbers may only
 * go down.
 */
export const VERBLESS_OPENINGS: Readonly<Record<string, number>> = {};
