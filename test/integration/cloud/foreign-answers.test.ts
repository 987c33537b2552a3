import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudSimConfigSchema, seedInstance, startCloudSim } from '@understudy/cloud-sim';
import { createEc2Cloud, sdkTransport } from '@understudy/aws';
import { type Cloud, isOperationError, silentLog } from '@understudy/shared';
import { SystemClock } from '@understudy/shared/node';
import { SeededRandom } from '@understudy/shared/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BreakingProxy } from '../../foreign/breaking-proxy.ts';
import { type FormName, PROMPT_FORM_NAMES } from '../../foreign/forms.ts';

/** The real SDK over HTTP, against EC2's semantics behind something that answers in its place. */

const closers: (() => unknown)[] = [];
let proxy: BreakingProxy;
let cloud: Cloud;
let instanceId = '';
let volumeId = '';
let permitId = '';

beforeAll(async () => {
  const clock = new SystemClock();
  const workDir = await mkdtemp(join(tmpdir(), 'understudy-foreign-'));
  closers.push(() => rm(workDir, { recursive: true, force: true }));
  const config = CloudSimConfigSchema.parse({ http: { port: 0 }, speed: 1_000, workDir });
  const server = await startCloudSim(config, { clock, random: new SeededRandom(1), log: silentLog, env: {} });
  closers.push(() => server.close());
  proxy = new BreakingProxy(server.url);
  const endpoint = await proxy.listen();
  closers.push(() => proxy.close());
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
  const transport = sdkTransport({ region: config.region, endpoint, credentials, callTimeoutMs: 2_000 });
  closers.push(() => transport.close());
  cloud = createEc2Cloud({ transport: transport.send, clock, callTimeoutMs: 5_000, rateShare: 900 });
  const seeded = seedInstance(server.sim, { dataVolumes: [{ deviceName: '/dev/sdf', sizeGiB: 1 }] });
  instanceId = seeded.instanceId;
  volumeId = seeded.volumeIds['/dev/sdf'] ?? '';
  permitId = seeded.networkInterfaceId;
});

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

const codeOf = (work: Promise<unknown>): Promise<{ readonly code: string; readonly text: string }> =>
  work.then(
    (value) => ({ code: 'believed', text: JSON.stringify(value) }),
    (error: unknown) => ({ code: isOperationError(error) ? error.code : 'no error of ours', text: String(error) }),
  );

const READS: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['DescribeInstances', () => cloud.describeInstances({ 'instance-id': [instanceId] })],
  ['DescribeInstanceStatus', () => cloud.describeInstanceStatus([instanceId])],
  ['DescribeInstanceAttribute', () => cloud.describeUserData(instanceId)],
  ['DescribeVolumes', () => cloud.describeVolumes({ 'volume-id': [volumeId] })],
  ['DescribeSnapshots', () => cloud.describeSnapshots({})],
  ['DescribeImages', () => cloud.describeImages({})],
  ['DescribeNetworkInterfaces', () => cloud.describeNetworkInterfaces({ 'network-interface-id': [permitId] })],
  ['DescribeAddresses', () => cloud.describeAddresses({})],
  ['DescribeSubnets', () => cloud.describeSubnets({})],
  ['DescribeVolumeStatus', () => cloud.describeImpairedVolumes([volumeId])],
  ['DescribeTags', () => cloud.describeInstanceTags(['understudy:group'])],
  ['GetConsoleOutput', () => cloud.consoleOutput(instanceId)],
];

