/**
 * Two speeds of tests. `npm test` is for every commit and leaves out the tests named here; `npm run
 * verify` (and CI) runs everything. A file belongs here when it takes long for what a single commit
 * risks: every planted bug in a process of its own, or whole days of faults with real processes.
 */
export const ONLY_VERIFIED: readonly string[] = [
  'test/sim/planted/planted-runs.test.ts',
  'test/fuzz/planted-runs.test.ts',
  'test/scenarios/recovery/hooks-crashes.test.ts',
  'test/scenarios/recovery/{ways-out,names,reattach,undo,prepared}-crashes.test.ts',
  'test/scenarios/recovery/primary-address-late.test.ts',
  // Simulated days of one kind of trouble each. The fixed seeds have them all, more thinly.
  'test/sim/{lost-address,kms-key,store-refuses,namesake,ways,carried-identities}.test.ts',
  // A hundred members of one zone, replaced at the pace of a budget.
  'test/scenarios/coordinator/most-in-one-zone.test.ts',
  // Chance: faults at random, and thousands of lossy agent-hours.
  'test/scenarios/recovery/random-faults.test.ts',
  // Each action of every strategy, path and move with an ill, and a launch with each.
  'test/scenarios/recovery/faults/fault-matrix.test.ts',
  'test/scenarios/coordinator/{half-failing,builds-at-random,undo,events-faults}.test.ts',
  'test/detection/detection.test.ts',
  'packages/observer/src/core/detection.test.ts',
  // A leader killed at every moment of a command.
  'test/scenarios/coordinator/commands-crash.test.ts',
  // Streams that are held open and dropped, by real time.
  'packages/coordinator/src/api/http/routes/events.test.ts',
  // Real processes that wait for one another: pipes that close, locks that are lost.
  'test/unit/pipes.test.ts',
  'packages/agent/src/adapters/lock-files.test.ts',
];

/**
 * The short pass of `npm test` with real etcd, real sockets and real processes. All else of that
 * project runs only in `npm run verify`.
 */
export const SHORT_INTEGRATION: readonly string[] = [
  // Every port against the real thing.
  'test/integration/etcd/kv-store-contract.integration.test.ts',
  'test/integration/etcd/secure-store.integration.test.ts',
  'test/integration/cloud/{cloud-contract-in-process,identity-contract,kms-contract,plan-to-launch}.test.ts',
  'packages/coordinator/src/adapters/etcd/*.integration.test.ts',
  'packages/observer/src/udp/udp.integration.test.ts',
  'packages/observer/src/probe/*.integration.test.ts',
  'packages/agent/src/checks/*.integration.test.ts',
  'packages/cloud-sim/src/**/*.integration.test.ts',
  // Three coordinators and three members of etcd as processes, and one recovery.
  'test/integration/coordinator/recovery.test.ts',
];

/**
 * Integration tests that mostly wait (for a watchdog, a lease, a minute of an agent's life), and
 * judge no time that a neighbour could spoil. They run two at a time, before the others.
 */
export const PAIRED: readonly string[] = [
  'packages/agent/src/{main,hanging}.integration.test.ts',
  'test/integration/etcd/{least-role,no-space}.integration.test.ts',
  'test/integration/agents/{service-unit,two-agents,enrolled-key,fetched-key}.test.ts',
  'test/integration/etcd/watch-faults.integration.test.ts',
  'packages/agent/src/adapters/activation-outputs.integration.test.ts',
  // Processes that start, a browser, a whole Debian: they wait for one another.
  'test/integration/{keys/rotation,watchman/watchman,machines/machines}.test.ts',
  'test/integration/coordinator/{bad-input,inventory,shared-history,explain,api-harmless,api-contract}.test.ts',
  'test/integration/coordinator/{commands,notices,recovery,service-probes}.test.ts',
  'test/integration/agents/real-systemd.test.ts',
  'test/e2e/demo.test.ts',
  'test/integration/cli/doctor.integration.test.ts',
  'test/e2e/dashboard/{pages,incident}.test.ts',
  // What they do is computed, or asked of a local EC2.
  'test/integration/iam/coordinator-policy.test.ts',
  'test/integration/cloud/{foreign-answers,cloud-contract-http}.test.ts',
];

/** Those of each project that take longest (`longest-first.ts`). */
export const LONGEST: readonly string[] = [
  'test/scenarios/recovery/crash-matrix.test.ts',
  'test/scenarios/recovery/ways-out-crashes.test.ts',
  'test/sim/planted/planted-runs.test.ts',
  'test/sim/seeds.test.ts',
  'test/integration/machines/machines.test.ts',
  'test/e2e/demo.test.ts',
  'packages/agent/src/main.integration.test.ts',
  'test/e2e/dashboard/pages.test.ts',
];

/**
 * Left out of `npm run verify` too, which is to stay well under forty minutes with CI's set-up. The
 * command `npm run verify:long` runs them. What each is about is looked at more briefly in verify.
 */
export const LONG: readonly string[] = [
  // Every call of every strategy, path and move × every ill; `fault-matrix.test.ts` has a sample.
  'test/scenarios/recovery/faults/fault-matrix-all.test.ts',
  // Killed at every call and commit where disks are copied, or the primary address is kept. Those
  // of snapshots and of moved disks are in verify, and a sample of all in `fault-matrix.test.ts`.
  'test/scenarios/recovery/volume-paths-crashes.test.ts',
  'test/scenarios/recovery/primary-address-crashes.test.ts',
  // Every second planted bug; those of `planted-runs.test.ts` are in verify.
  'test/sim/planted/planted-runs-others.test.ts',
  // Simulated days of serve leases and of commands; the fixed seeds have both, more thinly.
  'test/sim/serve-lease.test.ts',
  'test/sim/operator-commands.test.ts',
  // The leader killed and stopped in every step; `leader-faults.test.ts` has six of the twelve.
  'test/integration/faults/leader-faults-all.test.ts',
  // A package's life: installed, upgraded, removed, purged. `machines.test.ts` installs each once.
  'test/integration/packages/deb.test.ts',
  // The model, whole within bounds (also `npm run model`).
  'test/integration/model/model.test.ts',
  // A minute of soak, as somebody runs it: what it is made of, verify has by itself.
  'test/e2e/soak.test.ts',
  // The printed user data on machines without curl, without wget; `machines.test.ts` boots with it.
  'test/integration/agents/user-data.test.ts',
  // Three real etcd members that join, lose their disk and rotate their authority.
  'test/integration/cloudformation/etcd-join.test.ts',
  'test/integration/tls/certificates.test.ts',
  // A host's boot cut off at every step; `boot-resumes.test.ts` cuts it once.
  'test/unit/cloudformation/boot-power-cuts.test.ts',
  // Every package twice; `npm run package:check` does so in every form.
  'test/integration/packages/reproducible.test.ts',
  // Completion in the shells themselves; what is printed for them has tests of its own.
  'test/integration/cli/completion-shells.integration.test.ts',
];

/**
 * Set by `npm test` (`short`, or `named` when it is told which tests to run) and by `npm run
 * verify` (`all`).
 */
export const SPEED = 'UNDERSTUDY_TESTS';
