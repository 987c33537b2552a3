import type { SeededInstance } from '@understudy/cloud-sim';
import { REGISTERED, stepId } from '@understudy/recovery/testing';
import { opIdOf } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { checkFinished } from './checks.ts';
import { CrashMonitor } from './crash-points.ts';
import {
  BADGES_TAG,
  badgeTag,
  badges,
  CONTENT_TAG,
  FAREWELL_TAG,
  farewellKind,
  freshStart,
  readyMade,
} from './own-parts.ts';
import type { RecoveryFixture } from './recovery-fixture.ts';
import { killedAt, stage, type Story } from './stories.ts';

const instanceTags = (scene: RecoveryFixture, instanceId: string) =>
  scene.sim.core.region.instances.get(instanceId)?.tags ?? {};
const stepsOf = (scene: RecoveryFixture) => scene.history()[0]?.steps.map((one) => one.step) ?? [];

const FRESH_START: Story = {
  options: {
    dataVolumes: 0,
    registry: {
      ...REGISTERED,
      strategies: [...REGISTERED.strategies, freshStart],
      steps: [...REGISTERED.steps, farewellKind],
    },
    strategy: freshStart,
  },
  check: (scene, old, newInstanceId) => {
    const { region } = scene.sim.core;
    const steps = ['fence', 'farewell', 'permit-1', 'launch-1', 'verify-1', 'activate'];
    const moved = [stepId('address', old.allocationId ?? ''), 'done'];
    expect(stepsOf(scene).toSorted()).toEqual([...steps, ...moved].toSorted());
    expect(region.instances.get(newInstanceId)?.imageId).toBe(scene.sim.defaultResources.imageId);
    expect(region.instances.get(old.instanceId)?.tags[FAREWELL_TAG]).toBe(`replaced by ${opIdOf(old.instanceId)}`);
    expect([
      region.snapshots.all().filter((one) => !scene.seededIds.has(one.id)),
      scene.sim.log.launches().length,
    ]).toEqual([[], 2]);
  },
};

/** A snapshot that somebody took of the data volume while the member was well. */
async function takeContent(scene: RecoveryFixture, old: SeededInstance): Promise<void> {
  const volumeId = old.volumeIds['/dev/sdf'] ?? '';
  const made = scene.sim.seed('CreateSnapshots', { InstanceSpecification: { InstanceId: old.instanceId } });
  const { Snapshots } = made as { readonly Snapshots: readonly { SnapshotId: string; VolumeId: string }[] };
  const snapshotId = Snapshots.find((one) => one.VolumeId === volumeId)?.SnapshotId ?? '';
  scene.sim.seed('CreateTags', { Resources: [volumeId], Tags: [{ Key: CONTENT_TAG, Value: snapshotId }] });
  scene.sim.seed('CreateTags', { Resources: [old.instanceId], Tags: [{ Key: BADGES_TAG, Value: 'red blue' }] });
  for (const kind of scene.resources()) for (const one of kind) scene.seededIds.add(one.id);
  await scene.clock.advance(3_600_000);
}

const READY_MADE: Story = {
  options: {
    registry: {
      ...REGISTERED,
      volumePaths: [readyMade, ...REGISTERED.volumePaths],
      identityMoves: [...REGISTERED.identityMoves, badges],
    },
  },
  prepare: takeContent,
  check: (scene, old, newInstanceId) => {
    const { region } = scene.sim.core;
    const disks = region.volumes.all().filter((one) => one.attachments.some((at) => at.instanceId === newInstanceId));
    const data = disks.find((one) => one.attachments[0]?.device === '/dev/sdf');
    expect(data?.snapshotId).toBe(region.volumes.get(old.volumeIds['/dev/sdf'] ?? '')?.tags[CONTENT_TAG]);
    const root = disks.find((one) => one.attachments[0]?.device === '/dev/xvda');
    expect(scene.seededIds.has(root?.snapshotId ?? '')).toBe(false);
    const tags = instanceTags(scene, newInstanceId);
    expect([tags[badgeTag('red')], tags[badgeTag('blue')]]).toEqual(['worn', 'worn']);
    const steps = stepsOf(scene);
    for (const step of ['badge-red', 'badge-blue'])
      expect(steps.indexOf(step), step).toBeGreaterThan(steps.indexOf('activate'));
    expect(steps.at(-1)).toBe('done');
  },
};

