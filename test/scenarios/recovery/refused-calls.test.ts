import type { SeededInstance } from '@understudy/cloud-sim';
import { type HoldRecord, opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished, checkSafety } from './checks.ts';
import { KEYS, type Leader, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

interface Prepared {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  readonly leader: Leader;
}

const HOUR_MS = 3_600_000;
const RETRY_HELD_MS = 30_000;

async function staged(options: RecoveryFixtureOptions = {}, zones: readonly string[] = []): Promise<Prepared> {
  const scene = new RecoveryFixture(options);
  scene.policy.recover.placements.push(
    ...zones.map((az) => ({ subnetId: scene.sim.defaultResources.subnets[az] ?? '' })),
  );
  const old = scene.seedMember(MEMBER, options);
  await scene.begin(old);
  return { scene, old, leader: scene.lead() };
}

interface Watched {
  readonly forMs: number;
  /** Each hold that was seen, once per text. */
  readonly holds: readonly HoldRecord[];
}

/**
 * Runs it as the leader would, held ones again after half a minute, and notes every hold that
 * stands at a full second.
 */
async function untilFinished({ scene, leader }: Prepared, limitMs: number): Promise<Watched> {
  const fromMs = scene.clock.monotonicMs();
  const holds: HoldRecord[] = [];
  let over = false;
  const look = () => {
    const hold = scene.hold();
    if (hold && holds.at(-1)?.text !== hold.text) holds.push(hold);
    if (!over) scene.clock.setTimer(1_000, look);
  };
  look();
  const intent = scene.intent();
  while ((await scene.run(leader, intent)) !== 'finished') {
    expect(scene.clock.monotonicMs() - fromMs, JSON.stringify(holds.at(-1))).toBeLessThan(limitMs);
    await scene.clock.advance(RETRY_HELD_MS);
  }
  over = true;
  return { forMs: scene.clock.monotonicMs() - fromMs, holds };
}

/** EC2 answers so to every call of the action, until the time has come. */
function refuse({ scene }: Prepared, action: string, code: string, httpStatus: number, forMs: number): void {
  scene.sim.addFault({ id: code, action, kind: 'error', code, httpStatus, times: 1_000_000 });
  scene.clock.setTimer(forMs, () => scene.sim.removeFault(code));
}

const linesOf = ({ scene }: Prepared, event: string) => scene.log.lines.filter((line) => line.event === event);

describe('CreateSnapshots is refused for ten minutes, then works', () => {
  test.each([
    ['ConcurrentSnapshotLimitExceeded', 400],
    ['SnapshotCreationPerVolumeRateExceeded', 400],
    ['PendingSnapshotLimitExceeded', 400],
    ['RequestLimitExceeded', 503],
    ['IncorrectState', 400],
    ['InternalError', 500],
  ])('%s: goes on by itself, one set of snapshots, the hold says what it is', async (code, status) => {
    const stage = await staged();
    refuse(stage, 'CreateSnapshots', code, status, 600_000);
    const { forMs, holds } = await untilFinished(stage, HOUR_MS);
    checkFinished(stage.scene, stage.old);
    expect(forMs).toBeGreaterThan(540_000);
    expect(forMs).toBeLessThan(840_000);
    const [hold] = holds;
    expect(hold?.reason).toBe('CloudUnavailable');
    expect(hold?.text).toContain(`CreateSnapshots: ${code} (HTTP ${status})`);
    expect(hold?.text).toContain('retryRefusedForMs');
    expect(hold?.untilWallMs).toBe((hold?.sinceWallMs ?? 0) + 24 * HOUR_MS);
    const made = stage.scene.sim.log.calls('CreateSnapshots').filter((call) => call.outcome === 'ok');
    expect(made).toHaveLength(1);
  });

  test('... is told when it begins and when it ends, and not each time', async () => {
    const stage = await staged();
    refuse(stage, 'CreateSnapshots', 'PendingSnapshotLimitExceeded', 400, 600_000);
    await untilFinished(stage, HOUR_MS);
    const refused = stage.scene.sim.log.calls('CreateSnapshots').length - 1;
    expect(refused).toBeGreaterThan(20);
    expect(linesOf(stage, 'recovery.effect.error')).toHaveLength(1);
    const told = linesOf(stage, 'recovery.step.failing');
    expect(told).toHaveLength(1);
    expect(told[0]?.fields).toMatchObject({
      ...{ step: 'capture', action: 'CreateSnapshots', code: 'PendingSnapshotLimitExceeded', httpStatus: 400 },
    });
    expect(linesOf(stage, 'recovery.step.works_again')[0]?.fields).toMatchObject({ step: 'capture', count: refused });
  });

  test('... costs the journal nothing: one record, one number', async () => {
    const stage = await staged();
    const { scene, old } = stage;
    refuse(stage, 'CreateSnapshots', 'ConcurrentSnapshotLimitExceeded', 400, 3 * HOUR_MS);
    const running = scene.leadRun(stage.leader);
    await scene.clock.advance(2 * HOUR_MS);
    const calls = scene.sim.log.calls('CreateSnapshots').length;
    expect(calls).toBeGreaterThan(100);
    // Two hours of pauses of half a minute on average, and never a busy loop.
    expect(calls).toBeLessThan(500);
    const journal = scene.kv.entries(KEYS.journalOf(opIdOf(old.instanceId)));
    expect(new Set(journal.map((entry) => entry.key.split('/').at(-1)))).toEqual(
      new Set(['capture', 'fence', 'permit-1']),
    );
    expect(journal.find((entry) => entry.key.endsWith('/capture'))?.value).toContain('"snapshots":1');
    await scene.clock.runUntilSettled(running);
    checkFinished(scene, old);
  });

  test('denied for half an hour: held at once, and resumed when it is allowed', async () => {
    const stage = await staged();
    const { scene } = stage;
    scene.sim.setDeniedActions(['CreateSnapshots']);
    scene.clock.setTimer(1_800_000, () => scene.sim.setDeniedActions([]));
    const { forMs, holds } = await untilFinished(stage, 2 * HOUR_MS);
    checkFinished(scene, stage.old);
    expect(holds.map((hold) => hold.reason)).toEqual(['CloudDenied']);
    expect(forMs).toBeLessThan(1_800_000 + 180_000);
  });

  test('hopeless: said at once, with what EC2 says', async () => {
    const stage = await staged();
    refuse(stage, 'CreateSnapshots', 'MissingParameter', 400, 600_000);
    const fromMs = stage.scene.clock.monotonicMs();
    expect(await stage.scene.run(stage.leader, stage.scene.intent())).toBe('held');
    expect(stage.scene.clock.monotonicMs() - fromMs).toBeLessThan(60_000);
    expect(stage.scene.hold()?.text).toContain(
      'EC2 refuses the snapshots: CLOUD_REJECTED: CreateSnapshots: MissingParameter',
    );
    await untilFinished(stage, HOUR_MS);
  });

  test('longer than the policy says: given up, nothing more is sent; the hold removed: tried again', async () => {
    const stage = await staged({ policy: { recover: { retryRefusedForMs: HOUR_MS } } });
    const { scene, leader } = stage;
    refuse(stage, 'CreateSnapshots', 'PendingSnapshotLimitExceeded', 400, 5 * HOUR_MS);
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'CaptureFailed' });
    expect(scene.hold()?.text).toContain('CreateSnapshots: PendingSnapshotLimitExceeded (HTTP 400)');
    const calls = scene.sim.log.calls('CreateSnapshots').length;
    await scene.clock.advance(6 * HOUR_MS);
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
    expect(scene.sim.log.calls('CreateSnapshots')).toHaveLength(calls);
    scene.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.hold(MEMBER) }] });
    await untilFinished({ ...stage, leader: scene.lead() }, HOUR_MS);
    checkFinished(scene, stage.old);
  });
});

