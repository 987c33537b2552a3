import { strict as assert } from 'node:assert';
import { type ErrorCode, hasCode, isOperationError } from '../errors.ts';
import type { CloudInstance, CloudNetworkInterface, LaunchRequest } from '../ports/cloud.ts';
import type { CloudContractFixture } from './cloud-contract-case.ts';

/** What the cases of the contract have in common. */

/** Polls until `look` answers, because the world is eventually consistent. */
export async function eventually<T>(f: CloudContractFixture, what: string, look: () => Promise<T | null>): Promise<T> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const seen = await look();
    if (seen !== null) return seen;
    await f.clock.sleep(500);
  }
  assert.fail(`never seen: ${what}`);
}

/** Repeats the work while a new resource may not be known everywhere yet. */
export async function patiently<T>(f: CloudContractFixture, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, 'CLOUD_NOT_FOUND') || attempt >= 60) throw error;
      await f.clock.sleep(500);
    }
  }
}

export async function refused(work: Promise<unknown>, ...codes: readonly ErrorCode[]): Promise<string | undefined> {
  try {
    await work;
  } catch (error) {
    assert.ok(isOperationError(error), `want an OperationError, got ${String(error)}`);
    assert.ok(codes.includes(error.code), `want ${codes.join(' or ')}, got ${error.message}`);
    return error.upstreamCode;
  }
  assert.fail(`want ${codes.join(' or ')}, but it succeeded`);
}

const instanceOf = async (f: CloudContractFixture, instanceId: string): Promise<CloudInstance | null> =>
  (await f.cloud.describeInstances({ 'instance-id': [instanceId] }))[0] ?? null;

export const inState = (
  f: CloudContractFixture,
  instanceId: string,
  state: CloudInstance['state'],
): Promise<CloudInstance> =>
  eventually(f, `${instanceId} ${state}`, async () => {
    const instance = await instanceOf(f, instanceId);
    return instance?.state === state ? instance : null;
  });

export async function makePermit(f: CloudContractFixture, name: string): Promise<CloudNetworkInterface> {
  const [subnet] = f.subnets;
  assert.ok(subnet, 'the fixture has no subnet');
  const made = await f.cloud.createNetworkInterface({
    clientToken: `permit-${name}`,
    subnetId: subnet.subnetId,
    groupIds: [],
    description: name,
    tags: { 'understudy:op': name },
  });
  const seen = { 'network-interface-id': [made.networkInterfaceId] };
  return eventually(f, `permit ${name}`, async () => (await f.cloud.describeNetworkInterfaces(seen))[0] ?? null);
}

/** As a recovery tags what it launches, so that a role of least rights may do all of it. */
const tagsOf = (name: string): readonly object[] => [
  { Key: 'understudy:op', Value: name },
  { Key: 'understudy:group', Value: 'contract' },
];

export function launchRequest(
  f: CloudContractFixture,
  name: string,
  permitId: string,
  more: object = {},
): LaunchRequest {
  const ebs = { VolumeSize: 5, VolumeType: 'gp3', DeleteOnTermination: true };
  return {
    MinCount: 1,
    MaxCount: 1,
    ClientToken: `launch-${name}`,
    ImageId: f.imageId,
    InstanceType: f.instanceType,
    NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: permitId }],
    BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: ebs }],
    TagSpecifications: ['instance', 'volume'].map((type) => ({ ResourceType: type, Tags: tagsOf(name) })),
    ...more,
  };
}

export async function launch(f: CloudContractFixture, name: string, more: object = {}): Promise<CloudInstance> {
  const permit = await makePermit(f, name);
  const request = launchRequest(f, name, permit.networkInterfaceId, more);
  const made = await patiently(f, () => f.cloud.runInstances(request));
  return inState(f, made.instanceId, 'running');
}

/** Snapshots of all volumes of the instance, completed. */
export async function capture(f: CloudContractFixture, instanceId: string, name: string) {
  const tags = { 'understudy:op': name };
  const started = await patiently(f, () => f.cloud.createSnapshots({ instanceId, description: name, tags }));
  return eventually(f, `snapshots of ${instanceId} completed`, async () => {
    const snapshots = await f.cloud.describeSnapshots({ 'tag:understudy:op': [name] });
    const completed = snapshots.filter((snapshot) => snapshot.state === 'completed');
    return completed.length === started.length ? completed : null;
  });
}