/** None is passed on, so that each can be tried in every form. */
const CHANGES: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['StopInstances', () => cloud.stopInstance(instanceId, { force: true, skipOsShutdown: true })],
  ['TerminateInstances', () => cloud.terminateInstance(instanceId)],
  ['RunInstances', () => cloud.runInstances({ ClientToken: 't', MinCount: 1, MaxCount: 1 })],
  ['CreateSnapshots', () => cloud.createSnapshots({ instanceId, description: 'd', tags: {} })],
  ['CreateNetworkInterface', () => createPermit()],
  ['DeleteNetworkInterface', () => cloud.deleteNetworkInterface(permitId)],
  ['ModifyNetworkInterfaceAttribute', () => cloud.setNetworkInterfaceAttributes(permitId, { sourceDestCheck: false })],
  ['ModifyInstanceAttribute', () => cloud.setProtection(instanceId, { termination: true })],
  [
    'AssociateAddress',
    () => cloud.associateAddress({ allocationId: 'a', networkInterfaceId: permitId, privateIp: null }),
  ],
  ['DisassociateAddress', () => cloud.disassociateAddress('eipassoc-1')],
  ['RegisterImage', () => cloud.registerImage(IMAGE)],
  ['DeregisterImage', () => cloud.deregisterImage('ami-1')],
  ['DeleteSnapshot', () => cloud.deleteSnapshot('snap-1')],
  ['DeleteVolume', () => cloud.deleteVolume(volumeId)],
  ['RebootInstances', () => cloud.rebootInstance(instanceId)],
  ['StartInstances', () => cloud.startInstance(instanceId)],
  ['AttachVolume', () => cloud.attachVolume({ volumeId, instanceId, deviceName: '/dev/sdf' })],
  ['DetachVolume', () => cloud.detachVolume({ volumeId, instanceId, deviceName: '/dev/sdf' })],
  ['CopyVolumes', () => cloud.copyVolume(COPY)],
  ['CreateTags', () => cloud.createTags([instanceId], { a: 'b' })],
];

const COPY = {
  ...{ clientToken: 't', sourceVolumeId: 'vol-1', volumeType: 'gp3' },
  ...{ iops: null, throughputMiBps: null, kmsKeyId: null, tags: {} },
};

const IMAGE = {
  ...{ name: 'n', rootDeviceName: '/dev/xvda', rootSnapshotId: 'snap-1', architecture: 'x86_64', bootMode: null },
  ...{
    enaSupport: true,
    tpmSupport: null,
    sriovNetSupport: null,
    virtualizationType: null,
    imdsSupport: null,
    tags: {},
  },
} as const;
const createPermit = () =>
  cloud.createNetworkInterface({ clientToken: 't', subnetId: 'subnet-1', groupIds: [], description: 'd', tags: {} });

async function strike(action: string, form: FormName, call: () => Promise<unknown>, applied: boolean, times: number) {
  const breakage = proxy.break({ action, form, applied, times });
  const outcome = await codeOf(call());
  expect(breakage.struck().length, `${form} did not strike ${action}`).toBeGreaterThan(0);
  breakage.end();
  return outcome;
}

describe.each(PROMPT_FORM_NAMES)('%s', (form) => {
  test.each(READS)('%s says nothing', async (action, call) => {
    // The SDK repeats reads: all of them are broken.
    const { code, text } = await strike(action, form, call, true, 100);
    expect(code, text).toBe('CLOUD_UNAVAILABLE');
    expect(text).not.toContain('$response');
    expect((await codeOf(call())).code, 'and the next, unbroken one is believed').toBe('believed');
  });

  test.each(CHANGES)('%s has an unknown outcome', async (action, call) => {
    const { code, text } = await strike(action, form, call, false, 1);
    expect(code, text).toBe('CLOUD_OUTCOME_UNKNOWN');
    expect(text).not.toContain('$response');
  });
});

test('an answer that comes too late is none', async () => {
  const late = 'delayed beyond the time limit';
  const [, tag] = CHANGES.find(([action]) => action === 'CreateTags') ?? ['', createPermit];
  expect((await strike('CreateTags', late, tag, true, 1)).code).toBe('CLOUD_OUTCOME_UNKNOWN');
  const [, read] = READS.find(([action]) => action === 'DescribeSubnets') ?? ['', createPermit];
  expect((await strike('DescribeSubnets', late, read, true, 100)).code).toBe('CLOUD_UNAVAILABLE');
});

test('the text names action, status and content type', async () => {
  const { text } = await strike('StopInstances', 'HTML 403', CHANGES[0]?.[1] ?? createPermit, false, 1);
  expect(text).toContain('StopInstances');
  expect(text).toContain('HTTP 403 (text/html): its body is a <html>, not an EC2 error');
});

test("EC2's own refusal is a refusal still", async () => {
  const { code } = await codeOf(cloud.deleteSnapshot('snap-00000000000000000'));
  expect(code).toBe('CLOUD_NOT_FOUND');
});
