import type { NamedMutant } from '../run-named.ts';

/** Rules about ending an attempt. */
export const ENDING_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'revoke-notfound',
    rule: 'S14',
    story: 'a failed replacement that EC2 does not show counts as terminated',
    edits: [
      {
        file: 'packages/recovery/src/steps/revoke.ts',
        find: `if (instance?.state === 'terminated') {`,
        replace: `if (!instance || instance.state === 'terminated') {`,
      },
    ],
    tests: ['test/scenarios/recovery/ending-an-attempt.test.ts'],
  },
  {
    name: 'revoke-shutting',
    rule: 'S14',
    story: 'a failed replacement that is shutting down counts as terminated',
    edits: [
      {
        file: 'packages/recovery/src/steps/revoke.ts',
        find: `if (instance?.state === 'terminated') {`,
        replace: `if (instance?.state === 'terminated' || instance?.state === 'shutting-down') {`,
      },
    ],
    tests: ['test/scenarios/recovery/ending-an-attempt.test.ts'],
  },
  {
    name: 'revoke-one-look',
    rule: 'S7',
    story: 'one look that does not show the permit is enough',
    edits: [
      {
        file: 'packages/recovery/src/steps/revoke.ts',
        find: 'if (run.nowMs() - memory.goneSinceMs < run.settings.confirmSpacingMs) {',
        replace: 'if (false) {',
      },
    ],
    tests: ['test/scenarios/recovery/ending-an-attempt.test.ts'],
  },
  {
    name: 'revoke-no-last-look',
    rule: 'S7',
    story: 'nobody looks for an instance once the permit is gone',
    edits: [
      {
        file: 'packages/recovery/src/steps/revoke.ts',
        find: '  return lastLook(run, attempt, request);\n}',
        replace:
          "  return { kind: 'done', result: { instanceTerminated: request.instanceId !== null, permitGone: true } };\n}",
      },
    ],
    tests: ['test/scenarios/recovery/ending-an-attempt.test.ts'],
  },
  {
    name: 'revoke-both',
    rule: 'S7',
    story: 'neither a second look nor a last one',
    edits: [
      {
        file: 'packages/recovery/src/steps/revoke.ts',
        find: 'if (run.nowMs() - memory.goneSinceMs < run.settings.confirmSpacingMs) {',
        replace: 'if (false) {',
      },
      {
        file: 'packages/recovery/src/steps/revoke.ts',
        find: '  return lastLook(run, attempt, request);\n}',
        replace:
          "  return { kind: 'done', result: { instanceTerminated: request.instanceId !== null, permitGone: true } };\n}",
      },
    ],
    tests: ['test/scenarios/recovery/ending-an-attempt.test.ts'],
    only: 'either way',
  },
  {
    name: 'collect-needed-unread',
    rule: 'S31',
    story: 'a snapshot goes when its time comes, whoever is planned with it meanwhile',
    edits: [
      {
        file: 'packages/recovery/src/collector/collect-pass.ts',
        find: `    if ((await readNeeded()).has(id)) return NEEDED;\n`,
        replace: `    if ((await readNeeded()).has('')) return NEEDED;\n`,
      },
    ],
    tests: ['packages/recovery/src/collector/collector-sweep.test.ts'],
  },
  {
    name: 'collect-look-for-ever',
    rule: 'S31',
    story: 'a removal that waits for its turn leaves by a look at intents from before',
    edits: [
      {
        file: 'packages/recovery/src/collector/collect-pass.ts',
        find: 'clock.monotonicMs() - lookedAtMs <= LOOK_GOOD_FOR_MS',
        replace: 'lookedAtMs <= clock.monotonicMs() + LOOK_GOOD_FOR_MS',
      },
    ],
    tests: ['packages/recovery/src/collector/collect-pass.test.ts'],
  },
];