describe('parts that only this test registers', () => {
  test('a strategy without image and capture, with a step of its own, replaces once, wherever it is killed', {
    timeout: 120_000,
  }, async () => {
    const cases = await killedAt(
      FRESH_START,
      ['call', 'commit', 'read'],
      ['farewell', 'launch-1', 'activate', 'history'],
    );
    expect(cases).toBeGreaterThanOrEqual(60);
  });

  test('a volume path and an identity move of their own take part in a strategy that knows neither', {
    timeout: 120_000,
  }, async () => {
    const cases = await killedAt(
      READY_MADE,
      ['call', 'commit'],
      ['capture', 'launch-1', 'badge-red', 'badge-blue', 'history'],
    );
    expect(cases).toBeGreaterThanOrEqual(75);
  });

  test('what a path will lack of the content is a loss of the plan, and which volume takes it is frozen', async () => {
    const { scene, old } = await stage(READY_MADE);
    const { plan } = scene.intent().record;
    const data = old.volumeIds['/dev/sdf'];
    expect(plan.volumes.map(({ volumeId, path }) => [volumeId === data, path])).toEqual([
      [false, undefined],
      [true, 'ready-made'],
    ]);
    expect(plan.losses).toContainEqual({ code: 'OlderContent', text: `${data}: all since its last snapshot` });
  });

  test.each([
    ['strategy', FRESH_START, 'strategy fresh-start, which this build does not know'],
    ['volume path', READY_MADE, 'takes the path ready-made, which this build does not know'],
  ] as const)(
    'a build that does not know the %s holds the recovery, and one that does finishes it',
    async (_, story, text) => {
      const { scene, old } = await stage(story);
      const { registry } = scene;
      scene.registry = REGISTERED;
      expect(await scene.run(scene.lead(), scene.intent())).toBe('held');
      expect(scene.hold()).toMatchObject({ reason: 'RecordUnreadable', text: expect.stringContaining(text) });
      expect([scene.launchedFor(old.instanceId), scene.stateOf(old.instanceId)]).toEqual([[], 'running']);
      scene.registry = registry;
      expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
      story.check(scene, old, checkFinished(scene, old));
    },
  );

  test('an operator abandons it: what its parts have made is said, and nothing more is done', async () => {
    const { scene, old } = await stage(FRESH_START);
    scene.ask('abandon');
    expect(await scene.run(scene.lead(), scene.intent())).toBe('finished');
    expect(scene.history()[0]).toMatchObject({ outcome: 'abandoned', leftovers: [] });
    expect(scene.history()[0]?.leftAs?.[0]).toBe(`${old.instanceId} was not touched`);
  });

  test('its plan is not made again: it has no way to', async () => {
    const { scene } = await stage(FRESH_START);
    const monitor = new CrashMonitor();
    const leader = scene.lead(monitor.wrapping());
    const run = leader.engine.run(scene.intent(), leader.term);
    while (!monitor.points.some((one) => one.name === 'runInstances')) await scene.clock.advance(250);
    scene.ask('replan');
    leader.engine.interrupt(scene.intent().record.opId);
    await scene.clock.runUntilSettled(run);
    expect(await scene.run(leader, scene.intent())).toBe('finished');
    expect(scene.history()[0]?.acts?.map((one) => one.text)).toEqual([
      'refused: a plan of the strategy fresh-start cannot be made again',
    ]);
  });
});
