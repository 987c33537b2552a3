import type { SeededInstance } from '@understudy/cloud-sim';
import { type MemberId, opIdOf, TAG } from '@understudy/shared';
import { expect } from 'vitest';
import { KEYS, type Leader, MEMBER, type RecoveryFixture } from './recovery-fixture.ts';

/** It was launched for a suspect, and is nobody's replacement. */
const isInQuarantine = (tags: Readonly<Record<string, string>>): boolean =>
  tags[TAG.preparedFor] !== undefined && tags[TAG.member] === undefined;

/** When an instance was first seen in a state, by the simulator's own log; null: never. */
function enteredAtMs(scene: RecoveryFixture, instanceId: string, states: readonly string[]): number | null {
  const hit = scene.sim.log.transitions(instanceId).find((one) => one.to !== null && states.includes(one.to));
  return hit?.atMs ?? null;
}

/**
 * What must hold at any moment, whatever happened: at most one launched instance is not fenced when
 * the next one is launched (I1), nothing is launched before the old instance is down (I3), the
 * activation names the old instance or exactly one replacement, and the address is never on a
 * launched instance the activation does not name (I6).
 */
export function checkSafety(scene: RecoveryFixture, old: SeededInstance, member: MemberId = MEMBER): void {
  const launched = scene.launchedFor(old.instanceId);
  const downAtMs = enteredAtMs(scene, old.instanceId, ['stopped', 'terminated']);
  const launches = scene.sim.log.launches().filter((one) => launched.includes(one.instanceId));
  for (const [index, launch] of launches.entries()) {
    if (!isInQuarantine(launch.tags)) {
      expect(downAtMs, 'I3: launched before the old instance was down').not.toBeNull();
      expect(launch.atMs, 'I3: launched before the old instance was down').toBeGreaterThanOrEqual(downAtMs ?? 0);
    }
    const before = launches[index - 1];
    if (!before) continue;
    const endedAtMs = enteredAtMs(scene, before.instanceId, ['terminated']);
    expect(endedAtMs, `I1: ${before.instanceId} lives beside ${launch.instanceId}`).not.toBeNull();
    expect(launch.atMs, `I1: ${before.instanceId} lives beside ${launch.instanceId}`).toBeGreaterThanOrEqual(
      endedAtMs ?? 0,
    );
  }
  const activation = scene.activation(member);
  expect([old.instanceId, ...launched]).toContain(activation?.instanceId);
  const address = scene.sim.core.region.addresses.get(old.allocationId ?? '');
  const holder = address?.networkInterfaceId ? scene.holderOf(address.networkInterfaceId) : null;
  if (holder !== null && holder !== old.instanceId) expect(holder, 'I6').toBe(activation?.instanceId);
}

/** The end state of a recovery that got through. */
export function checkFinished(
  scene: RecoveryFixture,
  old: SeededInstance,
  expected: { readonly launches?: number | 'any'; readonly member?: MemberId } = {},
): string {
  const member = expected.member ?? MEMBER;
  checkSafety(scene, old, member);
  const launched = scene.launchedFor(old.instanceId);
  if (expected.launches !== 'any') expect(launched, 'instances launched').toHaveLength(expected.launches ?? 1);
  const alive = launched.filter((id) => scene.stateOf(id) === 'running');
  expect(alive, 'replacements alive').toHaveLength(1);
  const newInstanceId = alive[0] ?? '';
  expect(scene.activation(member)).toMatchObject({
    instanceId: newInstanceId,
    incarnation: 2,
    opId: opIdOf(old.instanceId),
  });
  if (old.allocationId !== null) {
    const address = scene.sim.core.region.addresses.get(old.allocationId);
    expect(scene.holderOf(address?.networkInterfaceId ?? ''), 'address').toBe(newInstanceId);
  }
  expect(scene.kv.entries(KEYS.intent(member))).toHaveLength(0);
  expect(scene.kv.entries(KEYS.journalOf(opIdOf(old.instanceId)))).toHaveLength(0);
  expect(scene.hold(member)).toBeNull();
  expect(scene.history(member)).toHaveLength(1);
  expect(scene.history(member)[0]).toMatchObject({ newInstanceId, outcome: 'replaced' });
  checkAllTagged(scene);
  for (const volume of scene.sim.core.region.volumes.all()) {
    const attachment = volume.attachments.find((one) => one.instanceId === newInstanceId);
    if (!attachment) continue;
    expect(attachment.deleteOnTermination, attachment.device).toBe(attachment.device === '/dev/xvda');
  }
  return newInstanceId;
}

/** Everything that was made since the beginning says which recovery made it. */
export function checkAllTagged(scene: RecoveryFixture): void {
  for (const kind of scene.resources()) {
    for (const one of kind) {
      if (!scene.seededIds.has(one.id)) expect(one.tags[TAG.op], `${one.id} is untagged`).toBeDefined();
    }
  }
}

const DAY_MS = 86_400_000;

/**
 * After all retention times, collection leaves the replacement and nothing else but disks it
 * reports. Returns those.
 */
export async function checkCollected(
  scene: RecoveryFixture,
  old: SeededInstance,
  leader: Leader,
  newInstanceId: string,
): Promise<readonly string[]> {
  const collector = scene.collector(leader);
  const loose = new Set<string>();
  for (const days of [1.1, 7]) {
    await scene.clock.advance(days * DAY_MS);
    for (let pass = 0; pass < 3; pass += 1) {
      const report = await scene.clock.runUntilSettled(collector.collect(leader.term));
      expect(report.violations).toEqual([]);
      for (const volumeId of report.looseVolumes) loose.add(volumeId);
      await scene.clock.advance(120_000);
    }
  }
  const op = opIdOf(old.instanceId);
  const instance = scene.sim.core.region.instances.get(newInstanceId);
  const own = new Set([...(instance?.networkInterfaceIds ?? []), ...(instance?.volumeIds ?? [])]);
  const left = scene.resources().flatMap((kind) => kind.filter((one) => one.tags[TAG.op] === op && !own.has(one.id)));
  expect(
    left.map((one) => one.id),
    'left over after collection',
  ).toEqual([...loose]);
  const places = scene.sim.core.region.capacityReservations.all();
  expect(places.filter((one) => one.tags[TAG.op] === op && one.state === 'active')).toEqual([]);
  expect(['terminated', null]).toContain(scene.stateOf(old.instanceId));
  expect(scene.stateOf(newInstanceId)).toBe('running');
  checkKeptVolumes(scene, old, newInstanceId);
  expect(scene.history()[0]?.owed).toEqual([]);
  return [...loose];
}

/**
 * The failed instance's data volumes outlive it (DeleteOnTermination was false), unless they have
 * moved to its replacement: on the books for ever, and marked in EC2. Nothing else is left.
 */
function checkKeptVolumes(scene: RecoveryFixture, old: SeededInstance, newInstanceId: string): void {
  const op = opIdOf(old.instanceId);
  const { volumes } = scene.sim.core.region;
  const kept = Object.values(old.volumeIds).filter((id) => {
    const attachments = volumes.get(id)?.attachments;
    return attachments !== undefined && !attachments.some((one) => one.instanceId === newInstanceId);
  });
  const leftovers = scene.history()[0]?.leftovers ?? [];
  expect(leftovers.map((one) => [one.kind, one.id, one.afterWallMs])).toEqual(kept.map((id) => ['volume', id, null]));
  for (const id of kept) expect(volumes.get(id)?.tags[TAG.retiredBy], `${id} is unmarked`).toBe(op);
}
