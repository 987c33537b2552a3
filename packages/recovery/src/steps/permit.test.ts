import { type PolicyChange, joinedChanges } from '@understudy/shared/testing';
import type { CloudNetworkInterface, HoldRecord, PlacementCandidate } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { HoldDecided } from '../hold.ts';
import { cloudError, KEYS, MEMBER, RunRig } from '../run.fixtures.ts';
import { permitStep } from './permit.ts';
import { asker, callsOf, came, make } from './step.fixtures.ts';

const candidate = (letter: string): PlacementCandidate => ({
  ...{ subnetId: `subnet-${letter}`, az: `az-${letter}`, instanceType: 'm7i.large' },
});
const permit = (part: Partial<CloudNetworkInterface> = {}): CloudNetworkInterface => ({
  ...{ networkInterfaceId: 'eni-1', state: 'available', az: 'az-a', subnetId: 'subnet-a', privateIp: '10.0.0.7' },
  ...{ attachedInstanceId: null, attachment: null, sourceDestCheck: true, description: '', tags: {} },
  assigned: { 'secondary-ip': [], 'ipv6-address': [], 'ipv4-prefix': [], 'ipv6-prefix': [] },
  ...part,
});
const REQUEST = {
  round: 1,
  candidateIndex: 0,
  candidate: candidate('a'),
  create: { clientToken: 't', subnetId: 'subnet-a', groupIds: ['sg-1'], description: 'd', tags: {} },
};
const NO_ROOM = cloudError('CLOUD_CAPACITY', 'InsufficientFreeAddressesInSubnet');

interface SceneOptions {
  readonly candidates?: readonly string[];
  readonly sourceDestCheck?: boolean;
  readonly policy?: PolicyChange;
  readonly seen?: readonly CloudNetworkInterface[];
}

async function scene({ candidates = ['a', 'b'], sourceDestCheck = true, policy, seen = [] }: SceneOptions = {}) {
  const looks: unknown[] = [];
  const rig = new RunRig({
    plan: { candidates: candidates.map(candidate), sourceDestCheck, securityGroupIds: ['sg-1'] },
    policy: policy ?? {},
    cloud: {
      describeNetworkInterfaces: async (filters) => {
        looks.push(filters);
        return seen;
      },
    },
  });
  /** An attempt that made nothing, as the journal tells of it. */
  const ended = (number: number, failure: 'capacity' | 'placement', candidateIndex: number, agoMs = 1_000) =>
    rig.putStep(`revoke-${number}`, {
      state: 'done',
      request: {
        ...{ round: 1, candidateIndex, failure, text: 'no room', instanceId: null, networkInterfaceId: null },
        ...{ seriesLength: number, seriesSinceWallMs: rig.clock.wallMs() - agoMs },
      },
      result: { instanceTerminated: false, permitGone: true },
    });
  const begin = async (attempt = 1) => {
    if (attempt === 1) rig.putStep('permit-1', { request: REQUEST });
    const run = await rig.run();
    const step = permitStep(run, attempt);
    return { run, step, ask: asker(rig, step, REQUEST) };
  };
  return { rig, looks, ended, begin };
}

describe('where the next launch is tried', () => {
  const chosen = async (all: Awaited<ReturnType<typeof scene>>, attempt: number) => {
    const { step } = await all.begin(attempt);
    return all.rig.clock.runUntilSettled(step.prepare());
  };
  test('is the placement after the one that had no room, in the plan’s groups', async () => {
    const all = await scene();
    all.ended(1, 'capacity', 0);
    const request = await chosen(all, 2);
    expect(request).toMatchObject({ round: 1, candidateIndex: 1, candidate: candidate('b') });
    expect(request.create).toMatchObject({ subnetId: 'subnet-b', groupIds: ['sg-1'] });
  });
  test('is the first placement at the first attempt, without a pause', async () => {
    const all = await scene();
    expect(await chosen(all, 1)).toMatchObject({ round: 1, candidateIndex: 0, candidate: candidate('a') });
    expect(all.rig.clock.monotonicMs()).toBe(0);
  });
  test('nowhere, when every placement was refused for its own fault: held', async () => {
    const all = await scene();
    all.ended(1, 'placement', 0);
    all.ended(2, 'placement', 1);
    await expect(chosen(all, 3)).rejects.toThrow(HoldDecided);
    await expect(chosen(all, 3)).rejects.toMatchObject({ reason: 'NoPlacementLeft' });
  });
});

