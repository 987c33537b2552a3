import { type PolicyChange, joinedChanges } from '@understudy/shared/testing';
import {
  type Chore,
  type CloudAddress,
  type CloudInstance,
  type HistoryRecord,
  type ServiceProbe,
  TAG,
} from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { instanceFixture } from '../core/plan.fixture.ts';
import type { Call } from '../effect.ts';
import { IntentGone } from '../journal.ts';
import { cloudError, heard, KEYS, MEMBER, OLD, RunRig } from '../run.fixtures.ts';
import { doneStep } from './done.ts';
import { askedFor, asker, LATER_MS, callsOf, came, make } from './step.fixtures.ts';

const REQUEST = { instanceId: 'i-new' };
const SPACING_MS = 2_000;
const PATIENCE_MS = 120_000;
const CLOSING_MS = 60_000;

const address = (allocationId: string, instanceId = OLD): CloudAddress =>
  ({ allocationId, publicIp: '203.0.113.7', instanceId }) as CloudAddress;
const replacement = (part: Partial<CloudInstance> = {}): CloudInstance =>
  instanceFixture({
    instanceId: 'i-new',
    volumes: [{ volumeId: 'vol-new', deviceName: '/dev/xvda', status: 'attached', deleteOnTermination: true }],
    networkInterfaces: [{ networkInterfaceId: 'eni-1', attachmentId: 'at-1', deleteOnTermination: false }] as never,
    ...part,
  });

interface SceneOptions {
  readonly policy?: PolicyChange;
  readonly how?: 'stopped' | 'terminated';
  readonly terminationProtected?: true;
  readonly planned?: readonly string[];
  readonly acceptedLosses?: readonly string[];
}

/** A replacement that is activated and heard; what is left are its chores. */
async function scene(options: SceneOptions = {}) {
  const { policy = {}, how = 'stopped', terminationProtected, planned = [], acceptedLosses } = options;
  const ec2 = { instances: [replacement()] as CloudInstance[] | Error, addresses: [] as readonly CloudAddress[] };
  const looks: string[] = [];
  const rig = new RunRig({
    ...{
      policy: joinedChanges({ detect: { suspectAfterMs: 5_000 } }, policy),
      intent: acceptedLosses ? { acceptedLosses: [...acceptedLosses] } : {},
    },
    plan: {
      protection: { stop: false, termination: terminationProtected ?? false },
      addresses: planned.map((allocationId) => ({ allocationId, publicIp: '203.0.113.7', associationId: null })),
    },
    cloud: {
      describeInstances: async (filters) => {
        looks.push(`instance ${askedFor(filters, 'instance-id').join()}`);
        if (ec2.instances instanceof Error) throw ec2.instances;
        return ec2.instances;
      },
      describeAddresses: async (filters) => {
        looks.push(`addresses of ${askedFor(filters, 'instance-id').join()}`);
        return ec2.addresses;
      },
    },
  });
  const done = { state: 'done' } as const;
  rig.putStep('fence', { ...done, result: { how } });
  const snapshots = [{ snapshotId: 'snap-1', volumeId: 'vol-1' }];
  rig.putStep('capture', { ...done, result: { set: 1, snapshots, beside: [] } });
  rig.putStep('image', { ...done, result: { imageId: 'ami-1' } });
  rig.putStep('permit-1', { ...done, result: { networkInterfaceId: 'eni-1', privateIp: '10.0.0.7' } });
  rig.putStep('verify-1', { ...done, result: REQUEST });
  rig.putStep('activate', { ...done, result: { instanceId: 'i-new', incarnation: 2 } });
  await rig.clock.advance(LATER_MS);
  const run = await rig.run();
  const step = doneStep(run);
  const hear = (over: Parameters<typeof heard>[0] = {}) =>
    rig.readings.set('i-new', heard({ lastHeardAtMs: rig.clock.monotonicMs(), ...over }));
  hear();
  const ask = asker(rig, step, REQUEST);
  /** All that is asked for is done, as often as there is something. */
  const through = async () => {
    let move = await ask();
    for (let tries = 0; move.kind === 'act' && tries < 10; tries += 1) move = await ask(outcomes(callsOf(move)));
    return move;
  };
  return { rig, run, step, ec2, looks, hear, ask, through };
}
const outcomes = (calls: readonly Call[], error: ReturnType<typeof cloudError> | null = null) => ({
  ...came('several', error),
  outcomes: calls.map(({ name }) => ({ name, error })),
});
const names = (move: Parameters<typeof callsOf>[0]) => callsOf(move).map((one) => one.name);
/** The history a move closes with. */
const historyIn = (move: Parameters<typeof callsOf>[0]): HistoryRecord => {
  if (move.kind !== 'close') throw new Error(`it does not close: ${JSON.stringify(move)}`);
  return move.write.puts[0].record as HistoryRecord;
};

