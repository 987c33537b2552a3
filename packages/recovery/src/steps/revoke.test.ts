import {
  type CloudInstance,
  type CloudNetworkInterface,
  type JournalRecord,
  type PlannedVolume,
  TAG,
} from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { instanceFixture } from '../core/plan.fixture.ts';
import type { AttemptFailure } from '../core/launch-outcome.ts';
import type { RequestOf } from '../step-record.ts';
import { cloudError, KEYS, RunRig } from '../run.fixtures.ts';
import { revokeStep } from './revoke.ts';
import { askedFor, asker, LATER_MS, callsOf, came, make } from './step.fixtures.ts';
import { REVOKE } from './attempt-records.ts';

type Request = RequestOf<typeof REVOKE>;
const CANDIDATE = { subnetId: 'subnet-a', az: 'az-a', instanceType: 'm7i.large' };
const PERMIT = {
  ...{ round: 1, candidateIndex: 0, candidate: CANDIDATE },
  create: { clientToken: 't', subnetId: 'subnet-a', groupIds: ['sg-1'], description: 'd', tags: {} },
};
const MADE = { networkInterfaceId: 'eni-1', privateIp: '10.0.0.7' };
const request = (part: Partial<Request> = {}): Request => ({
  ...{ round: 1, candidateIndex: 0, failure: 'capacity', text: 'no room', instanceId: null },
  ...{ networkInterfaceId: 'eni-1', seriesLength: 1, seriesSinceWallMs: 0 },
  ...part,
});
const eni = (part: Partial<CloudNetworkInterface> = {}): CloudNetworkInterface =>
  ({ networkInterfaceId: 'eni-1', state: 'available', attachedInstanceId: null, ...part }) as CloudNetworkInterface;
const replacement = (state: CloudInstance['state'], part: Partial<CloudInstance> = {}): CloudInstance =>
  instanceFixture({ instanceId: 'i-new', state, volumes: [], networkInterfaces: [], ...part });
const disk = (deviceName: string, deleteOnTermination = false) => ({
  ...{ volumeId: `vol${deviceName}`, deviceName, status: 'attached', deleteOnTermination },
});
const planned = (deviceName: string): PlannedVolume => ({
  ...{ volumeId: `vol-old${deviceName}`, deviceName, isRoot: deviceName === '/dev/xvda', deleteOnTermination: false },
  ...{ volumeType: 'gp3', sizeGiB: 10, iops: 3_000, throughputMiBps: 125, encrypted: false, kmsKeyId: null, tags: {} },
});
const SPACING_MS = 2_000;
const LAG_MS = 60_000;

/** An attempt whose launch failed, and what EC2 shows of it. */
async function scene(part: Partial<Request> = {}, launch: Partial<JournalRecord> | null = { state: 'failed' }) {
  const ec2 = {
    permits: [eni()] as CloudNetworkInterface[],
    instances: [] as CloudInstance[],
    byToken: [] as CloudInstance[],
  };
  const filters: unknown[] = [];
  const rig = new RunRig({
    policy: { recover: { fenceTimeoutMs: 600_000 } },
    plan: { volumes: [planned('/dev/xvda'), planned('/dev/sdf'), planned('/dev/sdg')] },
    cloud: {
      describeInstances: async (asked) => {
        if ('client-token' in asked) return ec2.byToken;
        return askedFor(asked, Object.keys(asked)[0] ?? '').length > 0 && 'instance-id' in asked ? ec2.instances : [];
      },
      describeNetworkInterfaces: async (asked) => {
        askedFor(asked, Object.keys(asked)[0] ?? '');
        filters.push(asked);
        return ec2.permits;
      },
    },
  });
  rig.putStep('permit-1', { state: 'done', request: PERMIT, result: MADE });
  if (launch) rig.putStep('launch-1', { error: { code: 'X', text: 'no room' }, ...launch });
  await rig.clock.advance(LATER_MS);
  const run = await rig.run();
  const step = revokeStep(run, 1);
  const ask = asker(rig, step, request(part));
  const frozen = { request: request(part), sends: {}, noted: null, elapsedMs: 0, conflict: null };
  const timeout = () => {
    const move = step.onTimeout(frozen);
    return move.kind === 'hold' ? move.text : move.kind;
  };
  /** EC2 confirms the deletion, and shows nothing of it after that. */
  const deleted = async () => {
    await ask();
    ec2.permits = [];
    return ask(came('delete'));
  };
  return { rig, run, step, ec2, filters, ask, timeout, deleted };
}
const names = (move: Parameters<typeof callsOf>[0]) => callsOf(move).map((one) => one.name);

