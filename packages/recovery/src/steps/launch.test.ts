import { type PolicyChange } from '@understudy/shared/testing';
import { type CloudInstance, clientTokenOf, type OperationError, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { instanceFixture } from '../core/plan.fixture.ts';
import { cloudError, OLD, RunRig } from '../run.fixtures.ts';
import type { RecoverySettings } from '../settings.ts';
import { launchStep } from './launch.ts';
import { asker, LATER_MS, came, make } from './step.fixtures.ts';

const candidate = (letter: string) => ({
  ...{ subnetId: `subnet-${letter}`, az: `az-${letter}`, instanceType: 'm7i.large' },
});
const PERMIT = {
  ...{ round: 1, candidateIndex: 0, candidate: candidate('a') },
  create: { clientToken: 't', subnetId: 'subnet-a', groupIds: ['sg-1'], description: 'd', tags: {} },
};
const REQUEST = { networkInterfaceId: 'eni-1', run: { ClientToken: 'tok' } };
const SENT = { sends: { run: 1 } };
const replacement = (instanceId: string, part: Partial<CloudInstance> = {}): CloudInstance =>
  instanceFixture({ instanceId, networkInterfaces: [], ...part });

interface SceneOptions {
  readonly candidates?: readonly string[];
  readonly settings?: Partial<RecoverySettings>;
  readonly policy?: PolicyChange;
  readonly fenced?: boolean;
  readonly permitted?: boolean;
  readonly imaged?: boolean;
  readonly captured?: boolean;
}

/** Everything a launch rests on is done; EC2 shows what the test puts into `shown`. */
async function scene(options: SceneOptions = {}) {
  const { candidates = ['a', 'b'], fenced = true, permitted = true, imaged = true, captured = true } = options;
  const shown = { byToken: [] as CloudInstance[], byTags: [] as CloudInstance[], holder: null as string | null };
  const looks: string[] = [];
  const rig = new RunRig({
    ...{ plan: { candidates: candidates.map(candidate) }, settings: options.settings ?? {} },
    policy: options.policy ?? {},
    cloud: {
      describeInstances: async (filters) => {
        looks.push(Object.keys(filters).join());
        return 'client-token' in filters ? shown.byToken : shown.byTags;
      },
      describeNetworkInterfaces: async () =>
        shown.holder === null ? [] : [{ networkInterfaceId: 'eni-1', attachedInstanceId: shown.holder } as never],
    },
  });
  const done = { state: 'done' } as const;
  rig.putStep('fence', fenced ? { ...done, result: { how: 'stopped' } } : {});
  const permit = { request: PERMIT, result: { networkInterfaceId: 'eni-1', privateIp: '10.0.0.7' } };
  rig.putStep('permit-1', permitted ? { ...done, ...permit } : { request: PERMIT });
  if (imaged) rig.putStep('image', { ...done, result: { imageId: 'ami-1' } });
  if (captured)
    rig.putStep('capture', {
      ...done,
      result: { set: 1, snapshots: [{ snapshotId: 'snap-1', volumeId: 'vol-1' }], beside: [] },
    });
  await rig.clock.advance(LATER_MS);
  const run = await rig.run();
  const step = launchStep(run, 1);
  return { rig, run, step, shown, looks, ask: asker(rig, step, REQUEST) };
}

describe('what is launched', () => {
  test('is recorded whole before it is sent: permit, image, placement, token, disks', async () => {
    const { step } = await scene();
    const { networkInterfaceId, run } = await step.prepare();
    expect(networkInterfaceId).toBe('eni-1');
    expect(run).toMatchObject({
      ...{ MinCount: 1, MaxCount: 1, ImageId: 'ami-1', InstanceType: 'm7i.large' },
      ClientToken: clientTokenOf(OLD, 'launch', 1),
      NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: 'eni-1' }],
      Placement: { AvailabilityZone: 'az-a' },
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda' }],
    });
  });
  test.each<[string, SceneOptions, string]>([
    ['the fence is proven', { fenced: false }, 'before the fence is proven'],
    ['there is a permit', { permitted: false }, 'without permit'],
    ['there is an image', { imaged: false }, 'without image or snapshots'],
    ['there are snapshots', { captured: false }, 'without image or snapshots'],
  ])('is nothing before %s', async (_, options, message) => {
    const { step } = await scene(options);
    await expect(step.prepare()).rejects.toThrow(message);
  });
  test('is nothing where nothing has been begun', async () =>
    expect(launchStep(await new RunRig().run(), 1).prepare()).rejects.toThrow('before the fence is proven'));
  test('is nothing without any permit, or with that of another attempt', async () => {
    const { run } = await scene();
    await expect(launchStep(run, 2).prepare()).rejects.toThrow('without permit');
  });
  test('is nothing with a permit that failed', async () => {
    const { rig } = await scene();
    rig.putStep('permit-1', { state: 'failed', request: PERMIT, result: { failure: 'capacity' } });
    await expect(launchStep(await rig.run(), 1).prepare()).rejects.toThrow('without permit');
  });
  test('brings disks that were attached after the plan was made', async () => {
    const { rig, run } = await scene();
    const [root] = run.plan.volumes;
    const late = { ...root, volumeId: 'vol-2', deviceName: '/dev/sdf', isRoot: false };
    const snapshots = ['1', '2'].map((n) => ({ snapshotId: `snap-${n}`, volumeId: `vol-${n}` }));
    rig.putStep('capture', { state: 'done', result: { set: 1, snapshots, beside: [late] } });
    const request = await launchStep(await rig.run(), 1).prepare();
    expect(request.run['BlockDeviceMappings']).toMatchObject([
      { DeviceName: '/dev/xvda' },
      { DeviceName: '/dev/sdf', Ebs: { SnapshotId: 'snap-2' } },
    ]);
  });
  test('may take as long as a launch, a call and all refusals may', async () => {
    const policy = { recover: { launchTimeoutMs: 60_000, retryRefusedForMs: 100_000 } };
    const { step } = await scene({ policy, settings: { sendLimitMs: 1_000 } });
    expect(step.limitMs).toBe(161_000);
    const frozen = { request: REQUEST, sends: {}, noted: null, elapsedMs: 161_001, conflict: null };
    expect(step.onTimeout(frozen)).toMatchObject({ kind: 'hold', reason: 'CloudUnavailable' });
  });
});