describe('the chores of a replacement that serves', () => {
  test('are those of the instance that the attempt verified', async () =>
    expect(await (await scene()).step.prepare()).toEqual(REQUEST));
  test('are asked for at once, none worth a hold: the old instance is marked as retired, with until when', async () => {
    const { run, ask } = await scene({ policy: { recover: { retainForMs: 1_000 } } });
    const move = await ask();
    expect(names(move)).toEqual(['retire', 'bind-eni-1']);
    expect(callsOf(move).every((one) => one.optional)).toBe(true);
    const sent: unknown[] = [];
    await make(move, {
      createTags: async (...what) => void sent.push(what.slice(0, 2)),
      setNetworkInterfaceAttributes: async () => undefined,
    });
    const { opId, startedAtWallMs } = run.record;
    const until = new Date(startedAtWallMs + 1_000).toISOString();
    expect(sent).toEqual([[[OLD], { [TAG.retiredBy]: opId, [TAG.retainUntil]: until }]]);
  });
  test('take the termination protection off the old instance, where it had one and was seen stopped', async () => {
    const { ask } = await scene({ terminationProtected: true });
    const move = await ask();
    expect(names(move)).toContain('unprotect');
    const sent: unknown[] = [];
    await callsOf(move)
      .find((one) => one.name === 'unprotect')
      ?.run({ setProtection: async (...what: unknown[]) => void sent.push(what.slice(0, 2)) } as never, {}, 1);
    expect(sent).toEqual([[OLD, { termination: false }]]);
    expect(names(await (await scene({ terminationProtected: true, how: 'terminated' })).ask())).not.toContain(
      'unprotect',
    );
    expect(names(await (await scene()).ask())).not.toContain('unprotect');
  });
  test('that are done are not asked for again', async () => {
    const { ask } = await scene();
    const move = await ask();
    expect(names(await ask(outcomes(callsOf(move).slice(0, 1))))).toEqual(['bind-eni-1']);
  });
  test.each(['CLOUD_REJECTED', 'CLOUD_DENIED'] as const)('that EC2 refuses (%s) are left', async (code) => {
    const { ask } = await scene();
    const retire = callsOf(await ask()).slice(0, 1);
    expect(names(await ask(outcomes(retire, cloudError(code))))).not.toContain('retire');
  });
  test('that failed in passing are asked for again', async () => {
    const { ask } = await scene();
    const retire = callsOf(await ask()).slice(0, 1);
    expect(names(await ask(outcomes(retire, cloudError('CLOUD_THROTTLED'))))).toContain('retire');
  });
  test('on the old instance alone are asked for again, when nothing is left to do on the replacement', async () => {
    const { ask } = await scene();
    const [retire, bind] = callsOf(await ask());
    if (!retire || !bind) throw new Error('two calls were expected');
    const both = outcomes([bind]).outcomes.concat(outcomes([retire], cloudError('CLOUD_THROTTLED')).outcomes);
    expect(names(await ask({ ...came('several'), outcomes: both }))).toEqual(['retire']);
  });
  test('on an instance that was terminated, and that failed in passing: again', async () => {
    const { ask } = await scene({ how: 'terminated' });
    const retire = callsOf(await ask()).slice(0, 1);
    expect(names(await ask(outcomes(retire, cloudError('CLOUD_THROTTLED'))))).toContain('retire');
  });
  test('of a replacement that is terminated are none: it is closed at once', async () => {
    const { through, ec2 } = await scene();
    ec2.instances = [replacement({ state: 'terminated' })];
    expect(historyIn(await through())).toMatchObject({ owed: [] });
  });
  test('of a replacement that is seen terminated later are none: it is closed at once', async () => {
    const { ask, ec2 } = await scene();
    ec2.instances = [];
    await ask(outcomes(callsOf(await ask())));
    ec2.instances = [replacement({ state: 'terminated' })];
    expect(historyIn(await ask())).toMatchObject({ owed: [] });
  });
  test('on an instance that EC2 does not know: again; unless it was terminated', async () => {
    const after = async (how: 'stopped' | 'terminated') => {
      const { ask } = await scene({ how });
      const retire = callsOf(await ask()).slice(0, 1);
      return names(await ask(outcomes(retire, cloudError('CLOUD_NOT_FOUND'))));
    };
    expect(await after('stopped')).toContain('retire');
    expect(await after('terminated')).not.toContain('retire');
  });
  test('wait for what is not shown, by whichever answer, as one that does not come', async () => {
    for (const instances of [[], [replacement({ instanceId: 'i-x' })], cloudError('CLOUD_UNAVAILABLE')]) {
      const { ask, ec2 } = await scene();
      ec2.instances = instances;
      const retire = await ask();
      expect(names(retire)).toEqual(['retire']);
      expect(await ask(outcomes(callsOf(retire)))).toEqual({
        ...{ kind: 'wait', text: 'waiting to see what is to be tagged', forMs: SPACING_MS },
      });
    }
  });
  test('an answer that is no passing one ends the look', async () => {
    const { ask, ec2 } = await scene();
    ec2.instances = cloudError('CLOUD_DENIED');
    await expect(ask()).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
  });
  test('have two minutes; what is not done then is owed', async () => {
    const { rig, ask, ec2, hear } = await scene();
    ec2.instances = [];
    await ask(outcomes(callsOf(await ask())));
    await rig.clock.advance(PATIENCE_MS - 1);
    hear();
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    hear();
    const { owed } = historyIn(await ask());
    const bind: Chore = { kind: 'bind-interface', instanceId: 'i-new', networkInterfaceId: 'eni-1' };
    expect(owed).toMatchObject([{ chore: bind, obstacle: { code: 'NotShown' } }]);
    expect(rig.log.linesOf('recovery.chores_owed')).toHaveLength(1);
  });
});

