import { expect, test } from 'vitest';
import { prepareFields } from './prepare.ts';

const SPEND = { perDay: 5, instanceHour: 0.25, volumeGibMonth: 0.08, snapshotGibMonth: 0.05 };
const faults = (spend: object): readonly string[] =>
  (prepareFields.safeParse({ makes: ['seed'], spend }).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

test('a limit in money is as it is written, and nobody has one by default', () => {
  const written = { ...SPEND, instanceHourOf: { 'u-6tb1.metal': 60, 'r7i.4xlarge': 1.06 } };
  expect(prepareFields.parse({ makes: ['seed'], spend: written }).spend).toEqual(written);
  expect(prepareFields.parse({ makes: ['seed'] }).spend).toBeUndefined();
});

test.each([
  ['a price is missing: it is not free', { ...SPEND, snapshotGibMonth: undefined }, 'spend.snapshotGibMonth: '],
  ['a price is below nothing', { ...SPEND, instanceHour: -1 }, 'spend.instanceHour: '],
  ['no number is no limit', { ...SPEND, perDay: Number.POSITIVE_INFINITY }, 'spend.perDay: '],
  ['a type is none', { ...SPEND, instanceHourOf: { R7I: 1 } }, 'spend.instanceHourOf.R7I: '],
  ['a name is not known', { ...SPEND, currency: 'USD' }, 'spend: '],
])('a limit is refused with its path where %s', (_, spend, path) => {
  expect(faults(spend)).toEqual([expect.stringContaining(path)]);
});