describe('RunInstances is refused for a quarter of an hour, then works', () => {
  test.each([
    ['InsufficientInstanceCapacity', 500, 'NoCapacity'],
    ['VcpuLimitExceeded', 400, 'NoCapacity'],
    ['RequestLimitExceeded', 503, 'CloudUnavailable'],
    ['InternalError', 500, 'CloudUnavailable'],
    ['SomeNewServerFault', 500, 'CloudUnavailable'],
  ])('%s: goes on by itself with one request and one token', async (code, status, reason) => {
    const stage = await staged();
    refuse(stage, 'RunInstances', code, status, 900_000);
    const { forMs, holds } = await untilFinished(stage, 2 * HOUR_MS);
    checkFinished(stage.scene, stage.old);
    expect(forMs).toBeLessThan(900_000 + 480_000);
    expect(holds.map((hold) => hold.reason)).toEqual([reason]);
    expect(holds[0]?.text).toContain(`RunInstances: ${code} (HTTP ${status})`);
    const tokens = new Set(stage.scene.sim.log.calls('RunInstances').map((call) => call.clientToken));
    expect(tokens.size).toBe(1);
    expect(stage.scene.history()[0]?.launchAttempts).toBe(1);
  });

  test('no placement has room for six hours: asked in turn, with pauses, and the journal stays small', async () => {
    const zones = ['us-east-1a', 'us-east-1b', 'us-east-1c'];
    const stage = await staged({}, zones);
    const { scene, old } = stage;
    refuse(stage, 'RunInstances', 'InsufficientInstanceCapacity', 500, 6 * HOUR_MS);
    const running = scene.leadRun(stage.leader);
    const sizes: number[] = [];
    for (let hour = 0; hour < 5; hour += 1) {
      await scene.clock.advance(HOUR_MS);
      sizes.push(scene.kv.entries(KEYS.journalOf(opIdOf(old.instanceId))).length);
    }
    expect(scene.hold()).toMatchObject({ reason: 'NoCapacity' });
    for (const az of zones) expect(scene.hold()?.text).toContain(`(${az}): `);
    const calls = scene.sim.log.calls('RunInstances').length;
    expect(calls).toBeGreaterThan(100);
    expect(calls).toBeLessThan(5 * 60);
    // fence, capture, image, the open attempt's own, and two turns of three small records.
    expect(Math.max(...sizes)).toBeLessThanOrEqual(14);
    checkSafety(scene, old);
    await scene.clock.runUntilSettled(running);
    checkFinished(scene, old);
  });

  test('no interface can be had for a quarter of an hour: likewise', async () => {
    const stage = await staged();
    refuse(stage, 'CreateNetworkInterface', 'InternalError', 500, 900_000);
    const { forMs } = await untilFinished(stage, 2 * HOUR_MS);
    checkFinished(stage.scene, stage.old);
    expect(forMs).toBeLessThan(900_000 + 240_000);
  });

  test('the hold is removed in the meantime: tried at once', async () => {
    const stage = await staged();
    const { scene, leader, old } = stage;
    refuse(stage, 'RunInstances', 'InsufficientInstanceCapacity', 500, HOUR_MS);
    const running = scene.leadRun(leader);
    await scene.clock.advance(1_800_000);
    expect(scene.hold()?.reason).toBe('NoCapacity');
    scene.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.hold(MEMBER) }] });
    const before = scene.sim.log.calls('RunInstances').length;
    leader.engine.retryNow(opIdOf(old.instanceId));
    await scene.clock.advance(2_000);
    expect(scene.sim.log.calls('RunInstances')).toHaveLength(before + 1);
    await scene.clock.runUntilSettled(running);
    checkFinished(scene, old);
  });
});

