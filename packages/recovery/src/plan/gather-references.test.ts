import { type Cloud, type GroupPolicy, OperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { NO_TYPE_FACTS } from '../core/candidate-fit.ts';
import { gatherReferences, gatherTypeFacts } from './gather-references.ts';
import { cloudError, cloudInstance } from '../run.fixtures.ts';

const RAW = {
  ...{ KeyName: 'key-1', VpcId: 'vpc-1', Placement: { GroupName: 'pg-1' } },
  CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: 'cr-1' } },
};
const named = cloudInstance('i-1', { keyName: 'key-1', raw: RAW });
const reservation = (state: string) => ({
  ...{ reservationId: 'cr-1', state, az: 'us-east-1a', instanceType: 'm7i.large' },
  ...{ platform: 'Linux/UNIX', tenancy: 'default', available: 1, tags: {} },
});
const FOUND: Partial<Cloud> = {
  hasKeyPair: async () => true,
  hasPlacementGroup: async () => true,
  describeCapacityReservation: async () => reservation('active'),
  describeRoutes: async () => [],
};
const gather = (cloud: Partial<Cloud>, instance = named) =>
  gatherReferences(cloud as Cloud, { instance, volumes: [] }, {});

describe('what the instance names', () => {
  test('is asked for, each by itself', async () => {
    expect(await gather(FOUND)).toMatchObject({
      keyPair: 'present',
      placementGroup: 'present',
      capacityReservation: 'present',
      routes: [],
    });
    const gone = { ...FOUND, hasKeyPair: async () => false, hasPlacementGroup: async () => false };
    expect(await gather(gone)).toMatchObject({
      keyPair: 'gone',
      placementGroup: 'gone',
      capacityReservation: 'present',
    });
  });

  test('is not asked for where it names nothing', async () => {
    expect(await gather({}, cloudInstance('i-1'))).toMatchObject({
      ...{ keyPair: 'unknown', placementGroup: 'unknown', capacityReservation: 'unknown', routes: null },
    });
  });

  test.each([
    ['active', 'present'],
    ['pending', 'present'],
    ['scheduled', 'present'],
    ['assessing', 'present'],
    ['delayed', 'present'],
    ['expired', 'gone'],
    ['cancelled', 'gone'],
    [null, 'gone'],
  ] as const)('a capacity reservation that is %s is %s', async (state, expected) => {
    const references = await gather({ ...FOUND, describeCapacityReservation: async () => state && reservation(state) });
    expect(references.capacityReservation).toBe(expected);
  });

  test.each(['CLOUD_DENIED', 'CLOUD_REJECTED', 'CLOUD_NOT_FOUND', 'CLOUD_UNAVAILABLE', 'CLOUD_THROTTLED'] as const)(
    'is not known where EC2 answers %s',
    async (code) => {
      const no = () => Promise.reject(cloudError(code));
      expect(
        await gather({ hasKeyPair: no, hasPlacementGroup: no, describeCapacityReservation: no, describeRoutes: no }),
      ).toMatchObject({
        ...{ keyPair: 'unknown', placementGroup: 'unknown', capacityReservation: 'unknown', routes: null },
      });
    },
  );

  test.each([new OperationError('LEASE_LOST', 'x'), new TypeError('ours')])('is not found out by %s', async (error) => {
    await expect(gather({ ...FOUND, hasKeyPair: () => Promise.reject(error) })).rejects.toBe(error);
  });
});

describe('the types there are to choose from', () => {
  const policy = {
    recover: {
      placements: [
        { subnetId: 's', instanceType: 'm6.large' },
        { subnetId: 's', instanceType: null },
        { subnetId: 's', instanceType: 'm6.large' },
      ],
    },
  } as unknown as GroupPolicy;
  const types = (cloud: Partial<Cloud>) => gatherTypeFacts(cloud as Cloud, 'm5.large', policy, {});
  const known = { describeInstanceTypes: async () => [{ instanceType: 'm5.large' }] as never };
  const offered = {
    describeTypeOfferings: async () => [
      { instanceType: 'm6.large', az: 'a' },
      { instanceType: 'm6.large', az: 'b' },
    ],
  };

  test('are the instance’s own and those of the policy, each asked for once', async () => {
    const asked: unknown[] = [];
    const noting = (names: readonly string[]) => {
      asked.push(names);
      return [];
    };
    await types({
      describeInstanceTypes: async (names) => noting(names),
      describeTypeOfferings: async (names) => noting(names),
    });
    expect(asked).toEqual([
      ['m5.large', 'm6.large'],
      ['m5.large', 'm6.large'],
    ]);
  });

  test('are known with where they are sold; one that EC2 does not know is none', async () => {
    const facts = await types({ ...known, ...offered });
    expect(facts.types).toEqual(
      new Map([
        ['m5.large', { instanceType: 'm5.large' }],
        ['m6.large', null],
      ]),
    );
    expect(facts.offeredIn).toEqual(
      new Map([
        ['m5.large', new Set()],
        ['m6.large', new Set(['a', 'b'])],
      ]),
    );
  });

  test('are not known where EC2 refuses to say', async () => {
    const denied = () => Promise.reject(cloudError('CLOUD_DENIED'));
    const busy = () => Promise.reject(cloudError('CLOUD_THROTTLED'));
    expect(await types({ describeInstanceTypes: denied, describeTypeOfferings: busy })).toEqual(NO_TYPE_FACTS);
    expect((await types({ ...known, describeTypeOfferings: busy })).types?.size).toBe(2);
  });

  test('are waited for where EC2 is busy: the defaults of a type decide on CPU options', async () => {
    const busy = () => Promise.reject(cloudError('CLOUD_THROTTLED'));
    await expect(types({ describeInstanceTypes: busy, ...offered })).rejects.toMatchObject({ code: 'CLOUD_THROTTLED' });
  });
});