describe('an address that came to the old instance meanwhile', () => {
  const strayed = async (options: SceneOptions = {}) => {
    const all = await scene(options);
    all.ec2.addresses = [address('eipalloc-x', 'i-y'), address('eipalloc-1')];
    return all;
  };
  test('is looked for by the old instance; none: it is closed', async () => {
    const { through, looks, rig } = await scene();
    expect(historyIn(await through())).toMatchObject({ newInstanceId: 'i-new', owed: [] });
    expect(looks).toEqual(['instance i-new', `addresses of ${OLD}`]);
    expect(rig.log.linesOf('recovery.chores_owed')).toEqual([]);
    expect(rig.log.linesOf('recovery.services_not_passing')).toEqual([]);
  });
  test('is held for, after two looks apart, with three ways out', async () => {
    const { rig, through, ask } = await strayed();
    expect(await through()).toMatchObject({ kind: 'wait', forMs: SPACING_MS });
    await rig.clock.advance(SPACING_MS - 1);
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    const held = await ask();
    expect(held).toMatchObject({ kind: 'hold', reason: 'AddressHeldElsewhere' });
    const text = held.kind === 'hold' ? held.text : '';
    for (const part of ['(eipalloc-1)', 'Move it to i-new', 'accept-loss db/one address:eipalloc-1 --reason TEXT'])
      expect(text).toContain(part);
  });
  test('and goes again: the two looks begin anew', async () => {
    const { rig, through, ask, ec2, hear } = await strayed();
    await through();
    ec2.addresses = [];
    rig.readings.clear();
    await ask();
    ec2.addresses = [address('eipalloc-1')];
    await rig.clock.advance(SPACING_MS);
    hear();
    expect(await ask()).toMatchObject({ kind: 'wait', forMs: SPACING_MS });
  });
  test('is no news where the plan moves it, or a person has given it up', async () => {
    expect(await (await strayed({ planned: ['eipalloc-1'] })).through()).toMatchObject({ kind: 'close' });
    const given = await strayed({ acceptedLosses: ['address:eipalloc-1'] });
    expect(await given.through()).toMatchObject({ kind: 'close' });
    expect(await (await strayed({ acceptedLosses: ['address:eipalloc-2'] })).through()).toMatchObject({ kind: 'wait' });
  });
  test('that cannot be read for ten minutes is held for', async () => {
    const { step } = await scene();
    expect(step.limitMs).toBe(600_000);
    const frozen = { request: REQUEST, sends: {}, noted: null, elapsedMs: 600_001, conflict: null };
    expect(step.onTimeout(frozen)).toMatchObject({
      ...{ kind: 'hold', reason: 'CloudUnavailable', text: expect.stringContaining('i-new serves') },
    });
  });
});