describe('the launch', () => {
  test('is sent at once where it was never sent, exactly as recorded, and done with the reply', async () => {
    const { ask, looks } = await scene();
    const move = await ask();
    const sent: unknown[] = [];
    await make(move, { runInstances: async (request) => (sent.push(request), replacement('i-new')) });
    expect(sent).toEqual([REQUEST.run]);
    expect(looks).toEqual([]);
    expect(await ask(came('run'), SENT)).toEqual({
      kind: 'done',
      result: { instanceId: 'i-new', foundBy: 'reply' },
    });
  });
  test('that an earlier leader sent is looked for first: by token, tags and permit', async () => {
    const { ask, looks } = await scene();
    expect(await ask(null, SENT)).toMatchObject({ kind: 'act' });
    expect(looks).toEqual(['client-token', `tag:${TAG.op},tag:${TAG.attempt}`]);
  });
  test('and adopted, where any of the looks shows it', async () => {
    const { ask, shown } = await scene();
    shown.holder = 'i-found';
    expect(await ask(null, SENT)).toEqual({
      kind: 'done',
      result: { instanceId: 'i-found', foundBy: 'observation' },
    });
  });
  test('that shows two is nobody’s to choose from: held', async () => {
    const { ask, shown } = await scene();
    shown.holder = 'i-a';
    shown.byToken = [replacement('i-b')];
    expect(await ask(null, SENT)).toMatchObject({ kind: 'hold', reason: 'TwoInstancesClaimMember' });
  });
});

