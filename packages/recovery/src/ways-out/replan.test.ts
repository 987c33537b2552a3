import { type PolicyChange, policyWith, joinedChanges } from '@understudy/shared/testing';
import { type JournalRecord, type Kms } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { launchPlanOf } from '../core/launch-plan.ts';
import { planInputFixture } from '../core/plan.fixture.ts';
import type { PresentPolicy } from '../core/replanned.ts';
import { KeyLooks } from '../plan/key-looks.ts';
import {
  cloudError,
  KEYS,
  LAUNCH_REQUEST,
  MEMBER,
  PERMIT_REQUEST,
  putThrough,
  type RigOptions,
} from '../run.fixtures.ts';
import { Asked, cloudOfPlan } from './ways-out.fixtures.ts';

const IN_B: PolicyChange = { recover: { placements: [{ subnetId: 'subnet-b' }] } };

/** The fence is done, and a new plan is asked for. */
function asked(options: RigOptions = {}): Asked {
  const rig = new Asked({ ...options, cloud: { ...cloudOfPlan(), ...options.cloud } });
  putThrough(rig, 'fence');
  rig.ask({ kind: 'replan', by: 'ann', why: 'no room' });
  return rig;
}

/** What the group's record says now; its revision in etcd is the policy's. */
function policyNow(rig: Asked, policy: PolicyChange, over: Partial<PresentPolicy> = {}): void {
  const modRevision = rig.put(KEYS.group('db'), { group: 'db' });
  rig.policy = { policy: policyWith(policy), modRevision, ...over };
}

const placed = (rig: Asked) => launchPlanOf(rig.stored.plan).candidates.map((one) => one.az);

describe('a new plan', () => {
  test("follows the group's policy of now, is one revision on, and counts its attempts anew", async () => {
    const rig = asked({ intent: { planRevision: 2 } });
    putThrough(rig, 'fence');
    rig.putStep('revoke-1', { state: 'done', result: { instanceTerminated: true, permitGone: true } });
    policyNow(rig, IN_B);
    expect((await rig.carryOut()).outcome.kind).toBe('go-on');
    expect(placed(rig)).toEqual(['us-east-1b']);
    expect(rig.stored).toMatchObject({ planRevision: 3, attemptsBeforePlan: 1, plan: { policy: IN_B } });
    expect(rig.said).toBe('plan 3: us-east-1b m7i.large');
  });

  test('is the second, by the policy as frozen, where none is known here', async () => {
    const rig = asked({ policy: joinedChanges(IN_B, { recover: { captureTimeoutMs: 123_000 } }) });
    await rig.carryOut();
    expect(placed(rig)).toEqual(['us-east-1b']);
    expect(rig.stored).toMatchObject({ planRevision: 2, attemptsBeforePlan: 0 });
    expect(rig.stored.plan.policy.recover.captureTimeoutMs).toBe(123_000);
  });

  test('leaves the zone of the old instance where the plan before had to, and there is another', async () => {
    const before = [{ subnetId: 'subnet-c', az: 'us-east-1c', instanceType: 'm7i.large' }];
    const rig = asked({ plan: { candidates: before }, intent: { oldAz: 'us-east-1a' } });
    const placements = [{ subnetId: 'subnet-a' }, { subnetId: 'subnet-b' }];
    policyNow(rig, { recover: { placements }, guard: { whenZoneLost: 'recover' } }, { lostZones: [] });
    await rig.carryOut();
    expect(placed(rig)).toEqual(['us-east-1b']);
  });

  test('is refused while KMS says that a volume cannot be opened', async () => {
    const rig = asked();
    const key = { keyId: '1', arn: 'a', state: 'Disabled', manager: 'CUSTOMER', deletionAtWallMs: null } as const;
    const kms: Kms = { describeKey: async () => key };
    Object.assign(rig.parts, { keyLooks: new KeyLooks({ kms, clock: rig.clock, log: rig.log }) });
    await rig.carryOut();
    expect(rig.said).toMatch(/^refused: KmsKeyUnusable: KMS key /);
  });

  const snapshots = [{ snapshotId: 'snap-1', volumeId: 'vol-1' }];
  const noted = (set: object | null): Partial<JournalRecord> => ({
    result: { sends: {}, noted: { set, failedSets: [] } },
  });
  const OF_NOW = ['vol-data', 'vol-root'];
  test.each<[string, Partial<JournalRecord> | null, string[]]>([
    ['was captured', { state: 'done', result: { set: 1, snapshots, beside: [] } }, ['vol-1']],
    ['is in the set that is recorded', noted({ number: 1, snapshots, notedAtWallMs: 1 }), ['vol-1']],
    ['is there now: no set is recorded yet', noted(null), OF_NOW],
    ['is there now: the capture has only begun', {}, OF_NOW],
    ['is there now: nothing is captured yet', null, OF_NOW],
  ])('has the volumes of what %s', async (_name, capture, volumeIds) => {
    const rig = asked();
    if (capture) rig.putStep('capture', capture);
    await rig.carryOut();
    expect(rig.stored.planRevision).toBe(2);
    expect(rig.stored.plan.volumes.map((one) => one.volumeId).toSorted()).toEqual(volumeIds);
  });
});

