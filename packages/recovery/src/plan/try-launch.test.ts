import { type Cloud, DEFAULT_POLICY, OperationError } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { NOT_TRIED } from '../core/launch-trial.ts';
import { instanceFixture, planInputFixture } from '../core/plan.fixture.ts';
import { cloudError } from '../run.fixtures.ts';
import { tryLaunch, wantsTrial } from './try-launch.ts';

const image = { imageId: 'ami-0aaaaaaaaaaaaaaa1', tags: {}, name: 'base' } as never;
const input = planInputFixture({ image });

async function tried(given: typeof input, answer: () => Promise<void> = async () => undefined) {
  const asked: Record<string, unknown>[] = [];
  const call: Cloud['tryLaunch'] = async (request) => {
    asked.push(request);
    await answer();
  };
  const trial = await tryLaunch({ tryLaunch: call } as Cloud, given, DEFAULT_POLICY, {});
  return { trial, asked };
}

describe('a launch is tried', () => {
  const licensed = { Licenses: [{ LicenseConfigurationArn: 'arn:aws:license-manager:::1' }] };
  test.each([
    ['for an instance profile', { iamInstanceProfileArn: 'arn:aws:iam:::instance-profile/db' }, {}, true],
    ['for a licence', { iamInstanceProfileArn: null }, licensed, true],
    ['for both', {}, licensed, true],
    ['not for what has a describe of its own', { iamInstanceProfileArn: null, keyName: 'ops' }, {}, false],
  ])('%s', (_name, change, raw, wanted) => {
    expect(wantsTrial(planInputFixture({ instance: instanceFixture(change, raw) }))).toBe(wanted);
  });

  test('as the first launch of the plan would be, and EC2 would take it', async () => {
    const { trial, asked } = await tried(input);
    expect(trial).toEqual({ kind: 'ok' });
    expect(asked).toMatchObject([{ ImageId: 'ami-0aaaaaaaaaaaaaaa1', SubnetId: 'subnet-a', MaxCount: 1 }]);
  });

  test('without what an earlier trial said: what was gone may be back', async () => {
    const gone = { kind: 'refused', text: 'no', names: 'instanceProfile' } as const;
    expect(await tried({ ...input, trial: gone })).toMatchObject({ trial: { kind: 'ok' }, asked: [{}] });
  });

  test('not where there is no plan, nor where its image is not to be seen: a refusal would say nothing', async () => {
    const blocked = planInputFixture({ image, instance: instanceFixture({}, { RootDeviceType: 'instance-store' }) });
    expect(await tried(blocked)).toEqual({ trial: NOT_TRIED, asked: [] });
    expect(await tried(planInputFixture())).toEqual({ trial: NOT_TRIED, asked: [] });
  });
});

describe('what EC2 says to it', () => {
  const saying = async (error: Error) => (await tried(input, () => Promise.reject(error))).trial;
  test('is told where it says no', async () => {
    expect(await saying(cloudError('CLOUD_DENIED'))).toMatchObject({ kind: 'denied', names: null });
    expect(await saying(cloudError('CLOUD_UNAVAILABLE', 'Unsupported'))).toMatchObject({ kind: 'refused' });
    const refused = new OperationError('CLOUD_REJECTED', 'Invalid IAM Instance Profile name');
    expect(await saying(refused)).toMatchObject({
      ...{ kind: 'refused', names: 'instanceProfile', text: expect.stringContaining('Invalid IAM') },
    });
  });

  test('is nothing where it does not answer', async () => {
    expect(await saying(cloudError('CLOUD_THROTTLED'))).toEqual(NOT_TRIED);
  });

  test.each([new OperationError('LEASE_LOST', 'x'), new TypeError('ours')])('is not %s', async (error) => {
    await expect(saying(error)).rejects.toBe(error);
  });
});
