import { DEFAULT_POLICY, type PreparedKind, type PreparePolicy, type RecoveryPlan } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { planFixture } from './plan.fixture.ts';
import { amountOf, mostCost, tooDear } from './preparation-cost.ts';

/** A root of 8 GiB and 100 GiB of data, launched as m7i.large; a launch fails after 5 minutes. */
const plan = (strategy = 'snapshot-and-replace', path = 'snapshot'): RecoveryPlan => {
  const made = planFixture();
  const seed = { imageId: 'ami-1', rootDeviceName: '/dev/xvda', otherDeviceNames: [] };
  const volumes = made.volumes.map((one) => ({ ...one, path }));
  const { recover } = DEFAULT_POLICY;
  const policy = { ...DEFAULT_POLICY, recover: { ...recover, launchTimeoutMs: 300_000 } };
  return { ...made, strategy, volumes, policy, ...(strategy === 'reattach' && { seed }) };
};
const SPEND = { perDay: 1, instanceHour: 0.12, volumeGibMonth: 0.73, snapshotGibMonth: 1.46 };
const prepare = (makes: readonly PreparedKind[], spend: Partial<typeof SPEND> | null = {}): PreparePolicy => ({
  ...{ makes: [...makes], atOnce: 1, perDay: 10, keptForMs: 600_000 },
  ...(spend !== null && { spend: { ...SPEND, ...spend } }),
});
const cost = (makes: readonly PreparedKind[], over: Partial<typeof SPEND> | null = {}, by = plan()): number | null =>
  mostCost(by, makes, prepare(makes, over));

describe('the most that a preparation can cost', () => {
  test('is that of an instance until its launch has failed, and of its root for as long as it may be there', () => {
    // 5 min of an instance; 8 GiB for 10 min, and 15 more for what lands late: rounded up.
    expect(cost(['seed'])).toBe(0.013334);
    expect(cost(['seed'], { volumeGibMonth: 0 })).toBe(0.01);
  });

  test('is that of snapshots of all disks in full', () => expect(cost(['snapshot'])).toBe(0.09));

  test('is that of a reservation that nobody ends, of the dearest type that is asked for', () => {
    expect(cost(['capacity'])).toBe(0.14);
    const dear = { ...SPEND, instanceHourOf: { 'm7i.large': 1.2, 'r7i.large': 9 } };
    expect(mostCost(plan(), ['capacity'], { keptForMs: 1, spend: dear })).toBe(1.4);
    expect(mostCost(plan(), ['seed'], { keptForMs: 1, spend: { ...dear, volumeGibMonth: 0 } })).toBe(0.1);
  });

  test('is the sum of what is made, and nothing is not priced', () => {
    expect(cost(['snapshot', 'capacity'])).toBe(0.23);
    expect(cost([])).toBe(0);
    expect(cost(['seed'], null)).toBeNull();
  });

  test('is counted in millionths: sums say no more than they are', () => expect(amountOf(0.1 + 0.2)).toBe(0.3));
});

describe('what can never be made for a member', () => {
  test('costs more than a whole day may', () => {
    const found = tooDear(plan(), prepare(['snapshot'], { perDay: 0.06 }));
    expect(found).toMatchObject({ code: 'PreparationTooDear' });
    expect(found?.text).toContain('can cost 0.09, and the group may spend 0.06');
  });

  test.each([
    ['it may be that much', plan(), prepare(['snapshot'], { perDay: 0.09 })],
    ['nothing of it is of use to the plan', plan('reattach', 'reattach'), prepare(['snapshot'], { perDay: 0 })],
    ['no prices are named', plan(), prepare(['snapshot'], null)],
    ['nothing is wanted', plan(), null],
  ])('is none where %s', (_, by, wanted) => expect(tooDear(by, wanted)).toBeNull());
});
