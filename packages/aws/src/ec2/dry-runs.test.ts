import * as ec2 from '@aws-sdk/client-ec2';
import { OperationError, type Raw } from '@understudy/shared';
import { describe, expect, it } from 'vitest';
import { EC2_ACTIONS, isDoneWhenAsked, knowsDryRun } from './actions.ts';
import { Ec2Cloud } from './ec2-cloud.ts';
import { recordedCall } from './recorded-call.ts';

function cloudOf(answer: Raw | OperationError) {
  const sent: { action: string; input: Record<string, unknown> }[] = [];
  const cloud = new Ec2Cloud(async (action, input) => {
    sent.push({ action, input });
    if (answer instanceof OperationError) throw answer;
    return answer;
  });
  return { cloud, sent };
}

const YES = new OperationError('CLOUD_REJECTED', 'x', { upstreamCode: 'DryRunOperation' });

describe('a call that is only tried', () => {
  it('is sent with DryRun and its own parameters, and DryRunOperation is a yes', async () => {
    const { cloud, sent } = cloudOf(YES);
    await cloud.tryCall((tried) => tried.stopInstance('i-1', { force: true, skipOsShutdown: false }));
    const input = { InstanceIds: ['i-1'], Force: true, SkipOsShutdown: false, DryRun: true };
    expect(sent).toEqual([{ action: 'StopInstances', input }]);
  });

  it('throws what EC2 answers', async () => {
    const { cloud } = cloudOf(new OperationError('CLOUD_DENIED', 'no', { upstreamCode: 'UnauthorizedOperation' }));
    await expect(cloud.tryCall((tried) => tried.deleteSnapshot('snap-1'))).rejects.toMatchObject({
      code: 'CLOUD_DENIED',
    });
  });

  it('is never tried again on an EC2 that does it all the same', async () => {
    const { cloud, sent } = cloudOf({ StoppingInstances: [{ InstanceId: 'i-1' }] });
    const stop = () => cloud.tryCall((tried) => tried.stopInstance('i-1', { force: true, skipOsShutdown: true }));
    for (let attempt = 0; attempt < 3; attempt++)
      await expect(stop()).rejects.toMatchObject({ code: 'CLOUD_REJECTED', message: /StopInstances: this EC2 takes/ });
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['UnassignPrivateIpAddresses', 'unassignAddress', 'secondary-ip'],
    ['AssignPrivateIpAddresses', 'assignAddress', 'secondary-ip'],
    ['UnassignIpv6Addresses', 'unassignAddress', 'ipv6-address'],
    ['AssignIpv6Addresses', 'assignAddress', 'ipv6-address'],
  ] as const)('%s has no DryRun at EC2, and is not sent as a question', async (action, method, kind) => {
    const { cloud, sent } = cloudOf({ Return: true });
    const address = {
      kind,
      address: kind === 'ipv6-address' ? '2001:db8::1' : '10.0.0.9',
      networkInterfaceId: 'eni-1',
    };
    const asked = cloud.tryCall((tried) => tried[method](address));
    await expect(asked).rejects.toMatchObject({ code: 'CLOUD_REJECTED', message: new RegExp(action) });
    expect(sent).toEqual([]);
  });

  it('that sends nothing is no yes', async () => {
    const { cloud } = cloudOf(YES);
    await expect(cloud.tryCall(async () => undefined)).rejects.toMatchObject({ code: 'CLOUD_REJECTED' });
  });
});

describe('a call that is only told', () => {
  it('has the parameters that the adapter would send, and sends nothing', async () => {
    const call = await recordedCall((cloud) => cloud.createTags(['i-1'], { a: 'b' }));
    expect(call).toEqual({ action: 'CreateTags', input: { Resources: ['i-1'], Tags: [{ Key: 'a', Value: 'b' }] } });
  });

  it('is none where the adapter has nothing to send', async () =>
    expect(await recordedCall((cloud) => cloud.createTags([], {}))).toBeNull());
});

/** Members of a request, as the SDK has its shape: what is none of them, it does not send. */
function membersOf(action: string): readonly string[] {
  const operation: unknown = Reflect.get(ec2, `${action}$`);
  const [, , , , input] = Array.isArray(operation) ? operation : [];
  const shape: unknown = typeof input === 'function' ? input() : input;
  const [, , , , members] = Array.isArray(shape) ? shape : [];
  return Array.isArray(members) ? members : [];
}

describe('what EC2 can be asked about', () => {
  it.each(Object.keys(EC2_ACTIONS))('%s, as far as the SDK sends the question', (action) => {
    expect(membersOf(action).length).toBeGreaterThan(0);
    expect(knowsDryRun(action)).toBe(membersOf(action).includes('DryRun'));
    expect(isDoneWhenAsked(action)).toBe(!knowsDryRun(action));
  });

  it('is nothing that we do not know', () => expect(knowsDryRun('PurchaseHostReservation')).toBe(false));
});