describe('a permit that nothing was launched with', () => {
  test('is deleted; then two looks apart must show nothing; then the attempt is over, its own records with it', async () => {
    const { rig, ask, ec2, run } = await scene();
    const sent: string[] = [];
    await make(await ask(), { deleteNetworkInterface: async (id) => void sent.push(id) });
    expect(sent).toEqual(['eni-1']);
    ec2.permits = [];
    expect(await ask(came('delete'))).toMatchObject({ kind: 'wait', forMs: SPACING_MS });
    await rig.clock.advance(SPACING_MS - 1);
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    expect(await ask()).toEqual({
      ...{ kind: 'done', result: { instanceTerminated: false, permitGone: true } },
      alongside: {
        deletes: ['permit-1', 'launch-1'].map((step) => ({
          ...{ key: KEYS.journalStep(rig.opId, step), expect: run.journal.modRevision(step) },
        })),
      },
    });
  });
  test('that is shown again begins the two looks anew', async () => {
    const { rig, ask, ec2, deleted } = await scene();
    await deleted();
    ec2.permits = [eni()];
    expect(names(await ask())).toEqual(['delete']);
    ec2.permits = [];
    await rig.clock.advance(SPACING_MS);
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(SPACING_MS);
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('that is shown although it was deleted is waited for, once, and then deleted again', async () => {
    const { ask } = await scene();
    await ask();
    expect(await ask(came('delete'))).toMatchObject({
      ...{ kind: 'wait', forMs: SPACING_MS, text: 'waiting for the launch permit to disappear' },
    });
    expect(names(await ask())).toEqual(['delete']);
    expect(names(await ask(came('delete', cloudError('CLOUD_CONFLICT'))))).toEqual(['delete']);
  });
  test('is looked for by its id; without one by the tags of the attempt', async () => {
    const known = await scene();
    await known.ask();
    expect(known.filters[0]).toEqual({ 'network-interface-id': ['eni-1'] });
    const unknown = await scene({ networkInterfaceId: null });
    await unknown.ask();
    const { opId } = unknown.rig;
    expect(unknown.filters[0]).toEqual({ [`tag:${TAG.op}`]: [opId], [`tag:${TAG.attempt}`]: ['1'] });
  });
  test('that was never recorded, and that no look shows, is over after two of them', async () => {
    const { rig, ask, ec2 } = await scene({ networkInterfaceId: null });
    ec2.permits = [];
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(SPACING_MS);
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
});

describe('a permit that EC2 does not show', () => {
  const NOT_FOUND = came('delete', cloudError('CLOUD_NOT_FOUND', 'InvalidNetworkInterfaceID.NotFound'));
  const unseen = async () => {
    const all = await scene();
    all.ec2.permits = [];
    return all;
  };
  test('is deleted all the same: silence proves nothing', async () =>
    expect(names(await (await unseen()).ask())).toEqual(['delete']));
  test('"not found" does not count while it may be too new to be known', async () => {
    const { rig, ask } = await unseen();
    await ask();
    await rig.clock.advance(LAG_MS - 1);
    expect(names(await ask(NOT_FOUND))).toEqual(['delete']);
    await rig.clock.advance(1);
    expect(await ask(NOT_FOUND)).toMatchObject({ kind: 'wait', forMs: SPACING_MS });
    await rig.clock.advance(SPACING_MS);
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('"not found" counts of one that was shown before', async () => {
    const { ask, ec2 } = await scene();
    await ask();
    ec2.permits = [];
    expect(await ask(NOT_FOUND)).toMatchObject({ kind: 'wait', forMs: SPACING_MS });
  });
  test('"not found" is taken back by a look that shows it', async () => {
    const { rig, ask, ec2 } = await scene();
    await ask();
    ec2.permits = [];
    await ask(NOT_FOUND);
    ec2.permits = [eni()];
    await ask();
    ec2.permits = [];
    await rig.clock.advance(SPACING_MS);
    expect(names(await ask())).toEqual(['delete']);
  });
  test('another error says nothing of it', async () => {
    const { rig, ask } = await unseen();
    await ask();
    await rig.clock.advance(LAG_MS);
    expect(names(await ask(came('delete', cloudError('CLOUD_UNAVAILABLE'))))).toEqual(['delete']);
  });
});

describe('a permit in use', () => {
  const inUse = async (
    attachedInstanceId: string,
    part: Partial<Request> = {},
    launch?: Partial<JournalRecord> | null,
  ) => {
    const all = await scene(part, launch);
    all.ec2.permits = [eni({ attachedInstanceId })];
    return all;
  };
  test('means that the launch did happen: adopted', async () =>
    expect(await (await inUse('i-late')).ask()).toEqual({
      ...{ kind: 'launched-after-all', launchStep: 'launch-1', instanceId: 'i-late' },
    }));
  test('by what no launch of this attempt made: held', async () =>
    expect(await (await inUse('i-late', {}, null)).ask()).toMatchObject({
      ...{ kind: 'hold', text: expect.stringContaining('i-late, none that we launched') },
    }));
  test('by the replacement that is being ended is waited for', async () => {
    const { ask, ec2 } = await inUse('i-new', { instanceId: 'i-new', failure: 'instance' });
    ec2.instances = [replacement('terminated')];
    expect(await ask()).toMatchObject({
      ...{ kind: 'wait', text: 'waiting for the failed replacement to let go of its launch permit' },
    });
  });
  test('by another than the replacement that is being ended: held', async () => {
    const { ask, ec2 } = await inUse('i-late', { instanceId: 'i-new', failure: 'instance' });
    ec2.instances = [replacement('terminated')];
    expect(await ask()).toMatchObject({
      ...{ kind: 'hold', reason: 'TwoInstancesClaimMember', text: expect.stringContaining('i-late, i-new') },
    });
  });
  test('while the token shows another: held', async () => {
    const { ask, ec2 } = await inUse('i-late');
    ec2.byToken = [replacement('running')];
    expect(await ask()).toMatchObject({ kind: 'hold', reason: 'TwoInstancesClaimMember' });
  });
  test('that is let go between two looks is looked at again', async () => {
    const { ask, ec2, filters } = await inUse('i-late');
    Object.defineProperty(ec2, 'permits', {
      get: () => (filters.length <= 1 ? [eni({ attachedInstanceId: 'i-late' })] : [eni()]),
    });
    expect(await ask()).toMatchObject({ kind: 'wait' });
  });
  test('begins the two looks anew', async () => {
    const { rig, ask, ec2, deleted } = await scene({ instanceId: 'i-new', failure: 'instance' });
    ec2.instances = [replacement('terminated')];
    await deleted();
    ec2.permits = [eni({ attachedInstanceId: 'i-new' })];
    await ask();
    ec2.permits = [];
    await rig.clock.advance(SPACING_MS);
    expect(await ask()).toMatchObject({ kind: 'wait', forMs: SPACING_MS });
  });
});

describe('the last look, with the permit gone', () => {
  const last = async (found: CloudInstance[], instances: CloudInstance[], part: Partial<Request> = {}) => {
    const { rig, ask, ec2, deleted } = await scene(part);
    if (part.instanceId) ec2.instances = [replacement('terminated')];
    await deleted();
    ec2.byToken = found;
    ec2.instances = instances;
    await rig.clock.advance(SPACING_MS);
    return ask();
  };
  test('shows a launch that nobody knew of: adopted', async () =>
    expect(await last([replacement('running')], [replacement('running')])).toMatchObject({
      ...{ kind: 'launched-after-all', instanceId: 'i-new' },
    }));
  test('shows one that is terminated: over', async () =>
    expect(await last([replacement('terminated')], [replacement('terminated')])).toMatchObject({ kind: 'done' }));
  test('shows one of which only another is terminated: adopted', async () =>
    expect(
      await last([replacement('running')], [replacement('terminated', { instanceId: 'i-x' }), replacement('running')]),
    ).toMatchObject({ kind: 'launched-after-all' }));
  test('shows the one that was ended: over, and its record stays, as it counts', async () =>
    expect(
      await last([replacement('terminated')], [replacement('terminated')], {
        instanceId: 'i-new',
        failure: 'instance',
      }),
    ).toEqual({ kind: 'done', result: { instanceTerminated: true, permitGone: true } }));
  test('shows the one that was ended as an old picture has it: over', async () =>
    expect(
      await last([replacement('terminated')], [replacement('running')], { instanceId: 'i-new', failure: 'instance' }),
    ).toMatchObject({ kind: 'done' }));
  test('shows by its token one that no look at it shows: adopted', async () =>
    expect(await last([replacement('running')], [])).toMatchObject({ kind: 'launched-after-all' }));
  test('shows two: held', async () =>
    expect(await last([replacement('running'), replacement('running', { instanceId: 'i-x' })], [])).toMatchObject({
      kind: 'hold',
    }));
});

describe('a replacement that failed', () => {
  const failed = async (instance: CloudInstance | null) => {
    const all = await scene({ instanceId: 'i-new', failure: 'instance' });
    all.ec2.instances = instance ? [instance] : [];
    return all;
  };
  test('is terminated, and seen terminated, before its permit is touched', async () => {
    const { ask, ec2, filters } = await failed(replacement('running'));
    const sent: string[] = [];
    await make(await ask(), { terminateInstance: async (id) => void sent.push(id) });
    expect(sent).toEqual(['i-new']);
    expect(await ask(came('terminate'))).toMatchObject({
      ...{ kind: 'wait', text: 'waiting for the failed replacement i-new to terminate' },
    });
    expect(filters).toEqual([]);
    ec2.instances = [replacement('terminated')];
    expect(names(await ask())).toEqual(['delete']);
    ec2.instances = [];
    expect(names(await ask())).toEqual(['delete']);
  });
  test('whose termination was not taken is asked for again', async () => {
    const { ask } = await failed(replacement('running'));
    await make(await ask(), { terminateInstance: () => Promise.reject(cloudError('CLOUD_THROTTLED')) }).catch(
      () => null,
    );
    expect(names(await ask(came('terminate', cloudError('CLOUD_THROTTLED'))))).toEqual(['terminate']);
  });
  test('that EC2 does not show, or shows another for, is not terminated yet', async () => {
    expect(names(await (await failed(null)).ask())).toEqual(['terminate']);
    expect(names(await (await failed(replacement('terminated', { instanceId: 'i-x' }))).ask())).toEqual(['terminate']);
  });
  test('takes its disks with it: those that would stay are let go first', async () => {
    const volumes = [disk('/dev/xvda', true), disk('/dev/sdf'), disk('/dev/sdg')];
    const { ask } = await failed(replacement('running', { volumes }));
    const sent: unknown[] = [];
    const move = await ask();
    await make(move, { setDeleteOnTermination: async (...what) => void sent.push(what.slice(0, 3)) });
    expect(sent).toEqual([
      ['i-new', '/dev/sdf', true],
      ['i-new', '/dev/sdg', true],
    ]);
    expect(names(await ask(came('release')))).toEqual(['terminate']);
    // An outdated read is no reason to begin again.
    expect(names(await ask(came('terminate', cloudError('CLOUD_THROTTLED'))))).toEqual(['terminate']);
  });
  test('**S** lets nothing go that somebody has attached to it later', async () => {
    const volumes = [disk('/dev/xvda', true), disk('/dev/sdz')];
    const { ask } = await failed(replacement('running', { volumes }));
    expect(names(await ask())).toEqual(['terminate']);
  });
  test('is not kept alive by disks that cannot be marked: three tries', async () => {
    const { ask } = await failed(replacement('running', { volumes: [disk('/dev/sdf')] }));
    const refused = came('release', cloudError('CLOUD_REJECTED'));
    const all = [await ask(), await ask(refused), await ask(refused), await ask(refused)];
    expect(all.map(names)).toEqual([['release'], ['release'], ['release'], ['terminate']]);
  });
  test('that is shutting down has its disks no more', async () => {
    const { ask } = await failed(replacement('shutting-down', { volumes: [disk('/dev/sdf')] }));
    expect(names(await ask())).toEqual(['terminate']);
  });
});

describe('what is recorded of the end', () => {
  const described = async (steps: Readonly<Record<string, Partial<JournalRecord>>>, attempt = 1) => {
    const rig = new RunRig();
    for (const [step, over] of Object.entries(steps)) rig.putStep(step, over);
    return revokeStep(await rig.run(), attempt).prepare();
  };
  const permit = { state: 'done', request: PERMIT, result: MADE } as const;
  const failed = (failure: AttemptFailure, text = 'why', startedAtWallMs = 7): Partial<JournalRecord> => ({
    ...{ state: 'failed', result: { failure }, error: { code: 'X', text }, startedAtWallMs, endedAtWallMs: 8 },
  });
  const launched = { state: 'done', result: { instanceId: 'i-new', foundBy: 'reply' } } as const;
  const earlier = (part: Partial<Request>): Partial<JournalRecord> => ({
    ...{ state: 'done', request: request({ networkInterfaceId: null, ...part }) },
    result: { instanceTerminated: false, permitGone: true },
  });

  test('a permit that failed: why, and that nothing is left', async () =>
    expect(await described({ 'permit-1': { ...failed('placement'), request: PERMIT } })).toEqual(
      request({ failure: 'placement', text: 'why', networkInterfaceId: null, seriesSinceWallMs: 7 }),
    ));
  test('a launch that failed: the permit is left', async () =>
    expect(await described({ 'permit-1': permit, 'launch-1': failed('capacity') })).toEqual(
      request({ text: 'why', seriesSinceWallMs: 7 }),
    ));
  test('a verification that failed: the instance is left too, and no series goes on', async () => {
    const steps = { 'permit-1': permit, 'launch-1': launched, 'verify-1': failed('instance') };
    expect(await described(steps)).toMatchObject({
      ...{ failure: 'instance', instanceId: 'i-new', networkInterfaceId: 'eni-1', seriesLength: 0 },
    });
  });
  test('of a long reason 400 characters; of none, that there is none', async () => {
    const long = await described({ 'permit-1': permit, 'launch-1': failed('capacity', 'x'.repeat(500)) });
    expect(long.text).toBe('x'.repeat(400));
    const none = await described({ 'permit-1': permit, 'launch-1': { ...failed('capacity'), error: null } });
    expect(none.text).toBe('no reason kept');
  });
  test('a launch that failed without saying how counts as one that was made', async () => {
    const silent = { ...failed('capacity'), result: null };
    expect(await described({ 'permit-1': permit, 'launch-1': silent })).toMatchObject({ failure: 'instance' });
  });
  test('an attempt that has not failed is not ended', async () => {
    await expect(described({ 'permit-1': permit, 'launch-1': launched })).rejects.toThrow('has not failed');
    await expect(described({ 'launch-1': failed('capacity') })).rejects.toThrow('has not failed');
  });

  const second = (before: Partial<Request>, failure: AttemptFailure = 'capacity', round = 1) =>
    described(
      {
        'revoke-1': earlier(before),
        'permit-2': { ...permit, request: { ...PERMIT, round } },
        'launch-2': failed(failure),
      },
      2,
    );
  test('attempts in a row that made nothing are a series, since the first began', async () =>
    expect(await second({ seriesLength: 4, seriesSinceWallMs: 3 })).toMatchObject({
      ...{ seriesLength: 5, seriesSinceWallMs: 3 },
    }));
  test('a launch, or a new round, begins it anew', async () => {
    const anew = { seriesLength: 1, seriesSinceWallMs: 7 };
    expect(await second({ seriesLength: 0, seriesSinceWallMs: 3, failure: 'instance' })).toMatchObject(anew);
    expect(await second({ seriesLength: 4, seriesSinceWallMs: 3 }, 'capacity', 2)).toMatchObject(anew);
  });
  test('what launched ends it', async () =>
    expect(await second({ seriesLength: 4 }, 'instance')).toMatchObject({ seriesLength: 0 }));
});

describe('what cannot be ended is held, and says what is in the way', () => {
  test('it may take as long as a fence, and EC2 to know what it made', async () => {
    const { step } = await scene();
    expect(step.limitMs).toBe(660_000);
    expect(step.floorMs).toBe(90_000);
    const held = step.onTimeout({ request: request(), sends: {}, noted: null, elapsedMs: 0, conflict: null });
    expect(held).toMatchObject({ kind: 'hold', reason: 'FenceNotProven' });
  });
  test('the replacement, with its state where that is known', async () => {
    const { ask, ec2, timeout } = await scene({ instanceId: 'i-new' });
    expect(timeout()).toBe('launch attempt 1 cannot be ended: its replacement i-new was not seen terminated');
    ec2.instances = [replacement('stopping')];
    await ask();
    expect(timeout()).toContain('was not seen terminated (it is stopping)');
    ec2.instances = [replacement('terminated')];
    await ask();
    expect(timeout()).toContain('eni-1 is still shown (available)');
  });
  test('a permit that EC2 shows, or has not confirmed as deleted, or nothing could be read after', async () => {
    const { ask, ec2, timeout } = await scene();
    expect(timeout()).toContain('eni-1 is not shown, and EC2 has not confirmed that it is deleted');
    await ask();
    expect(timeout()).toContain('eni-1 is still shown (available)');
    ec2.permits = [];
    await ask(came('delete', cloudError('CLOUD_NOT_FOUND')));
    expect(timeout()).toContain('eni-1 is not shown any more, but that nothing was launched with it could not be read');
    const other = await scene();
    await other.deleted();
    expect(other.timeout()).toContain('eni-1 is not shown any more');
  });
  test('a permit without a known id', async () =>
    expect((await scene({ networkInterfaceId: null })).timeout()).toContain('its permit is not shown'));
});
