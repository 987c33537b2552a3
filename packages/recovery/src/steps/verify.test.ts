import { memberRecord, type PolicyChange } from '@understudy/shared/testing';
import {
  type CloudInstance,
  type CloudInstanceStatus,
  type HeartbeatReading,
  type IntentRecord,
  monotonicMs,
} from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { instanceFixture } from '../core/plan.fixture.ts';
import type { Frozen } from '../effect.ts';
import { cloudError, heard, KEYS, MEMBER, RunRig } from '../run.fixtures.ts';
import { asker, LATER_MS, callsOf, came, make } from './step.fixtures.ts';
import { launchedBy, verifyStep } from './verify.ts';
import { VERIFY } from './attempt-records.ts';

const POLICY: PolicyChange = {
  ...{
    recover: { settleMs: 3_000, verifyTimeoutMs: 600_000, requireStatusChecks: false },
    detect: { suspectAfterMs: 5_000 },
  },
};
const replacement = (part: Partial<CloudInstance> = {}): CloudInstance =>
  instanceFixture({ instanceId: 'i-new', volumes: [], ...part });
const status = (part: Partial<CloudInstanceStatus> = {}): CloudInstanceStatus => ({
  ...{ instanceId: 'i-new', state: 'running', system: 'ok', instance: 'ok', attachedEbs: 'ok', events: [] },
  ...part,
});
const disk = (deviceName: string, deleteOnTermination: boolean) => ({
  ...{ volumeId: `vol${deviceName}`, deviceName, status: 'attached', deleteOnTermination },
});

interface SceneOptions {
  readonly policy?: PolicyChange;
  readonly intent?: Partial<IntentRecord>;
}

/**
 * A replacement that was launched, and what EC2 answers about it; an error stands for a look that
 * fails.
 */
async function scene({ policy, intent }: SceneOptions = {}) {
  const looks: string[] = [];
  const ec2: { instances: CloudInstance[] | Error; statuses: CloudInstanceStatus[] | Error } = {
    ...{ instances: [replacement()], statuses: [status()] },
  };
  const answer = async <T>(what: string, found: T | Error): Promise<T> => {
    looks.push(what);
    if (found instanceof Error) throw found;
    return found;
  };
  const rig = new RunRig({
    ...{ policy: { ...POLICY, ...policy }, intent: intent ?? {} },
    cloud: {
      describeInstances: (filters) => answer(`instance ${filters['instance-id']?.join()}`, ec2.instances),
      describeInstanceStatus: (ids) => answer(`status ${ids.join()}`, ec2.statuses),
    },
  });
  rig.putStep('launch-1', { state: 'done', result: { instanceId: 'i-new', foundBy: 'reply' } });
  await rig.clock.advance(LATER_MS);
  const run = await rig.run();
  const step = verifyStep(run, 1);
  const request = { instanceId: 'i-new' };
  const hear = (over: Partial<HeartbeatReading> = {}) => rig.readings.set('i-new', heard({ ...now(rig), ...over }));
  const frozen: Frozen<typeof VERIFY> = { request, sends: {}, noted: null, elapsedMs: 600_001, conflict: null };
  return { rig, run, step, looks, ec2, hear, ask: asker(rig, step, request), timeout: () => step.onTimeout(frozen) };
}
/** Heard at this moment, and passing for long. */
const now = ({ clock }: RunRig) => ({
  ...{ lastHeardAtMs: clock.monotonicMs(), passingSinceMs: monotonicMs(clock.monotonicMs() - 60_000) },
});

describe('what is verified', () => {
  test('is what the attempt launched, by the journal', async () => {
    const { run, step } = await scene();
    expect(await step.prepare()).toEqual({ instanceId: 'i-new' });
    expect(() => launchedBy(run, 2)).toThrow('attempt 2 has launched nothing');
  });
  test('is nothing where the launch failed', async () => {
    const { rig } = await scene();
    rig.putStep('launch-1', { state: 'failed', result: { failure: 'capacity' } });
    const run = await rig.run();
    expect(() => launchedBy(run, 1)).toThrow('attempt 1 has launched nothing');
  });
  test('has as long as the policy says', async () => expect((await scene()).step.limitMs).toBe(600_000));
});