describe('a placement that never will do', () => {
  test.each([
    'InvalidParameterValue',
    'InvalidParameterCombination',
    'Unsupported',
    'AttachmentLimitExceeded',
    'InvalidCapacityReservationState',
  ])('%s: the next one, and no hold', async (code) => {
    const stage = await staged({}, ['us-east-1a', 'us-east-1b']);
    const { scene } = stage;
    scene.sim.addFault({ id: 'own', action: 'RunInstances', kind: 'error', code, httpStatus: 400 });
    const { holds } = await untilFinished(stage, HOUR_MS);
    expect(holds).toEqual([]);
    expect(scene.sim.fired('own')).toBe(1);
    const newInstanceId = checkFinished(scene, stage.old);
    expect(scene.sim.core.region.instances.get(newInstanceId)?.az).toBe('us-east-1b');
  });

  test('none of them does: held, each named with its reason, and asked again by itself when it may do', async () => {
    const stage = await staged({}, ['us-east-1a', 'us-east-1b']);
    const { scene, leader } = stage;
    refuse(stage, 'RunInstances', 'InvalidParameterCombination', 400, 1_200_000);
    expect(await scene.run(leader, scene.intent())).toBe('held');
    expect(scene.hold()).toMatchObject({ reason: 'NoPlacementLeft' });
    for (const az of ['us-east-1a', 'us-east-1b'])
      expect(scene.hold()?.text).toMatch(
        new RegExp(`t3.micro in subnet-\\w+ \\(${az}\\): .*InvalidParameterCombination`),
      );
    const asked = scene.sim.log.calls('RunInstances').length;
    await untilFinished(stage, HOUR_MS);
    checkFinished(scene, stage.old);
    expect(asked).toBe(2);
  });
});