describe('when no placement has room', () => {
  /** Both were asked, as long ago as this. */
  const short = async (agoMs: number, policy: PolicyChange = {}) => {
    const all = await scene({
      policy: joinedChanges({ recover: { holdFailingAfterMs: 60_000, retryRefusedForMs: 3_600_000 } }, policy),
    });
    all.ended(1, 'capacity', 0, agoMs);
    all.ended(2, 'capacity', 1, agoMs);
    const { run, step } = await all.begin(3);
    const beganAtMs = all.rig.clock.monotonicMs();
    const request = await all.rig.clock.runUntilSettled(step.prepare());
    const waitedMs = all.rig.clock.monotonicMs() - beganAtMs;
    const [entry] = all.rig.kv.entries(KEYS.hold(MEMBER));
    const hold = entry ? (JSON.parse(entry.value) as HoldRecord) : null;
    return { ...all, run, request, waitedMs, hold };
  };
  test('all are asked again after a pause, and meanwhile it says so', async () => {
    const { run, request, waitedMs } = await short(1_000);
    expect(waitedMs).toBe(60_000);
    expect(request.candidateIndex).toBe(0);
    expect(run.activities.get('permit-3')?.text).toContain('asking again in 60 s (m7i.large in subnet-a');
  });
  test('nothing is held before it has lasted', async () => expect((await short(59_999)).hold).toBeNull());
  test('once it has: held with what each answered, since when and until when; and it goes on by itself', async () => {
    const { hold, rig, request } = await short(60_000);
    expect(hold).toMatchObject({ reason: 'NoCapacity' });
    expect(hold?.sinceWallMs).toBe(rig.clock.wallMs() - 120_000);
    expect(hold?.untilWallMs).toBe(rig.clock.wallMs() - 120_000 + 3_600_000);
    const [since, until] = [hold?.sinceWallMs, hold?.untilWallMs].map((wallMs) => new Date(wallMs ?? 0).toISOString());
    expect(hold?.text).toContain(`nothing could be launched since ${since}: `);
    expect(hold?.text).toContain(`asked again until ${until} (recover.retryRefusedForMs)`);
    for (const part of ['subnet-a (az-a): no room', 'pauses of up to 300 s', 'understudy retry db/one'])
      expect(hold?.text).toContain(part);
    expect(request.candidateIndex).toBe(0);
  });
  test('the second of a turn follows the first at once', async () => {
    const all = await scene();
    all.ended(1, 'capacity', 0);
    const { run, step } = await all.begin(2);
    await all.rig.clock.runUntilSettled(step.prepare());
    expect(all.rig.clock.monotonicMs()).toBe(0);
    expect(run.activities.size).toBe(0);
  });
});

describe('the permit', () => {
  test('may take as long as a launch and all refusals may', async () => {
    const { begin } = await scene({ policy: { recover: { launchTimeoutMs: 60_000, retryRefusedForMs: 100_000 } } });
    const { step } = await begin();
    expect(step.limitMs).toBe(160_000);
    const frozen = { request: REQUEST, sends: {}, noted: null, elapsedMs: 160_001, conflict: null };
    expect(step.onTimeout(frozen)).toMatchObject({ kind: 'hold', reason: 'CloudUnavailable' });
  });
  test('is created as recorded, and done with what EC2 answered', async () => {
    const { ask } = await (await scene()).begin();
    const move = await ask();
    const sent: unknown[] = [];
    await make(move, { createNetworkInterface: async (request) => (sent.push(request), permit()) });
    expect(sent).toEqual([REQUEST.create]);
    expect(await ask(came('create'))).toEqual({
      kind: 'done',
      result: { networkInterfaceId: 'eni-1', privateIp: '10.0.0.7' },
    });
  });

  const made = async (options: SceneOptions) => {
    const all = await scene(options);
    const { ask } = await all.begin();
    await make(await ask(), { createNetworkInterface: async () => permit() });
    return { ...all, ask };
  };
  test('gets the source/destination check of the failed instance, and that is seen', async () => {
    const { ask, looks } = await made({ sourceDestCheck: false, seen: [permit({ sourceDestCheck: false })] });
    const move = await ask(came('create'));
    const sent: unknown[] = [];
    await make(move, { setNetworkInterfaceAttributes: async (...what) => void sent.push(what.slice(0, 2)) });
    expect(sent).toEqual([['eni-1', { sourceDestCheck: false }]]);
    expect(looks).toEqual([]);
    expect(await ask(came('attributes'))).toMatchObject({ kind: 'done' });
    expect(looks).toEqual([{ 'network-interface-id': ['eni-1'] }]);
  });
  test('whose check was never asked for is asked for', async () =>
    expect(await (await made({ sourceDestCheck: false })).ask()).toMatchObject({ kind: 'act' }));
  test.each<[string, readonly CloudNetworkInterface[]]>([
    ['unchanged', [permit()]],
    ['nowhere', []],
  ])('whose check is seen %s is asked for again', async (_, seen) => {
    const { ask } = await made({ sourceDestCheck: false, seen });
    expect(callsOf(await ask(came('attributes'))).map((one) => one.name)).toEqual(['attributes']);
  });
  test('whose check EC2 refuses is held for; what passes is tried again, unseen', async () => {
    const { ask, looks } = await made({ sourceDestCheck: false });
    expect(await ask(came('attributes', cloudError('CLOUD_REJECTED')))).toMatchObject({
      ...{ kind: 'hold', reason: 'CloudRejected', text: expect.stringMatching(/^source\/destination check: /) },
    });
    expect(await ask(came('attributes', cloudError('CLOUD_THROTTLED')))).toMatchObject({ kind: 'act' });
    expect(looks).toEqual([]);
  });
});

