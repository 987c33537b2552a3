import { type PolicyChange, joinedChanges } from '@understudy/shared/testing';
import { type CloudVolume, type InstanceState, type IntentRecord, TAG } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { instanceFixture } from '../core/plan.fixture.ts';
import { cloudError, heard, OLD, RunRig } from '../run.fixtures.ts';
import { fenceStep } from './fence.ts';
import { askedFor, asker, callsOf, came, make } from './step.fixtures.ts';

const POLICY: PolicyChange = { recover: { fenceTimeoutMs: 600_000, fenceSkipOsShutdown: true } };
const MARKED = { sends: { mark: 1 } };
const ASKED = { sends: { mark: 1, stop: 1 } };
const STOPPED = came('stop');
const LEASE = { recover: { serveLease: { stopWithinMs: 10_000, requireWatchdog: false, fenceAfterMs: 60_000 } } };

interface SceneOptions {
  readonly policy?: PolicyChange;
  readonly intent?: Partial<IntentRecord>;
  readonly stopProtected?: true;
  readonly plainly?: true;
  readonly oldLaunchedAtWallMs?: number | null;
}

/** A failed instance, and what EC2 shows of it and of its volume. */
async function scene({ policy, intent, stopProtected, plainly, oldLaunchedAtWallMs }: SceneOptions = {}) {
  const seen = { state: 'running' as InstanceState | null, error: null as Error | null, attachment: 'attached' };
  const looks: string[] = [];
  const rig = new RunRig({
    ...{ policy: joinedChanges(POLICY, policy), intent: intent ?? {} },
    plan: {
      protection: { stop: stopProtected ?? false, termination: false },
      ...(oldLaunchedAtWallMs === undefined ? {} : { oldLaunchedAtWallMs }),
    },
    cloud: {
      describeInstances: async (filters) => {
        expect(askedFor(filters, 'instance-id')).toEqual([OLD]);
        looks.push('instance');
        if (seen.error) throw seen.error;
        const other = instanceFixture({ instanceId: 'i-x', state: 'stopped' });
        return seen.state === null ? [other] : [other, instanceFixture({ instanceId: OLD, state: seen.state })];
      },
      describeVolumes: async (filters) => {
        looks.push(`volumes ${filters['volume-id']?.join()}`);
        const attachments = [{ instanceId: OLD, deviceName: '/dev/xvda', state: seen.attachment }];
        return [{ volumeId: 'vol-1', attachments } as unknown as CloudVolume];
      },
    },
  });
  const run = await rig.run();
  const step = fenceStep(run);
  const request = { oldInstanceId: OLD, skipOsShutdown: !plainly };
  const timeout = () => {
    const move = step.onTimeout({ request, sends: {}, noted: null, elapsedMs: 600_001, conflict: null });
    return move.kind === 'hold' ? move.text : move.kind;
  };
  return { rig, run, step, seen, looks, timeout, ask: asker(rig, step, request) };
}
const names = (move: Parameters<typeof callsOf>[0]) => callsOf(move).map((one) => one.name);
const manner = async (move: Parameters<typeof callsOf>[0]): Promise<unknown> => {
  const sent: unknown[] = [];
  await make(move, { stopInstance: async (...what) => void sent.push(what.slice(0, 2)) });
  return sent[0];
};