describe('a launch that names what has gone since the plan was made', () => {
  test('a key pair: the next attempt goes without it, in the same place, and says nothing to anybody', async () => {
    const options = { request: { KeyName: 'ops' } };
    const stage = await staged(options);
    stage.scene.sim.seed('DeleteKeyPair', { KeyName: 'ops' });
    const { holds } = await untilFinished(stage, HOUR_MS);
    const replacement = checkFinished(stage.scene, stage.old);
    expect(stage.scene.sim.core.region.instances.get(replacement)?.request.KeyName).toBeUndefined();
    const launches = stage.scene.sim.log.calls('RunInstances').filter((call) => call.reader !== '');
    const refused = launches.filter(({ outcome }) => outcome === 'InvalidKeyPair.NotFound');
    expect([refused.length, launches.at(-1)?.outcome]).toEqual([1, 'ok']);
    expect(holds).toEqual([]);
  });
});

describe('a quota is used up', () => {
  test('of instances: the next candidate of another family, without asking for one of the same', async () => {
    const scene = new RecoveryFixture();
    const subnetId = scene.sim.defaultResources.subnets['us-east-1b'] ?? '';
    scene.policy.recover.placements.push(
      ...['m6i.large', 'm5.large', 'g5.xlarge'].map((instanceType) => ({ subnetId, instanceType })),
    );
    const old = scene.seedMember();
    await scene.begin(old);
    const stage = { scene, old, leader: scene.lead() };
    scene.sim.addFault({
      id: 'q',
      action: 'RunInstances',
      kind: 'error',
      code: 'VcpuLimitExceeded',
      httpStatus: 400,
      times: 1,
    });
    await untilFinished(stage, HOUR_MS);
    const replacement = checkFinished(scene, old);
    expect(scene.sim.core.region.instances.get(replacement)?.instanceType).toBe('g5.xlarge');
  });

  test('of interfaces: held, and goes on by itself once it is raised', async () => {
    const stage = await staged({}, ['us-east-1b', 'us-east-1c']);
    refuse(stage, 'CreateNetworkInterface', 'NetworkInterfaceLimitExceeded', 400, 600_000);
    const { holds, forMs } = await untilFinished(stage, HOUR_MS);
    checkFinished(stage.scene, stage.old);
    expect(holds.map(({ reason }) => reason)).toEqual(['CloudRejected']);
    expect(forMs).toBeLessThan(720_000);
  });
});
