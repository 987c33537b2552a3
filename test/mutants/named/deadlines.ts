import type { NamedMutant } from '../run-named.ts';

/** Rules about the last moment before a call, and about what an aborted one means. */
export const DEADLINES_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'lm-second',
    rule: 'S1',
    story: 'the deadline is not asked again right before the call',
    edits: [
      {
        file: 'packages/recovery/src/effect.ts',
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
      { file: 'packages/recovery/src/effect.ts', find: '  await untilTermHolds(run);\n', replace: '' },
      {
        file: 'packages/recovery/src/effect.ts',
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
        file: 'packages/recovery/src/run.ts',
        find: '(asked) => call(this.parts.cloud, { ...asked, mayStart })',
        replace: '(asked) => call(this.parts.cloud, asked)',
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
        file: 'packages/recovery/src/run.ts',
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
        file: 'packages/aws/src/transport/timed-transport.ts',
        find: 'stop(abortError(options?.signal?.reason))',
        replace: 'stop(options?.signal?.reason)',
      },
    ],
    tests: ['packages/aws/src/ec2/aborted-in-flight.test.ts'],
  },
  {
    name: 'af-notsent',
    rule: 'S3',
    story: 'a call that was aborted on its way counts as not sent',
    edits: [
      {
        file: 'packages/aws/src/transport/timed-transport.ts',
        find: 'stop(abortError(options?.signal?.reason))',
        replace: `stop(notSent(action, 'aborted'))`,
      },
      {
        file: 'packages/aws/src/transport/timed-transport.ts',
        find: `import { assertMayStart } from './not-sent.ts';`,
        replace: `import { assertMayStart, notSent } from './not-sent.ts';`,
      },
    ],
    tests: ['packages/aws/src/ec2/aborted-in-flight.test.ts'],
  },
  {
    name: 'lm-shared-look',
    rule: 'S4',
    story: 'a look that was already under way answers whoever asks meanwhile',
    edits: [
      {
        file: 'packages/aws/src/batching/read-batches.ts',
        find: 'of readers) resolve(',
        replace: 'of [...readers, ...zone.waiting]) resolve(',
      },
    ],
    tests: ['packages/aws/src/batching/read-batches.test.ts'],
  },
  {
    name: 'lm-late-token',
    rule: 'S1',
    story: 'a call that waited for its token is not asked again whether it may start',
    edits: [
      {
        file: 'packages/aws/src/limiter/call-limiter.ts',
        find: '    const late = this.#whyNot(queue.action, head.options);\n',
        replace: '    const late: unknown = null;\n',
      },
      {
        file: 'packages/aws/src/limiter/call-limiter.ts',
        find: '        assertMayStart(action, options);\n        return await',
        replace: '        return await',
      },
    ],
    tests: ['packages/aws/src/limiter/call-limiter.test.ts'],
  },
];