describe('before anything is stopped', () => {
  test('what is stopped, and how, is the policy’s, and recorded', async () => {
    const { step } = await scene();
    expect(await step.prepare()).toEqual({ oldInstanceId: OLD, skipOsShutdown: true });
    expect(step.limitMs).toBe(600_000);
  });
  test.each<[string, number | null, object]>([
    ['and of which of its runs', 1_000, { [TAG.fencedRun]: '1970-01-01T00:00:01.000Z' }],
    ['where it is not known since when it ran', null, {}],
  ])('it is marked on the instance that the stop is ours, %s', async (_, oldLaunchedAtWallMs, run) => {
    const { rig, ask } = await scene({ oldLaunchedAtWallMs });
    const move = await ask();
    expect(callsOf(move)).toMatchObject([{ name: 'mark', optional: true }]);
    const sent: unknown[] = [];
    await make(move, { createTags: async (...what) => void sent.push(what.slice(0, 2)) });
    expect(sent).toEqual([[[OLD], { [TAG.fencedBy]: rig.opId, ...run }]]);
  });
  test('a mark that fails stops nothing', async () => {
    const { rig, ask } = await scene();
    const made = make(await ask(), { createTags: () => Promise.reject(cloudError('CLOUD_DENIED')) });
    await rig.clock.runUntilSettled(made);
    expect(rig.clock.monotonicMs()).toBe(0);
    expect(rig.clock.pendingCount).toBe(0);
    expect(rig.log.linesOf('recovery.fence.unmarked')).toHaveLength(1);
  });
  test('a mark is waited for two seconds at most', async () => {
    const { rig, ask } = await scene();
    await rig.clock.runUntilSettled(make(await ask(), { createTags: () => new Promise(() => undefined) }));
    expect(rig.clock.monotonicMs()).toBe(2_000);
  });
  test('it is marked once, and never after a stop', async () => {
    expect(names(await (await scene()).ask(came('mark'), MARKED))).toEqual(['stop']);
    expect(names(await (await scene()).ask(null, { sends: { stop: 1 } }))).not.toContain('mark');
  });
  test('a stop protection is taken off first, where the plan saw one; and then it is stopped without a look', async () => {
    const { ask, looks } = await scene({ stopProtected: true });
    const move = await ask(came('mark'), MARKED);
    const sent: unknown[] = [];
    await make(move, { setProtection: async (...what) => void sent.push(what.slice(0, 2)) });
    expect(sent).toEqual([[OLD, { stop: false }]]);
    expect(names(await ask(came('unprotect'), { sends: { mark: 1, unprotect: 1 } }))).toEqual(['stop']);
    expect(looks).toEqual([]);
  });
});

describe('the stop', () => {
  test('of an instance whose protection was taken off is asked for again without doing that again', async () => {
    const { ask } = await scene({ stopProtected: true });
    const sends = { mark: 1, unprotect: 1, stop: 1 };
    expect(names(await ask(came('stop', cloudError('CLOUD_THROTTLED')), { sends }))).toEqual(['stop']);
  });
  test('goes from the surest manner to the plainest, as EC2 refuses them; then it is held', async () => {
    const { ask } = await scene();
    const no = came('stop', cloudError('CLOUD_REJECTED', 'UnsupportedOperation'));
    expect(await manner(await ask(came('mark'), MARKED))).toEqual([OLD, { force: true, skipOsShutdown: true }]);
    expect(await manner(await ask(no, ASKED))).toEqual([OLD, { force: true, skipOsShutdown: false }]);
    expect(await manner(await ask(no, ASKED))).toEqual([OLD, { force: false, skipOsShutdown: false }]);
    expect(await ask(no, ASKED)).toMatchObject({
      ...{ kind: 'hold', reason: 'FenceNotProven', text: expect.stringContaining('UnsupportedOperation') },
    });
    expect(await ask(null, ASKED)).toMatchObject({ text: expect.stringContaining('UnsupportedOperation') });
  });
  test('that is refused in every manner of an instance that is terminated meanwhile: fenced', async () => {
    const { ask, seen } = await scene({ plainly: true });
    const no = came('stop', cloudError('CLOUD_REJECTED'));
    await ask(no, ASKED);
    seen.state = 'terminated';
    expect(await ask(no, ASKED)).toEqual({ kind: 'done', result: { how: 'terminated' } });
  });
  test('that is refused in every manner, and nothing can be read: held all the same', async () => {
    const { ask, seen } = await scene({ plainly: true });
    const no = came('stop', cloudError('CLOUD_REJECTED'));
    await ask(no, ASKED);
    seen.error = cloudError('CLOUD_UNAVAILABLE');
    expect(await ask(no, ASKED)).toMatchObject({ kind: 'hold' });
    seen.error = cloudError('CLOUD_DENIED');
    await expect(ask(null, ASKED)).rejects.toMatchObject({ code: 'CLOUD_DENIED' });
  });
  test('that a protection refuses: it is taken off, and the same is asked again', async () => {
    const { ask } = await scene();
    const no = came('stop', cloudError('CLOUD_CONFLICT', 'OperationNotPermitted'));
    expect(names(await ask(no, ASKED))).toEqual(['unprotect']);
    const again = await ask(came('unprotect'), { sends: { ...ASKED.sends, unprotect: 1 } });
    expect(await manner(again)).toEqual([OLD, { force: true, skipOsShutdown: true }]);
  });
  test('whose protection could not be taken off is looked at', async () => {
    const { ask, looks } = await scene();
    await ask(came('unprotect', cloudError('CLOUD_THROTTLED')), ASKED);
    expect(looks).toEqual(['instance']);
  });
  test.each(['CLOUD_THROTTLED', 'CLOUD_UNAVAILABLE'] as const)(
    'that was not taken (%s) is asked again',
    async (code) => {
      const { ask, looks } = await scene();
      expect(names(await ask(came('stop', cloudError(code)), ASKED))).toEqual(['stop']);
      expect(looks).toEqual([]);
    },
  );
  test('without effect is sent again after a minute; one that may not have arrived after two seconds', async () => {
    const after = async (last: ReturnType<typeof came>, ms: number, state: InstanceState = 'running') => {
      const { rig, ask, seen } = await scene();
      seen.state = state;
      await ask(last, ASKED);
      await rig.clock.advance(ms);
      return names(await ask(null, ASKED));
    };
    const doubtful = came('stop', cloudError('CLOUD_OUTCOME_UNKNOWN'));
    expect(await after(STOPPED, 59_999)).toEqual([]);
    expect(await after(STOPPED, 60_000)).toEqual(['stop']);
    expect(await after(doubtful, 1_999)).toEqual([]);
    expect(await after(doubtful, 2_000)).toEqual(['stop']);
    expect(await after(doubtful, 2_000, 'stopping')).toEqual([]);
  });
  test('of an earlier leader is asked for again: what it was answered is not known', async () => {
    const { ask, seen } = await scene();
    seen.state = 'stopped';
    expect(names(await ask(null, ASKED))).toEqual(['stop']);
  });
});

