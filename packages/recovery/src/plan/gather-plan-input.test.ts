import type { Cloud, CloudFilters, CloudInstance } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { instanceFixture } from '../core/plan.fixture.ts';
import { gatherPlanInput } from './gather-plan-input.ts';
import { cloudError } from '../run.fixtures.ts';

const NO_POLICY = { recover: { placements: [] } };

/** Shows this instance and nothing else; notes what it is asked for. */
function showing(instance: CloudInstance | null, over: Partial<Cloud> = {}) {
  const asked: [string, CloudFilters][] = [];
  const noting = (name: string) => async (filters: CloudFilters) => {
    asked.push([name, filters]);
    return [];
  };
  const cloud: Partial<Cloud> = {
    describeInstances: async (filters) => {
      await noting('instances')(filters);
      return instance ? [instance] : [];
    },
    describeVolumes: noting('volumes'),
    describeSnapshots: noting('snapshots'),
    describeImages: noting('images'),
    describeAddresses: noting('addresses'),
    describeNetworkInterfaces: noting('interfaces'),
    describeSubnets: noting('subnets'),
    describeUserData: async () => null,
    describeProtection: async () => ({ stop: true, termination: false }),
    describeShutdownBehavior: async () => 'terminate',
    describeCpuCredits: async () => 'unlimited',
    describeInstanceTypes: async () => [],
    describeTypeOfferings: async () => [],
    hasKeyPair: async () => true,
    ...over,
  };
  const gather = (policy: Parameters<typeof gatherPlanInput>[2] = NO_POLICY) =>
    gatherPlanInput(cloud as Cloud, 'i-1', policy);
  return { asked, gather, of: (name: string) => asked.filter(([kind]) => kind === name).map(([, filters]) => filters) };
}

describe('what a plan needs', () => {
  test('is not to be had of an instance that EC2 does not show', async () => {
    await expect(showing(null).gather()).rejects.toMatchObject({
      code: 'CLOUD_NOT_FOUND',
      message: expect.stringContaining('EC2 shows no instance i-1'),
    });
  });

  test('is read of the instance, its volumes and its interfaces', async () => {
    const { gather, of } = showing(instanceFixture());
    expect(await gather()).toMatchObject({
      protection: { stop: true, termination: false },
      shutdownBehavior: 'terminate',
      trial: { kind: 'unknown' },
      references: { keyPair: 'present' },
    });
    expect(of('instances')).toEqual([{ 'instance-id': ['i-1'] }]);
    expect(of('volumes')).toEqual([{ 'volume-id': ['vol-data', 'vol-root'] }]);
    const interfaces = { 'network-interface-id': ['eni-0aaaaaaaaaaaaaaa1'] };
    expect([of('interfaces'), of('addresses')]).toEqual([[interfaces], [interfaces]]);
  });

  test('are the subnets it is in and those of the policy, each once', async () => {
    const { gather, of } = showing(instanceFixture());
    const placement = (subnetId: string) => ({ subnetId });
    await gather({ recover: { placements: [placement('subnet-b'), placement('subnet-a')] } });
    expect(of('subnets')).toEqual([{ 'subnet-id': ['subnet-a', 'subnet-b'] }]);
  });

  test.each([null, ''])('is no subnet where EC2 names none (%j)', async (subnetId) => {
    const { gather, of } = showing(instanceFixture({ subnetId: subnetId as never, networkInterfaces: [] }));
    await gather();
    expect(of('subnets')).toEqual([{ 'subnet-id': [] }]);
  });
});

describe('the image of the instance', () => {
  const image = { imageId: 'ami-0aaaaaaaaaaaaaaa1' } as never;

  test('is what EC2 shows by its id', async () => {
    const asked: CloudFilters[] = [];
    const describeImages = async (filters: CloudFilters) => {
      asked.push(filters);
      return [image];
    };
    expect((await showing(instanceFixture(), { describeImages }).gather()).image).toBe(image);
    expect(asked).toEqual([{ 'image-id': ['ami-0aaaaaaaaaaaaaaa1'] }]);
  });

  test('is none where it is not shown any more', async () => {
    expect((await showing(instanceFixture()).gather()).image).toBeNull();
  });

  test('is none, and any image is not taken for it, where the instance names none', async () => {
    const { gather, asked } = showing(instanceFixture({ imageId: '' }), { describeImages: async () => [image] });
    expect((await gather()).image).toBeNull();
    expect(asked.map(([name]) => name)).not.toContain('images');
  });
});

describe('details a recovery can do without', () => {
  const burstable = instanceFixture({ instanceType: 't3.large' });

  test('are CPU credits of a burstable type only', async () => {
    expect((await showing(burstable).gather()).cpuCredits).toBe('unlimited');
    expect((await showing(instanceFixture()).gather()).cpuCredits).toBeNull();
  });

  test.each(['CLOUD_REJECTED', 'CLOUD_DENIED'] as const)('are not known where EC2 answers %s', async (code) => {
    const no = () => Promise.reject(cloudError(code));
    const input = await showing(burstable, { describeShutdownBehavior: no, describeCpuCredits: no }).gather();
    expect([input.shutdownBehavior, input.cpuCredits]).toEqual([null, null]);
  });

  test.each(['CLOUD_UNAVAILABLE', 'CLOUD_THROTTLED'] as const)('are waited for where EC2 answers %s', async (code) => {
    const no = () => Promise.reject(cloudError(code));
    await expect(showing(burstable, { describeShutdownBehavior: no }).gather()).rejects.toMatchObject({ code });
  });
});