describe('what EC2 answers instead', () => {
  const ALONE: SceneOptions = { candidates: ['a'] };
  const refused = (code: ConstructorParameters<typeof OperationError>[0], upstreamCode?: string) =>
    came('run', cloudError(code, upstreamCode));
  const NO_ROOM = refused('CLOUD_CAPACITY', 'InsufficientInstanceCapacity');
  const answered = async (options: SceneOptions, last: ReturnType<typeof came>) =>
    (await scene(options)).ask(last, SENT);

  test('no capacity, and there is another placement: the attempt ends', async () =>
    expect(await answered({}, NO_ROOM)).toMatchObject({
      ...{ kind: 'failed', failure: 'capacity', code: 'InsufficientInstanceCapacity' },
    }));
  test('no capacity, and none: the same request again after pauses that grow, without a look', async () => {
    const { ask, looks } = await scene(ALONE);
    expect(await ask(NO_ROOM, SENT)).toMatchObject({ kind: 'wait', forMs: 60_000 });
    expect(await ask(null, SENT)).toMatchObject({ kind: 'act' });
    expect(await ask(NO_ROOM, SENT)).toMatchObject({
      ...{ kind: 'wait', forMs: 120_000, text: expect.stringContaining('(InsufficientInstanceCapacity)') },
    });
    expect(looks).toEqual([]);
  });
  test('... until another token takes its turn', async () => {
    const { ask } = await scene({ ...ALONE, settings: { refusalsPerRequest: 2 } });
    const kinds: string[] = [];
    for (let tries = 0; tries < 3; tries += 1) kinds.push((await ask(NO_ROOM, SENT)).kind);
    expect(kinds).toEqual(['wait', 'wait', 'failed']);
  });
  test('what was sent after a refusal is looked for again', async () => {
    const { ask, looks } = await scene(ALONE);
    await ask(NO_ROOM, SENT);
    await ask(null, SENT);
    await ask(null, SENT);
    expect(looks).toHaveLength(2);
  });
  test('a fault of the placement ends the attempt', async () =>
    expect(await answered(ALONE, refused('CLOUD_REJECTED', 'Unsupported'))).toMatchObject({
      ...{ kind: 'failed', failure: 'placement', code: 'Unsupported' },
    }));
  test('a token whose instance is terminated: the replacement has failed', async () =>
    expect(await answered(ALONE, refused('CLOUD_CONFLICT', 'IdempotentInstanceTerminated'))).toMatchObject({
      ...{ kind: 'failed', failure: 'instance' },
    }));
  test('a denial is for a person', async () =>
    expect(await answered({}, refused('CLOUD_DENIED'))).toMatchObject({
      ...{ kind: 'hold', reason: 'CloudDenied', text: expect.stringMatching(/^EC2 refuses the launch: /) },
    }));
  test('too many calls: the same again, without a look', async () => {
    const { ask, looks } = await scene();
    expect(await ask(refused('CLOUD_THROTTLED'), SENT)).toMatchObject({ kind: 'act' });
    expect(looks).toEqual([]);
  });

  const UNKNOWN = refused('CLOUD_OUTCOME_UNKNOWN');
  test('nothing that tells what became of it: looked for, and adopted', async () => {
    const { ask, shown } = await scene();
    shown.byToken = [replacement('i-found')];
    expect(await ask(UNKNOWN, SENT)).toMatchObject({ kind: 'done', result: { instanceId: 'i-found' } });
  });
  test('nothing, and nothing is found: the same token again; after five looks another placement, where there is one', async () => {
    const fruitless = async (options: SceneOptions) => {
      const { ask } = await scene(options);
      const kinds: string[] = [];
      for (let tries = 0; tries < 6; tries += 1) kinds.push((await ask(UNKNOWN, SENT)).kind);
      return kinds;
    };
    expect(await fruitless({})).toEqual(['act', 'act', 'act', 'act', 'act', 'failed']);
    expect(await fruitless(ALONE)).toEqual(['act', 'act', 'act', 'act', 'act', 'act']);
  });

  const lagging = async (upstreamCode: string) => {
    const all = await scene();
    const last = refused('CLOUD_NOT_FOUND', upstreamCode);
    return { ...all, ask: () => all.ask(last, SENT), again: () => all.ask(null, SENT) };
  };
  test('a part that is new to it is waited for, for a minute, and then the same is sent without a look', async () => {
    const { rig, ask, again, looks } = await lagging('InvalidAMIID.NotFound');
    expect(await ask()).toMatchObject({
      ...{ kind: 'wait', forMs: 2_000, text: expect.stringContaining('(InvalidAMIID.NotFound)') },
    });
    expect(await again()).toMatchObject({ kind: 'act' });
    expect(looks).toEqual([]);
    await rig.clock.advance(60_000);
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    expect(await ask()).toMatchObject({ kind: 'hold', reason: 'CloudRejected' });
  });
  test('a part that nobody names is held for after that minute', async () => {
    const { rig, ask } = await scene();
    const unnamed = refused('CLOUD_NOT_FOUND');
    await ask(unnamed, SENT);
    await rig.clock.advance(60_001);
    expect(await ask(unnamed, SENT)).toMatchObject({ kind: 'hold', reason: 'CloudRejected' });
  });
  test('its permit is gone: only another attempt can launch', async () => {
    const { rig, ask } = await lagging('InvalidNetworkInterfaceID.NotFound');
    await ask();
    await rig.clock.advance(60_001);
    expect(await ask()).toMatchObject({ kind: 'failed', failure: 'capacity' });
  });
  test('a refusal without a code of EC2 is told by ours', async () => {
    expect(await answered({}, refused('CLOUD_CAPACITY'))).toMatchObject({ code: 'CLOUD_CAPACITY' });
    expect(await answered(ALONE, refused('CLOUD_CAPACITY'))).toMatchObject({
      text: expect.stringContaining('(CLOUD_CAPACITY)'),
    });
    expect(await answered({}, refused('CLOUD_NOT_FOUND'))).toMatchObject({
      text: expect.stringContaining('(CLOUD_NOT_FOUND)'),
    });
  });
});
