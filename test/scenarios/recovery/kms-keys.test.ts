import type { SeededInstance } from '@understudy/cloud-sim';
import type { HoldRecord } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished, checkSafety } from './checks.ts';
import { type Leader, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

interface Prepared {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  readonly leader: Leader;
  readonly key: string;
}

const HOUR_MS = 3_600_000;

/** A member with an encrypted data volume; its recovery is begun. */
async function staged(options: RecoveryFixtureOptions = {}): Promise<Prepared> {
  const scene = new RecoveryFixture(options);
  const key = scene.sim.createKmsKey({ alias: 'alias/orders' }).arn;
  const ebs = { VolumeSize: 10, VolumeType: 'gp3', Encrypted: true, KmsKeyId: key, DeleteOnTermination: false };
  const old = scene.seedMember(MEMBER, {
    ...options,
    request: { BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: ebs }] },
  });
  await scene.begin(old);
  return { scene, old, leader: scene.lead(), key };
}

const change = ({ scene, key }: Prepared, to: Parameters<typeof scene.sim.changeKmsKey>[1]) =>
  expect(scene.sim.changeKmsKey(key, to)).toBe(true);

/** Runs it as the leader would until it is finished, noting each hold once per reason. */
async function untilFinished({ scene, leader }: Prepared, limitMs: number): Promise<readonly HoldRecord[]> {
  const holds: HoldRecord[] = [];
  const running = scene.leadRun(leader);
  const untilMs = scene.clock.monotonicMs() + limitMs;
  while (scene.history().length === 0) {
    const hold = scene.hold();
    if (hold && holds.at(-1)?.reason !== hold.reason) holds.push(hold);
    expect(scene.clock.monotonicMs(), JSON.stringify(hold)).toBeLessThan(untilMs);
    await scene.clock.advance(1_000);
  }
  await scene.clock.runUntilSettled(running);
  return holds;
}

/** As soon as something has entered this state. */
function once({ scene }: Prepared, kind: string, to: string, act: () => void): void {
  const off = scene.sim.onEvent((event) => {
    if (event.kind !== 'transition' || event.resourceKind !== kind || event.to !== to) return;
    off();
    act();
  });
}

const okCalls = ({ scene }: Prepared, action: string) =>
  scene.sim.log.calls(action).filter((call) => call.outcome === 'ok');

async function expectTidy(stage: Prepared, launches: number): Promise<void> {
  const newInstanceId = checkFinished(stage.scene, stage.old, { launches });
  expect(await checkCollected(stage.scene, stage.old, stage.leader, newInstanceId)).toEqual([]);
}

describe('a key that is disabled during a recovery and enabled an hour later', () => {
  test.each<readonly [string, string, string]>([
    ['before anything is captured', 'instance', 'stopped'],
    ['once all is captured', 'image', 'pending'],
  ])('%s: nothing is launched meanwhile, one launch, and the recovery ends by itself', async (_, kind, to) => {
    const stage = await staged({ policy: { recover: { maxLaunchAttempts: 1 } } });
    once(stage, kind, to, () => {
      change(stage, { state: 'Disabled' });
      stage.scene.clock.setTimer(HOUR_MS, () => change(stage, { state: 'Enabled' }));
    });
    const [hold, ...more] = await untilFinished(stage, HOUR_MS + 600_000);
    expect(more).toEqual([]);
    expect(hold).toMatchObject({ reason: 'KmsKeyUnusable', untilWallMs: null });
    expect(hold?.text).toContain(`KMS key ${stage.key} of vol-`);
    expect(hold?.text).toContain(`aws kms enable-key --key-id ${stage.key}`);
    expect(stage.scene.hold()).toBeNull();
    expect([okCalls(stage, 'CreateSnapshots').length, okCalls(stage, 'RunInstances').length]).toEqual([1, 1]);
    expect(stage.scene.history()[0]?.launchAttempts).toBe(1);
    await expectTidy(stage, 1);
  });

  test('while the snapshots are taken, again and again: the sets that failed count against nobody', async () => {
    const stage = await staged();
    const lock = () => {
      change(stage, { state: 'Disabled' });
      stage.scene.clock.setTimer(HOUR_MS, () => change(stage, { state: 'Enabled' }));
    };
    // More often than the tries there are for sets that fail for another reason.
    const rounds = 5;
    let locked = 0;
    const off = stage.scene.sim.onEvent((event) => {
      if (event.kind !== 'call' || event.action !== 'CreateSnapshots' || event.outcome !== 'ok') return;
      locked += 1;
      if (locked <= rounds) lock();
    });
    const holds = await untilFinished(stage, (rounds + 1) * HOUR_MS);
    off();
    expect(new Set(holds.map((one) => one.reason))).toEqual(new Set(['KmsKeyUnusable']));
    expect(okCalls(stage, 'CreateSnapshots')).toHaveLength(rounds + 1);
    await expectTidy(stage, 1);
  });

  test('while the replacement starts: it dies, that costs no try, and the next one waits for the key', async () => {
    const stage = await staged({ policy: { recover: { maxLaunchAttempts: 1 } } });
    const off = stage.scene.sim.onEvent((event) => {
      if (event.kind !== 'call' || event.action !== 'RunInstances' || event.outcome !== 'ok') return;
      off();
      change(stage, { state: 'Disabled' });
      stage.scene.clock.setTimer(HOUR_MS, () => change(stage, { state: 'Enabled' }));
    });
    const holds = await untilFinished(stage, HOUR_MS + 600_000);
    expect(holds.map((one) => one.reason)).toEqual(['KmsKeyUnusable']);
    const [dead = ''] = stage.scene.launchedFor(stage.old.instanceId);
    expect(stage.scene.sim.log.transitions(dead).map((one) => one.to)).toContain('terminated');
    await expectTidy(stage, 2);
  });

  test('the leader changes meanwhile: its successor goes on', async () => {
    const stage = await staged();
    change(stage, { state: 'PendingDeletion' });
    expect(await stage.scene.run(stage.leader, stage.scene.intent())).toBe('held');
    stage.leader.endTerm();
    const next = { ...stage, leader: stage.scene.lead() };
    stage.scene.clock.setTimer(HOUR_MS, () => change(stage, { state: 'Enabled' }));
    await untilFinished(next, 2 * HOUR_MS);
    await expectTidy(next, 1);
  });
});

