import type { NamedMutant } from '../run-named.ts';

/** The last moment before a call, and what an aborted one means. */
export const DEADLINES_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'lm-second',
    rule: 'S1',
    story: 'the deadline is not asked again right before the call',
    edits: [
      {
        file: 'packages/coordinator/src/recovery/effect.ts',
        find: "  if (!run.term.holdsFor(run.settings.callTimeoutMs)) return 'on';\n",
        replace: '',
      },
    ],
    tests: ['test/scenarios/recovery/last-moments.test.ts'],
  },
  {
    name: 'lm-both',
    rule: 'S1',
    story: 'the deadline is not asked at all before an effect',
    edits: [
      { file: 'packages/coordinator/src/recovery/effect.ts', find: '  await untilTermHolds(run);\n', replace: '' },
      {
        file: 'packages/coordinator/src/recovery/effect.ts',
        find: "  if (!run.term.holdsFor(run.settings.callTimeoutMs)) return 'on';\n",
        replace: '',
      },
    ],
    tests: ['test/scenarios/recovery/last-moments.test.ts'],
  },
  {
    name: 'lm-maystart',
    rule: 'S1',
    story: 'a call that waits for its turn does not carry the deadline',
    edits: [
      {
        file: 'packages/coordinator/src/recovery/run.ts',
        find: '(signal) => call(this.parts.cloud, { signal, mayStart })',
        replace: '(signal) => call(this.parts.cloud, { signal })',
      },
    ],
    tests: ['test/scenarios/recovery/last-moments.test.ts'],
  },
  {
    name: 'lm-maystart0',
    rule: 'S1',
    story: 'a call that waits for its turn is sent until the very end of the term',
    edits: [
      {
        file: 'packages/coordinator/src/recovery/run.ts',
        find: 'this.term.holdsFor(this.settings.callTimeoutMs)',
        replace: 'this.term.holdsFor(0)',
      },
    ],
    tests: ['test/scenarios/recovery/last-moments.test.ts'],
  },
  {
    name: 'af-reason',
    rule: 'S3',
    story: 'a call that was aborted on its way has the abort’s own code',
    edits: [
      {
        file: 'packages/coordinator/src/adapters/ec2/timed-transport.ts',
        find: 'stop(abortError(options?.signal?.reason))',
        replace: 'stop(options?.signal?.reason)',
      },
    ],
    tests: ['packages/coordinator/src/adapters/ec2/aborted-in-flight.test.ts'],
  },
  {
    name: 'af-notsent',
    rule: 'S3',
    story: 'a call that was aborted on its way counts as not sent',
    edits: [
      {
        file: 'packages/coordinator/src/adapters/ec2/timed-transport.ts',
        find: 'stop(abortError(options?.signal?.reason))',
        replace: `stop(notSent(action, 'aborted'))`,
      },
      {
        file: 'packages/coordinator/src/adapters/ec2/timed-transport.ts',
        find: `import { assertMayStart } from './not-sent.ts';`,
        replace: `import { assertMayStart, notSent } from './not-sent.ts';`,
      },
    ],
    tests: ['packages/coordinator/src/adapters/ec2/aborted-in-flight.test.ts'],
  },
];