describe('**S** a new plan is not written where', () => {
  /** A second attempt is next. */
  const second = (): Asked => {
    const rig = asked();
    rig.putStep('revoke-1', { state: 'done', result: { instanceTerminated: true, permitGone: true } });
    policyNow(rig, IN_B);
    return rig;
  };

  test.each<[string, (rig: Asked) => unknown]>([
    ['a permit of the next attempt was made', (rig) => rig.putStep('permit-2', { request: PERMIT_REQUEST })],
    ['a launch of it has begun', (rig) => rig.putStep('launch-2', { request: LAUNCH_REQUEST })],
    ['a check of it has begun', (rig) => rig.putStep('verify-2')],
    ['the activation has begun', (rig) => rig.putStep('activate')],
    ['the end of the attempt before was written again', (rig) => rig.putStep('revoke-1')],
    ["the group's policy was changed", (rig) => rig.put(KEYS.group('db'), { group: 'db' })],
  ])('%s meanwhile: everything is looked at again', async (_name, meanwhile) => {
    const rig = second();
    const { outcome } = await rig.carryOut(() => meanwhile(rig));
    expect(outcome).toEqual({ kind: 'again' });
    expect([rig.stored.planRevision, rig.has(KEYS.request(MEMBER))]).toEqual([undefined, true]);
  });

  test.each<[string, (rig: Asked) => unknown, string]>([
    ['the replacement is in charge', (rig) => putThrough(rig, 'activate'), 'its replacement is in charge'],
    ['the old instance is not proven stopped', (rig) => rig.putStep('fence'), 'not proven stopped yet'],
  ])('%s: it is refused, and nothing is ended', async (_name, spoil, text) => {
    const rig = asked();
    spoil(rig);
    await rig.carryOut();
    expect(rig.said).toContain(text);
    expect([rig.stored.planRevision, rig.driven]).toEqual([undefined, []]);
  });

  test('none can be made: it is refused before the open attempt is ended', async () => {
    const rig = asked({ policy: { recover: { placements: [{ subnetId: 'subnet-0' }] } } });
    rig.putStep('permit-1', { request: PERMIT_REQUEST });
    rig.drive = rig.revoked;
    await rig.carryOut();
    expect(rig.said).toContain('refused: PlacementSubnetUnknown: ');
    expect([rig.step('permit-1')?.state, rig.driven]).toEqual(['started', []]);
  });

  test('none can be made any more once the open attempt is ended', async () => {
    const rig = asked();
    rig.putStep('permit-1', { request: PERMIT_REQUEST });
    policyNow(rig, IN_B);
    rig.drive = async (run, key) => {
      await rig.revoked(run, key);
      policyNow(rig, { recover: { placements: [{ subnetId: 'subnet-0' }] } });
    };
    await rig.carryOut();
    expect(rig.said).toContain('refused: PlacementSubnetUnknown: ');
    expect([rig.stored.planRevision, rig.driven]).toEqual([undefined, ['revoke-1']]);
  });

  test('every place is in a zone that is lost', async () => {
    const rig = asked();
    policyNow(rig, joinedChanges(IN_B, { guard: { whenZoneLost: 'recover' } }), { lostZones: ['us-east-1b'] });
    await rig.carryOut();
    expect(rig.said).toMatch(/^refused: .*outside of us-east-1b/);
  });

  test('an attempt is open: that is ended first, and the plan is for the attempt after it', async () => {
    const rig = asked();
    putThrough(rig, 'permit-1');
    rig.drive = rig.revoked;
    await rig.carryOut();
    expect(rig.step('launch-1')?.error).toEqual({ code: 'EndedByOperator', text: 'replanned by ann: no room' });
    expect([rig.driven, rig.stored.attemptsBeforePlan]).toEqual([['revoke-1'], 1]);
  });
});

