import type { NamedMutant } from '../run-named.ts';

const SCENE = 'test/scenarios/recovery/in-place.test.ts';
const LATE = 'test/scenarios/recovery/in-place-late.test.ts';
const NOT_MENDED = 'test/scenarios/recovery/not-mended-late.test.ts';

/** S28 where the simulation would see a hold, or an outage, and no more. */
export const IN_PLACE_MUTANTS: readonly NamedMutant[] = [
  {
    name: 'ip-ordinal',
    rule: 'S28',
    story: 'the next recovery of the same instance has the name and the tokens of this one',
    edits: [
      {
        file: 'packages/recovery/src/in-place.ts',
        find: 'ordinal: record.ordinal + 1,',
        replace: 'ordinal: record.ordinal,',
      },
    ],
    tests: [SCENE],
  },
  {
    name: 'ip-same-boot',
    rule: 'S28',
    story: 'heartbeats of the boot that failed say that it is back',
    edits: [
      {
        file: 'packages/recovery/src/core/mend-progress.ts',
        find: 'heartbeat.bootEpoch <= bootEpochBefore',
        replace: 'heartbeat.bootEpoch < bootEpochBefore',
      },
    ],
    tests: ['packages/recovery/src/core/mend-progress.test.ts'],
  },
  {
    name: 'ip-stop-of-vacate-forgotten',
    rule: 'S28',
    story: 'a stop that lands after its recovery was abandoned reads as an operator’s',
    edits: [
      {
        file: 'packages/recovery/src/steps/open-calls.ts',
        find: '    journal.get(VACATE),\n',
        replace: '',
      },
    ],
    tests: ['test/scenarios/recovery/primary-address-late.test.ts'],
    only: 'a Stop of a late start',
  },
  {
    name: 'ip-open-start-forgotten',
    rule: 'S28',
    story: 'a start that nobody has answered is over with the recovery that has sent it',
    edits: [
      {
        file: 'packages/recovery/src/steps/open-calls.ts',
        find: "...(start ? (['start'] as const) : []),",
        replace: '',
      },
    ],
    tests: [NOT_MENDED],
    only: 'a start that is open',
  },
  {
    name: 'ip-late-start-held',
    rule: 'S28',
    story: 'the next way does not know that a start of ours may land',
    edits: [
      {
        file: 'packages/recovery/src/core/late-calls.ts',
        find: 'return mayStart ? { ...plan, startMayLand: true } : plan;',
        replace: 'return plan.startMayLand === true && mayStart ? { ...plan, startMayLand: true } : plan;',
      },
    ],
    tests: [LATE],
    only: 'a start of ours that lands late',
  },
  {
    name: 'ip-unprotected',
    rule: 'S28',
    story: 'stop protection stays off after a way that did not help',
    edits: [
      {
        file: 'packages/recovery/src/steps/mend.ts',
        find: 'if (!memory.putBack && takesProtectionOff(run))',
        replace: 'if (!memory.putBack && takesProtectionOff(run) && memory.lookedAtMs < 0)',
      },
    ],
    tests: [NOT_MENDED],
    only: 'where stop-start does not help',
  },
  {
    name: 'ip-last-launch',
    rule: 'S28',
    story: 'the history does not say when EC2 started it last: our failed start is an operator’s stop',
    edits: [
      {
        file: 'packages/recovery/src/steps/mend.ts',
        find: 'const lastLaunch = memory.instance ?',
        replace: 'const lastLaunch = memory.instance && memory.putBack ?',
      },
    ],
    tests: [NOT_MENDED],
    only: 'is nobody else’s',
  },
];