describe('the proof', () => {
  test('is the instance seen moving and then stopped, with its volumes at rest', async () => {
    const { ask, seen, looks } = await scene();
    seen.state = 'stopping';
    expect(await ask(STOPPED, ASKED)).toEqual({ kind: 'wait', text: 'stopping the old instance: stopping' });
    seen.state = 'stopped';
    expect(await ask(null, ASKED)).toEqual({ kind: 'done', result: { how: 'stopped' } });
    expect(looks.at(-1)).toBe('volumes vol-1');
  });
  test('takes two looks apart, where it was never seen moving', async () => {
    const { rig, ask, seen } = await scene();
    seen.state = 'stopped';
    expect(await ask(STOPPED, ASKED)).toMatchObject({ kind: 'wait', forMs: 2_000 });
    await rig.clock.advance(1_999);
    expect(await ask(null, ASKED)).toMatchObject({ kind: 'wait' });
    await rig.clock.advance(1);
    expect(await ask(null, ASKED)).toMatchObject({ kind: 'done' });
  });
  test('begins anew with another stop, and when it is not shown in between', async () => {
    const anew = async (between: (all: Awaited<ReturnType<typeof scene>>) => Promise<unknown>) => {
      const all = await scene();
      all.seen.state = 'stopped';
      await all.ask(STOPPED, ASKED);
      await all.rig.clock.advance(2_000);
      await between(all);
      return (await all.ask(null, ASKED)).kind;
    };
    expect(await anew(async ({ ask }) => ask(STOPPED, ASKED))).toBe('wait');
    const unseen = anew(async ({ ask, seen }) => {
      seen.state = null;
      await ask(null, ASKED);
      seen.state = 'stopped';
    });
    expect(await unseen).toBe('wait');
    expect(await anew(async () => undefined)).toBe('done');
  });
  test('is not an instance that EC2 does not show, or another one that is stopped', async () => {
    const { ask, seen } = await scene();
    seen.state = null;
    expect(await ask(STOPPED, ASKED)).toMatchObject({ kind: 'wait' });
  });
  test('is a terminated instance, whatever its volumes do', async () => {
    const { ask, seen, looks } = await scene();
    seen.state = 'terminated';
    expect(await ask(STOPPED, ASKED)).toEqual({ kind: 'done', result: { how: 'terminated' } });
    expect(looks).toEqual(['instance']);
  });
  test('waits for a volume that is in motion, and says which; while nothing of it moves, no more', async () => {
    const { ask, seen, timeout } = await scene();
    Object.assign(seen, { state: 'stopping', attachment: 'busy' });
    await ask(STOPPED, ASKED);
    seen.state = 'stopped';
    expect(await ask(null, ASKED)).toEqual({
      kind: 'wait',
      text: 'stopped; waiting for vol-1 (/dev/xvda, busy) to come to rest',
    });
    expect(timeout()).toContain('vol-1 (/dev/xvda) is still busy');
    seen.state = 'stopping';
    await ask(null, ASKED);
    expect(timeout()).toContain('is still stopping');
  });
});

