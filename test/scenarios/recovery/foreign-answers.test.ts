import type { SeededInstance } from '@understudy/cloud-sim';
import { describe, expect, test } from 'vitest';
import { checkCollected, checkFinished } from './checks.ts';
import { type Leader, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

interface Prepared {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  readonly leader: Leader;
}

async function staged(options: RecoveryFixtureOptions = {}): Promise<Prepared> {
  const scene = new RecoveryFixture(options);
  const zones = Object.values(scene.sim.defaultResources.subnets).map((subnetId) => ({ subnetId }));
  scene.policy.recover.placements.push(...zones);
  const old = scene.seedMember(MEMBER, options);
  await scene.begin(old);
  return { scene, old, leader: scene.lead() };
}

/** Held recoveries are run again, as a leader does. */
async function finish({ scene, old, leader }: Prepared): Promise<void> {
  let outcome = await scene.run(leader, scene.intent());
  for (let again = 0; outcome === 'held' && again < 100; again += 1) {
    await scene.clock.advance(30_000);
    outcome = await scene.run(leader, scene.intent());
  }
  expect(outcome, JSON.stringify(scene.hold())).toBe('finished');
  const newInstanceId = checkFinished(scene, old, { launches: 1 });
  expect(await checkCollected(scene, old, leader, newInstanceId)).toEqual([]);
}

/**
 * From the next call of `action` on, for `forMs`, whatever is asked is answered by something that
 * is not EC2.
 */
function foreignWindow(
  { scene }: Prepared,
  action: string,
  kind: 'foreign-answer' | 'foreign-instead',
  forMs: number,
): void {
  scene.sim.addFault({ id: 'first', action, kind: 'foreign-answer' });
  const unsubscribe = scene.sim.onEvent((event) => {
    if (event.kind !== 'call' || event.action !== action) return;
    unsubscribe();
    scene.sim.addFault({ id: 'window', action: '*', kind, times: 1_000_000 });
    scene.clock.setTimer(forMs, () => scene.sim.removeFault('window'));
  });
}

const ACTIONS = [
  'StopInstances',
  'CreateSnapshots',
  'CreateNetworkInterface',
  'RegisterImage',
  'RunInstances',
  'DisassociateAddress',
  'AssociateAddress',
  'CreateTags',
  'ModifyNetworkInterfaceAttribute',
  'DescribeInstances',
  'DescribeSnapshots',
  'DescribeNetworkInterfaces',
  'DescribeAddresses',
  'DescribeVolumes',
] as const;

describe('one answer is not EC2’s', () => {
  const cases = ACTIONS.flatMap((action) => [
    { action, kind: 'foreign-answer' as const },
    { action, kind: 'foreign-instead' as const },
  ]);
  test.each(cases)('$action ($kind): one launch, and nothing left', async ({ action, kind }) => {
    const stage = await staged();
    stage.scene.sim.addFault({ id: 'f', action, kind });
    await finish(stage);
    expect(stage.scene.sim.fired('f')).toBe(1);
  });
});

describe('for a while every answer is not EC2’s', () => {
  const cases = (
    ['RunInstances', 'StopInstances', 'CreateSnapshots', 'CreateNetworkInterface', 'AssociateAddress'] as const
  ).flatMap((action) =>
    (['foreign-answer', 'foreign-instead'] as const).flatMap((kind) =>
      [45_000, 240_000, 1_200_000].map((forMs) => ({ action, kind, forMs })),
    ),
  );
  test.each(cases)('from $action on, for $forMs ms ($kind): one launch', async ({ action, kind, forMs }) => {
    const stage = await staged();
    foreignWindow(stage, action, kind, forMs);
    await finish(stage);
    expect(stage.scene.sim.fired('first')).toBe(1);
  });
});

test('the collector takes nothing for removed on such an answer', async () => {
  const stage = await staged();
  const { scene, old, leader } = stage;
  expect(await scene.run(leader, scene.intent())).toBe('finished');
  await scene.clock.advance(1.1 * 86_400_000);
  const collector = scene.collector(leader);
  scene.sim.addFault({ id: 'window', action: '*', kind: 'foreign-instead', times: 1_000_000 });
  for (let pass = 0; pass < 10; pass += 1) {
    await scene.clock.runUntilSettled(collector.collect(leader.term));
    await scene.clock.advance(60_000);
  }
  expect(scene.sim.fired('window')).toBeGreaterThan(0);
  expect(scene.history()[0]?.leftovers.map((one) => one.kind)).toEqual([
    'instance',
    'image',
    'snapshot',
    'snapshot',
    'volume',
  ]);
  scene.sim.removeFault('window');
  for (let pass = 0; pass < 5; pass += 1) {
    await scene.clock.runUntilSettled(collector.collect(leader.term));
    await scene.clock.advance(120_000);
  }
  expect(['terminated', null]).toContain(scene.stateOf(old.instanceId));
});