describe('the recovery is closed', () => {
  test('in one transaction: history in; intent, journal and own hold out, each as it was', async () => {
    const { rig, run, through } = await scene();
    const { opId } = rig;
    const hold = { member: MEMBER, reason: 'NoCapacity', text: 't', sinceWallMs: 0, untilWallMs: null, opId };
    const holdRevision = rig.put(KEYS.hold(MEMBER), hold);
    const move = await through();
    expect(move).toMatchObject({
      kind: 'close',
      write: {
        puts: [{ key: KEYS.historyEntry(MEMBER, opId), expect: 0 }],
        deletes: [
          { key: KEYS.intent(MEMBER), expect: run.intent.modRevision },
          { key: KEYS.hold(MEMBER), expect: holdRevision },
        ],
        deletePrefixes: [KEYS.journalOf(opId)],
      },
    });
  });
  test('not by two: the intent has to be the one this run was given', async () => {
    const { rig, through } = await scene();
    rig.put(KEYS.intent(MEMBER), { ...(await scene()).run.record });
    await expect(through()).rejects.toThrow(IntentGone);
    rig.delete(KEYS.intent(MEMBER));
    await expect(through()).rejects.toThrow(IntentGone);
  });
  test.each<[string, Parameters<typeof heard>[0] | null]>([
    ['is not heard', null],
    ['fails its checks', { passingSinceMs: null }],
  ])('while the replacement %s only after a minute, which the history says', async (_, reading) => {
    const { rig, through, ask, hear } = await scene();
    const speak = () => (reading ? hear(reading) : rig.readings.clear());
    speak();
    expect(await through()).toEqual({ kind: 'wait', text: 'waiting to hear the replacement pass', forMs: 250 });
    await rig.clock.advance(CLOSING_MS - 1);
    speak();
    expect(await ask()).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    speak();
    expect(historyIn(await ask()).reason).toContain('the replacement was silent when this was closed');
  });
  test('a replacement is silent to the millisecond', async () => {
    const { rig, through } = await scene();
    await rig.clock.advance(5_000);
    expect(await through()).toMatchObject({ kind: 'wait' });
    const late = await scene();
    await late.rig.clock.advance(4_999);
    expect(historyIn(await late.through()).reason).toBe('dead');
  });
  test('while its services do not pass only after a minute, which the history says', async () => {
    const probe = { kind: 'tcp', port: 80, timeoutMs: 1_000 } as unknown as ServiceProbe;
    const { rig, through, ask, hear } = await scene({ policy: { detect: { serviceProbes: [probe] } } });
    Object.assign(rig.parts, {
      probeService: async () => ({ host: 'answered', code: 'Refused', httpStatus: null, expiresSoon: false }),
    });
    expect(await through()).toEqual({ kind: 'wait', text: 'waiting for its services: tcp-80: Refused', forMs: 250 });
    await rig.clock.advance(CLOSING_MS);
    hear();
    expect(historyIn(await ask()).reason).toContain('its services did not pass when this was closed (tcp-80: Refused)');
    expect(rig.log.linesOf('recovery.services_not_passing')).toHaveLength(1);
  });
});
