import { expect, test } from 'vitest';
import { type FaultCase, faultCasesOf, illOf, sampleOf } from './fault-cases.ts';

/** A recovery that makes these calls, each so often. */
const casesOf = (counts: Readonly<Record<string, number>>): readonly FaultCase[] =>
  faultCasesOf(
    Object.entries(counts).flatMap(([action, count]) =>
      Array.from({ length: count }, (_, at) => ({
        ...{ kind: 'call', seq: at, atMs: 0, action, input: {}, executed: true, outcome: 'ok', durationMs: 1 },
        ...{ reader: 'x', clientToken: null },
      })),
    ) as unknown as Parameters<typeof faultCasesOf>[0],
  );

const ALL = casesOf({
  ...{ DescribeInstances: 30, StopInstances: 1, DescribeVolumes: 3, CreateSnapshots: 1, DescribeSnapshots: 9 },
  ...{ RegisterImage: 1, DescribeImages: 2, RunInstances: 1, AssociateAddress: 1, DescribeAddresses: 2 },
  ...{ DeregisterImage: 1, DeleteSnapshot: 2, ModifyInstanceAttribute: 4, CreateTags: 2, DescribeSubnets: 1 },
});
const actionsOf = (cases: readonly FaultCase[]) => new Set(cases.map(({ fault }) => fault.action));
const illsOf = (cases: readonly FaultCase[]) => new Set(cases.map(illOf));

test('a sample has every action, every ill, and a launch with every ill of a write', () => {
  const sample = sampleOf(ALL);
  expect(actionsOf(sample)).toEqual(actionsOf(ALL));
  expect(illsOf(sample)).toEqual(illsOf(ALL));
  const launches = sample.filter(({ fault }) => fault.action === 'RunInstances');
  expect(launches.map(illOf).sort()).toEqual([
    'error',
    'late-landing 8000',
    'late-landing 90000',
    'late-landing 900000',
    'throttle',
    'timeout-after-success',
    'timeout-before',
  ]);
});

test('it is small: a case an action, and the other ills of a launch', () => {
  expect(sampleOf(ALL)).toHaveLength(15 + 6);
  expect(new Set(sampleOf(ALL).map(({ name }) => name)).size).toBe(15 + 6);
});

test('without a launch it has every ill all the same, also where there are more ills than actions', () => {
  const few = casesOf({ RebootInstances: 1, DescribeInstances: 2 });
  const sample = sampleOf(few);
  expect(illsOf(sample)).toEqual(illsOf(few));
  expect(sample).toHaveLength(9);
});

test('it strikes calls at their end and between, too', () => {
  const struck = new Set(sampleOf(ALL).map(({ fault }) => fault.afterCalls));
  expect([...struck].filter((nth) => (nth ?? 0) > 0).length).toBeGreaterThan(1);
});