describe('a replacement', () => {
  test('that EC2 does not show yet is looked for at the usual pace', async () => {
    const { ask, ec2 } = await scene();
    ec2.instances = [];
    expect(await ask()).toEqual({ kind: 'wait', text: 'EC2 does not show the replacement yet' });
  });
  test('that runs and is heard is done', async () => {
    const { ask, hear } = await scene();
    hear();
    expect(await ask()).toEqual({ kind: 'done', result: { instanceId: 'i-new' } });
  });
  test('that EC2 shows terminated has failed, for a fault of the instance', async () => {
    const { ask, ec2 } = await scene();
    ec2.instances = [replacement({ state: 'terminated' })];
    expect(await ask()).toMatchObject({ kind: 'failed', failure: 'instance', code: 'VerifyFailed' });
  });
  test('is told from others that an answer shows', async () => {
    const { ask, ec2 } = await scene();
    ec2.instances = [replacement({ instanceId: 'i-x', state: 'terminated' }), replacement()];
    expect(await ask()).toMatchObject({ kind: 'wait', text: 'waiting for the first heartbeat of the replacement' });
  });
  test('that is not shown any more is as it was: EC2 is eventually consistent', async () => {
    const { rig, ask, ec2, hear } = await scene();
    await ask();
    ec2.instances = [];
    await rig.clock.advance(10_000);
    hear();
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('that does not run yet is looked at again at the usual pace', async () => {
    const { ask, ec2 } = await scene();
    ec2.instances = [replacement({ state: 'pending' })];
    expect(await ask()).toEqual({ kind: 'wait', text: 'the replacement is pending' });
  });
  test('that only has to be heard is looked for as often as at the start', async () => {
    const { ask } = await scene();
    expect(await ask()).toMatchObject({ kind: 'wait', forMs: 250 });
  });
  test('that passes is asked about again when it will have settled', async () => {
    const { rig, ask, hear } = await scene();
    hear({ passingSinceMs: rig.clock.monotonicMs() });
    expect(await ask()).toMatchObject({ kind: 'wait', forMs: 3_000 });
  });
  test('that stays pending fails after the time a launch may take, other leaders’ share included', async () => {
    const { ask, ec2 } = await scene({ policy: { recover: { launchTimeoutMs: 60_000 } } });
    ec2.instances = [replacement({ state: 'pending' })];
    expect(await ask(null, { elapsedMs: 60_000 })).toMatchObject({ kind: 'wait' });
    expect(await ask(null, { elapsedMs: 60_001 })).toMatchObject({ kind: 'failed' });
  });
});

describe('how often EC2 is asked', () => {
  const again = async (waits: readonly number[], after?: { readonly state: 'pending' }) => {
    const { rig, ask, ec2, looks } = await scene();
    if (after) ec2.instances = [replacement(after)];
    await ask();
    for (const ms of waits) {
      looks.length = 0;
      await rig.clock.advance(ms);
      await ask();
    }
    return looks;
  };
  test('while it does not run: each time, and not about its status', async () =>
    expect(await again([1], { state: 'pending' })).toEqual(['instance i-new']));
  test('once it runs: after two seconds, and five for its status', async () => {
    expect(await again([1])).toEqual(['status i-new']);
    expect(await again([1, 1_998])).toEqual([]);
    expect(await again([1, 1_999])).toEqual(['instance i-new']);
    expect(await again([1, 4_999])).toEqual(['instance i-new']);
    expect(await again([1, 5_000])).toEqual(['instance i-new', 'status i-new']);
  });
  test('after a call: at once', async () => {
    const { ask, looks } = await scene();
    await ask();
    looks.length = 0;
    await ask(came('keep-/dev/sdf'));
    expect(looks).toContain('instance i-new');
  });
});

describe('status checks', () => {
  const second = async (over: SceneOptions, found: CloudInstanceStatus[] | Error) => {
    const all = await scene(over);
    await all.ask();
    all.ec2.statuses = found;
    all.hear();
    return all;
  };
  test('that are impaired twice in a row condemn it', async () => {
    const { rig, ask, hear } = await second({}, [status({ system: 'impaired' })]);
    expect(await ask()).toMatchObject({ kind: 'done' });
    await rig.clock.advance(5_000);
    hear();
    expect(await ask()).toMatchObject({
      kind: 'failed',
      text: 'EC2 status checks of the replacement are impaired',
    });
  });
  test('of others say nothing of it', async () => {
    const others = [status({ instanceId: 'i-x', system: 'impaired' })];
    const { rig, ask, hear } = await second({}, others);
    await ask();
    await rig.clock.advance(5_000);
    hear();
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('that cannot be read, ever: it does not pass, as it is not known that EC2 sees nothing wrong', async () => {
    const { ask } = await second({}, cloudError('CLOUD_UNAVAILABLE'));
    await expect(ask()).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
  });
  test('that can be read again: it passes', async () => {
    const { rig, ask, ec2, hear } = await second({}, cloudError('CLOUD_UNAVAILABLE'));
    await ask().catch(() => null);
    ec2.statuses = [];
    await rig.clock.advance(4_999);
    hear();
    await expect(ask()).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
    await rig.clock.advance(1);
    hear();
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('that were read once and cannot be now: it passes', async () => {
    const { rig, ask, ec2, hear } = await second({}, [status()]);
    await ask();
    ec2.statuses = cloudError('CLOUD_UNAVAILABLE');
    await rig.clock.advance(5_000);
    hear();
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('that cannot be read while it is not heard do not stand in the way of waiting', async () => {
    const { rig, ask } = await second({}, cloudError('CLOUD_THROTTLED'));
    rig.readings.clear();
    expect(await ask()).toMatchObject({ kind: 'wait' });
  });
  test('whose refusal does not pass is an error at once', async () => {
    const { rig, ask } = await second({}, cloudError('CLOUD_DENIED'));
    rig.readings.clear();
    await expect(ask()).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
  });
});

describe('a look at the instance that fails', () => {
  test('is an error, to be repeated', async () => {
    const { ask, ec2 } = await scene();
    ec2.instances = cloudError('CLOUD_UNAVAILABLE');
    await expect(ask()).rejects.toMatchObject({ code: 'CLOUD_UNAVAILABLE' });
  });
  test('until the time is over: held, as nothing is known; with how long', async () => {
    const { rig, ask, ec2, timeout } = await scene();
    ec2.instances = cloudError('CLOUD_UNAVAILABLE');
    await ask().catch(() => null);
    await rig.clock.advance(20_000);
    await ask().catch(() => null);
    await rig.clock.advance(10_000);
    expect(timeout()).toMatchObject({
      ...{ kind: 'hold', reason: 'CloudUnavailable', text: expect.stringContaining('asked about it for 30 s') },
    });
  });
  test('and works again: the time that is over condemns it', async () => {
    const { ask, ec2, timeout } = await scene();
    ec2.instances = cloudError('CLOUD_UNAVAILABLE');
    await ask().catch(() => null);
    ec2.instances = [replacement()];
    await ask();
    expect(timeout()).toMatchObject({
      kind: 'failed',
      text: 'i-new was not fit to serve within 10 min 0 s',
    });
  });
  test('a leader that does not trust its own ears condemns nobody', async () => {
    const { rig, timeout } = await scene();
    let deaf = true;
    Object.assign(rig.parts.heartbeats, { abstains: () => deaf });
    expect(timeout()).toMatchObject({ kind: 'hold', reason: 'ObserverUnwell' });
    deaf = false;
    expect(timeout()).toMatchObject({ kind: 'failed', failure: 'instance' });
  });
});

describe('the promise of its agent', () => {
  const contract = { id: 'c', stopWithinMs: 10_000, requireWatchdog: false, answersHoldMs: 10_000 };
  const promised = (stopWithinSeconds: number) => ({ servePromise: { stopWithinSeconds, watchdog: false } });
  const lacking = async (present: typeof contract | null | 'none') => {
    const all = await scene({ intent: { serveContract: contract } });
    if (present !== 'none') all.rig.put(KEYS.member(MEMBER), memberRecord(MEMBER, { serveContract: present }));
    all.hear();
    return all;
  };
  test('is not asked for where the recovery began without a contract', async () => {
    const { ask, hear } = await scene();
    hear();
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('that is given is enough', async () => {
    const { ask, hear } = await lacking(contract);
    hear(promised(10));
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('that is missing keeps it from serving, while the member asks for one', async () => {
    const { ask } = await lacking(contract);
    expect(await ask()).toMatchObject({
      kind: 'wait',
      text: 'the replacement may not serve: its agent keeps no serve lease (serve.leaseMs)',
    });
  });
  test('is not asked for once a person has taken the contract back, or the member is gone', async () => {
    expect(await (await lacking(null)).ask()).toMatchObject({ kind: 'done' });
    expect(await (await lacking('none')).ask()).toMatchObject({ kind: 'done' });
  });
  test('is not asked for of a recovery that began without one, whatever is asked of the member now', async () => {
    const { rig, ask, hear } = await scene();
    rig.put(KEYS.member(MEMBER), memberRecord(MEMBER, { serveContract: contract }));
    hear();
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('that is as good as what the recovery began with is enough, whatever is asked now', async () => {
    const { ask, hear } = await lacking({ ...contract, stopWithinMs: 5_000 });
    hear(promised(10));
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
  test('is measured by what is asked now', async () => {
    const { ask, hear } = await lacking({ ...contract, stopWithinMs: 20_000 });
    hear(promised(15));
    expect(await ask()).toMatchObject({ kind: 'done' });
  });
});

describe('disks that were to outlive the instance', () => {
  const PLAN_DISK = '/dev/sdf';
  const kept = async (state: CloudInstance['state'] = 'running') => {
    const all = await scene();
    const [root] = all.run.plan.volumes;
    if (!root) throw new Error('a plan without volumes');
    all.run.plan.volumes.push({ ...root, deviceName: PLAN_DISK, isRoot: false, deleteOnTermination: false });
    all.ec2.instances = [replacement({ state, volumes: [disk('/dev/xvda', true), disk(PLAN_DISK, true)] })];
    return all;
  };
  test('are kept before it is activated, those and no others', async () => {
    const { ask, hear } = await kept();
    hear();
    const sent: unknown[] = [];
    const move = await ask();
    expect(callsOf(move).map((one) => one.name)).toEqual(['keep-/dev/sdf']);
    await make(move, { setDeleteOnTermination: async (...what) => void sent.push(what.slice(0, 3)) });
    expect(sent).toEqual([['i-new', PLAN_DISK, false]]);
  });
  test('of one that has failed are nobody’s business', async () => {
    const { rig, ask, ec2, hear } = await kept();
    ec2.statuses = [status({ system: 'impaired' })];
    await ask();
    await rig.clock.advance(5_000);
    await ask();
    await rig.clock.advance(5_000);
    hear();
    expect(await ask()).toMatchObject({ kind: 'failed' });
  });
  test('are kept while it settles, not while it may never pass', async () => {
    const { rig, ask, hear } = await kept();
    expect(await ask()).toMatchObject({ kind: 'wait' });
    hear({ passingSinceMs: rig.clock.monotonicMs() });
    expect(await ask()).toMatchObject({ kind: 'act' });
  });
  test('are seen kept before it passes, and asked for again only after a while', async () => {
    const { rig, ask, ec2, hear } = await kept();
    hear();
    await ask();
    expect(await ask(came('keep-/dev/sdf'))).toEqual({
      kind: 'wait',
      text: 'waiting to see the disks of the replacement kept',
    });
    await rig.clock.advance(1_999);
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    hear();
    expect(await ask()).toMatchObject({ kind: 'act' });
    ec2.instances = [replacement({ volumes: [disk(PLAN_DISK, false)] })];
    expect(await ask(came('keep-/dev/sdf'))).toMatchObject({ kind: 'done' });
  });
  test('that EC2 refuses to keep hold the recovery; what passes is tried again', async () => {
    const { ask, hear } = await kept();
    hear();
    const held = {
      kind: 'hold',
      reason: 'CloudRejected',
      text: expect.stringMatching(/^disks of the replacement: .*the test/),
    };
    expect(await ask(came('keep-/dev/sdf', cloudError('CLOUD_REJECTED')))).toMatchObject(held);
    expect(await ask(came('keep-/dev/sdf', cloudError('CLOUD_THROTTLED')))).toMatchObject({ kind: 'act' });
  });
});
