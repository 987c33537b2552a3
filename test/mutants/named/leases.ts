import type { NamedMutant } from '../run-named.ts';

/** Rules about waiting out a serve lease. */
export const LEASES_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'st-stall',
    rule: 'S15',
    story: 'a stall of our own is not remembered',
    edits: [
      {
        file: 'packages/coordinator/src/coordinator.ts',
        find: 'if (listener.tick().stalledMs > 0) serveLeases.noteStallEnded(beganAtMs);',
        replace: 'listener.tick();',
      },
    ],
    tests: ['test/scenarios/coordinator/restarts-and-stalls.test.ts'],
  },
  {
    name: 'wl-wall',
    rule: 'S15',
    story: 'the wait for a serve lease is counted on the wall clock',
    edits: [
      {
        file: 'packages/recovery/src/steps/serve-lease-fence.ts',
        find: 'const knownForMs = run.nowMs() - run.intentSeenAtMs;',
        replace: 'const knownForMs = run.wallMs() - run.record.startedAtWallMs;',
      },
    ],
    tests: ['test/scenarios/recovery/waiting-out-a-lease.test.ts'],
  },
  {
    name: 'wl-seen',
    rule: 'S15',
    story: 'a new leader counts from its own beginning of time',
    edits: [
      {
        file: 'packages/recovery/src/engine.ts',
        find: 'this.#intentSeenAtMs?.(member, intent.modRevision) ?? parts.clock.monotonicMs()',
        replace: 'this.#intentSeenAtMs?.(member, intent.modRevision) ?? 0',
      },
    ],
    tests: ['test/scenarios/recovery/waiting-out-a-lease.test.ts'],
  },
  {
    name: 'wl-min',
    rule: 'S15',
    story: 'only what the policy gives EC2 is waited for',
    edits: [
      {
        file: 'packages/recovery/src/steps/serve-lease-fence.ts',
        find: 'Math.max(serveLeaseOverAfterMs, serveLease.fenceAfterMs)',
        replace: 'serveLease.fenceAfterMs',
      },
    ],
    tests: ['test/scenarios/recovery/waiting-out-a-lease.test.ts'],
  },
  {
    name: 'wl-none',
    rule: 'S15',
    story: 'a lease that does not count is waited out all the same',
    edits: [
      {
        file: 'packages/recovery/src/steps/serve-lease-fence.ts',
        find: `if (serveLeaseOverAfterMs === null || serveLease === null) return { kind: 'none' };`,
        replace: `if (serveLease === null) return { kind: 'none' };`,
      },
    ],
    tests: ['test/scenarios/recovery/waiting-out-a-lease.test.ts'],
  },
];