describe('a fence that takes too long is held, and says what was seen', () => {
  test('stopped, at one look only', async () => {
    const { ask, seen, timeout } = await scene();
    seen.state = 'stopped';
    await ask(STOPPED, ASKED);
    expect(timeout()).toContain(`${OLD} reads as stopped, but not twice in a row`);
  });
  test('nothing asked, nothing seen', async () =>
    expect((await scene()).timeout()).toContain(`EC2 has not taken the request to stop ${OLD} after 600 s`));
  test('asked, and then the state it is in, or that it is not shown', async () => {
    const { ask, seen, timeout } = await scene();
    seen.error = cloudError('CLOUD_UNAVAILABLE');
    await ask(STOPPED, ASKED).catch(() => null);
    expect(timeout()).toContain(`EC2 could not be asked about ${OLD}`);
    seen.error = null;
    await ask(null, ASKED);
    expect(timeout()).toContain(`${OLD} is still running`);
    seen.state = null;
    await ask(null, ASKED);
    expect(timeout()).toContain(`EC2 does not show ${OLD}`);
  });
});

describe('where the group waits out a serve lease', () => {
  const leased = async (state: InstanceState | null = 'running') => {
    const all = await scene({ policy: LEASE, intent: { serveLeaseOverAfterMs: 90_000 }, plainly: true });
    all.seen.state = state;
    return all;
  };
  const OVER_MS = 90_000;
  test('it is over only after EC2 was asked to stop it', async () => {
    const { rig, ask } = await leased();
    await rig.clock.advance(OVER_MS);
    expect(names(await ask())).toEqual(['mark']);
    expect(names(await ask(came('mark'), MARKED))).toEqual(['stop']);
    expect(await ask(STOPPED, ASKED)).toEqual({ kind: 'done', result: { how: 'lease' } });
  });
  test('it is over to the millisecond, and not before', async () => {
    const { rig, ask } = await leased();
    await ask(STOPPED, ASKED);
    await rig.clock.advance(OVER_MS - 1);
    expect((await ask(null, ASKED)).kind).toBe('act');
    await rig.clock.advance(1);
    expect(await ask(null, ASKED)).toMatchObject({ kind: 'done', result: { how: 'lease' } });
  });
  test('what is seen stopped or terminated is worth more', async () => {
    const { rig, ask, seen } = await leased('stopping');
    await ask(STOPPED, ASKED);
    await rig.clock.advance(OVER_MS);
    seen.state = 'stopped';
    expect(await ask(null, ASKED)).toMatchObject({ kind: 'done', result: { how: 'stopped' } });
    seen.state = 'terminated';
    expect(await ask(null, ASKED)).toMatchObject({ kind: 'done', result: { how: 'terminated' } });
  });
  test('an instance that is not shown is waited out like one that runs', async () => {
    const { rig, ask } = await leased(null);
    await ask(STOPPED, ASKED);
    await rig.clock.advance(OVER_MS);
    expect(await ask(null, ASKED)).toMatchObject({ result: { how: 'lease' } });
  });
  test('an instance that cannot be read is waited out like one that runs', async () => {
    const { rig, ask, seen } = await leased();
    await ask(STOPPED, ASKED);
    await rig.clock.advance(OVER_MS);
    seen.error = cloudError('CLOUD_UNAVAILABLE');
    expect(await ask(null, ASKED)).toMatchObject({ result: { how: 'lease' } });
  });
  test('a promise that is broken before our eyes counts for nothing', async () => {
    const { rig, ask } = await leased();
    await ask(STOPPED, ASKED);
    await rig.clock.advance(OVER_MS);
    rig.readings.set(OLD, heard({ serving: true, lastHeardAtMs: rig.clock.monotonicMs() }));
    expect(await ask(null, ASKED)).toMatchObject({ kind: 'hold', reason: 'FenceNotProven' });
  });
  test('what EC2 refuses to stop in any manner is waited out, with how long that takes', async () => {
    const { rig, ask } = await leased();
    const no = came('stop', cloudError('CLOUD_REJECTED'));
    await rig.clock.advance(500);
    await ask(no, ASKED);
    expect(await ask(no, ASKED)).toEqual({
      kind: 'wait',
      text: 'EC2 refuses to stop it; its serve lease is over in 90 s',
    });
  });
});