describe('when EC2 is asked for a new plan in vain', () => {
  const failing = (error: Error): Asked => asked({ cloud: { describeInstances: () => Promise.reject(error) } });

  test.each(['CLOUD_UNAVAILABLE', 'CLOUD_THROTTLED'] as const)(
    '%s: the recovery is held, and the request stays',
    async (code) => {
      const error = cloudError(code);
      const rig = failing(error);
      await expect(rig.carryOut()).rejects.toMatchObject({
        ...{ name: 'HoldDecided', reason: 'CloudUnavailable', cause: error },
        message: `a new plan needs EC2: ${error.message}`,
      });
      expect([rig.stored.acts, rig.has(KEYS.request(MEMBER))]).toEqual([undefined, true]);
    },
  );

  test.each(['CLOUD_NOT_FOUND', 'CLOUD_DENIED', 'CLOUD_REJECTED'] as const)(
    '%s: it is refused, with what EC2 said',
    async (code) => {
      const error = cloudError(code);
      const rig = failing(error);
      await rig.carryOut();
      expect([rig.said, rig.stored.planRevision]).toEqual([`refused: ${error.message}`, undefined]);
    },
  );

  test('EC2 shows no such instance: it is refused', async () => {
    const rig = asked({ cloud: { describeInstances: async () => [] } });
    await rig.carryOut();
    expect(rig.said).toContain('EC2 shows no instance i-old');
  });

  test.each([
    ['a defect', new TypeError('ours')],
    ['what another part of ours says', cloudError('LEASE_LOST')],
  ])('%s is nothing that EC2 said: it is passed on, and the request stays', async (_name, error) => {
    const rig = failing(error);
    await expect(rig.carryOut()).rejects.toBe(error);
    expect([rig.stored.acts, rig.has(KEYS.request(MEMBER))]).toEqual([undefined, true]);
  });

  test.each(['CLOUD_UNAVAILABLE', 'CLOUD_REJECTED'] as const)(
    'a run that ends meanwhile decides nothing, with %s',
    async (code) => {
      let stop = (): void => undefined;
      const describeInstances = async () => {
        stop();
        throw cloudError(code);
      };
      const rig = asked({ cloud: { describeInstances } });
      const ending = rig.carryOut((run) => {
        stop = () => run.stop(new Error('the run ends'));
      });
      await expect(ending).rejects.toThrow('the run ends');
      expect([rig.stored.acts, rig.has(KEYS.request(MEMBER))]).toEqual([undefined, true]);
    },
  );
});

test('the plan that is written is of what EC2 shows after the open attempt was ended', async () => {
  let subnets = planInputFixture().subnets;
  const rig = asked({ cloud: { describeSubnets: async () => subnets } });
  rig.putStep('permit-1', { request: PERMIT_REQUEST });
  policyNow(rig, { recover: { placements: [{ subnetId: 'subnet-b' }, { subnetId: 'subnet-c' }] } });
  rig.drive = async (run, key) => {
    await rig.revoked(run, key);
    subnets = subnets.filter((one) => one.subnetId !== 'subnet-b');
  };
  await rig.carryOut();
  expect(placed(rig)).toEqual(['us-east-1c']);
});