describe('a key that EC2 may not use, which nobody can ask about', () => {
  test('each replacement dies, without a try being lost; the hold says what is missing; granted, it ends', async () => {
    const stage = await staged({ kms: 'silent', policy: { recover: { maxLaunchAttempts: 1 } } });
    // The snapshots are there already.
    once(stage, 'image', 'available', () => change(stage, { access: 'describe-only' }));
    stage.scene.clock.setTimer(3 * HOUR_MS, () => change(stage, { access: 'all' }));
    const holds = await untilFinished(stage, 4 * HOUR_MS);
    expect(holds.map((one) => one.reason)).toEqual(['KmsKeyUnusable']);
    expect(holds[0]?.text).toMatch(/Client error on launch.*kms:CreateGrant.*understudy iam-policy/);
    const launches = stage.scene.launchedFor(stage.old.instanceId).length;
    // Paced: no more than one in a minute, in the long run.
    expect(launches).toBeGreaterThan(3);
    expect(launches).toBeLessThan(3 * 60);
    checkSafety(stage.scene, stage.old);
    checkFinished(stage.scene, stage.old, { launches });
  });

  test('the journal stays small meanwhile', async () => {
    const stage = await staged({ kms: 'silent' });
    once(stage, 'image', 'available', () => change(stage, { access: 'describe-only' }));
    const running = stage.scene.leadRun(stage.leader);
    const sizes: number[] = [];
    for (let hour = 0; hour < 4; hour += 1) {
      await stage.scene.clock.advance(HOUR_MS);
      sizes.push(stage.scene.kv.entries('/understudy/v1/journal/').length);
    }
    // fence, capture, image, the open attempt's own, and two turns of one small record.
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    change(stage, { access: 'all' });
    await stage.scene.clock.runUntilSettled(running);
    checkFinished(stage.scene, stage.old, { launches: 'any' });
  });
});

describe('EC2 itself refuses a call for a key', () => {
  test.each([
    ['RunInstances', 'InvalidKMSKey.InvalidState'],
    ['CreateSnapshots', 'InvalidKmsKey.NotFound'],
    ['RegisterImage', 'KMSKeyNotAccessibleFault'],
  ])('%s, %s: held with what to do, and it goes on by itself', async (action, code) => {
    const stage = await staged({ kms: 'none', policy: { recover: { maxLaunchAttempts: 1 } } });
    stage.scene.sim.addFault({ id: 'key', action, kind: 'error', code, httpStatus: 400, times: 1_000 });
    stage.scene.clock.setTimer(HOUR_MS, () => stage.scene.sim.removeFault('key'));
    const holds = await untilFinished(stage, HOUR_MS + 600_000);
    expect(holds.map((one) => one.reason)).toEqual(['KmsKeyUnusable']);
    expect(holds[0]?.text).toContain(code);
    expect(holds[0]?.text).toContain('understudy iam-policy');
    expect(okCalls(stage, action)).toHaveLength(1);
    await expectTidy(stage, 1);
  });
});

describe('a recovery whose key is in order', () => {
  test.each(['silent', 'none'] as const)('needs no KMS (%s)', async (kms) => {
    const stage = await staged({ kms });
    expect(await untilFinished(stage, HOUR_MS)).toEqual([]);
    await expectTidy(stage, 1);
  });

  test('waits for a KMS that cannot be reached once a minute at most, for two seconds', async () => {
    const tookMs = async (kms: 'silent' | 'none') => {
      const stage = await staged({ kms });
      const fromMs = stage.scene.clock.monotonicMs();
      await stage.scene.run(stage.leader, stage.scene.intent());
      return stage.scene.clock.monotonicMs() - fromMs;
    };
    expect((await tookMs('silent')) - (await tookMs('none'))).toBeLessThan(6_000);
  });
});

test('a launch that dies of something else is a try, encrypted or not', async () => {
  const stage = await staged({ policy: { recover: { maxLaunchAttempts: 1 } } });
  const code = 'Server.InternalError';
  stage.scene.sim.addFault({ id: 'dies', action: 'RunInstances', kind: 'launch-then-terminate', code });
  expect(await stage.scene.run(stage.leader, stage.scene.intent())).toBe('held');
  expect(stage.scene.hold()?.reason).toBe('LaunchAttemptsExhausted');
});