describe('what EC2 answers instead', () => {
  const answered = async (
    options: SceneOptions,
    last: Parameters<Awaited<ReturnType<typeof begun>>>[0],
    elapsedMs = 0,
  ) => (await begun(options))(last, { elapsedMs });
  const begun = async (options: SceneOptions) => (await (await scene(options)).begin()).ask;
  const ALONE = { candidates: ['a'] };

  test('no room, and there is another placement: the attempt ends', async () =>
    expect(await answered({}, came('create', NO_ROOM))).toMatchObject({
      ...{ kind: 'failed', failure: 'capacity', code: 'InsufficientFreeAddressesInSubnet' },
    }));
  test('no room, and none: the same again, after pauses that grow', async () => {
    const ask = await begun(ALONE);
    const pauses: unknown[] = [];
    for (let tries = 0; tries < 4; tries += 1) pauses.push(await ask(came('create', NO_ROOM)));
    expect(pauses).toMatchObject([60_000, 120_000, 240_000, 300_000].map((forMs) => ({ kind: 'wait', forMs })));
    expect(pauses[0]).toMatchObject({ text: expect.stringContaining('(InsufficientFreeAddressesInSubnet)') });
    expect(await ask()).toMatchObject({ kind: 'act' });
  });
  test('a fault of the placement ends the attempt, whatever else there is', async () =>
    expect(await answered(ALONE, came('create', cloudError('CLOUD_REJECTED', 'InvalidSubnet')))).toMatchObject({
      ...{ kind: 'failed', failure: 'placement', code: 'InvalidSubnet' },
    }));
  test('a denial is for a person', async () =>
    expect(await answered({}, came('create', cloudError('CLOUD_DENIED')))).toMatchObject({
      ...{ kind: 'hold', reason: 'CloudDenied', text: expect.stringMatching(/^EC2 refuses the network interface: /) },
    }));
  test('what is new to it is waited for; for a minute, then it is the placement’s fault', async () => {
    const lag = came('create', cloudError('CLOUD_NOT_FOUND', 'InvalidGroup.NotFound'));
    expect(await answered({}, lag, 60_000)).toMatchObject({ kind: 'wait', forMs: 2_000 });
    expect(await answered({}, lag, 60_001)).toMatchObject({ kind: 'failed', failure: 'placement' });
  });
  test('nothing that tells what became of it: the same token again; after five another placement, where there is one', async () => {
    const unknown = (count: number) => came('create', cloudError('CLOUD_OUTCOME_UNKNOWN'), count);
    expect(await answered({}, unknown(5))).toMatchObject({ kind: 'act' });
    expect(await answered({}, unknown(6))).toMatchObject({ kind: 'failed', failure: 'unknown' });
    expect(await answered(ALONE, unknown(6))).toMatchObject({ kind: 'act' });
  });
  test('too many calls: the same again', async () =>
    expect(await answered({}, came('create', cloudError('CLOUD_THROTTLED')))).toMatchObject({ kind: 'act' }));
  test('a refusal without a code of EC2 is told by ours', async () =>
    expect(await answered({}, came('create', cloudError('CLOUD_CAPACITY')))).toMatchObject({ code: 'CLOUD_CAPACITY' }));
  test('... also where it is waited for', async () =>
    expect(await answered(ALONE, came('create', cloudError('CLOUD_CAPACITY')))).toMatchObject({
      text: expect.stringContaining('(CLOUD_CAPACITY)'),
    }));
});
