import type { SeededInstance } from '@understudy/cloud-sim';
import { opIdOf, TAG } from '@understudy/shared';
import { joinedChanges } from '@understudy/shared/testing';
import { expect } from 'vitest';
import { RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

/** Members whose primary private address follows them to a replacement from snapshots. */
export const FOLLOWS: RecoveryFixtureOptions = {
  policy: { identity: { primaryAddress: 'follow' }, recover: { strategy: 'snapshot-and-replace' } },
};

/** The same, with their disks. */
export const REATTACHED: RecoveryFixtureOptions = { policy: { recover: { strategy: 'reattach' } } };

/** The first replacement never speaks. */
export function muteFirst(scene: RecoveryFixture): void {
  let first = true;
  scene.sim.onEvent((event) => {
    if (event.kind !== 'transition' || event.resourceKind !== 'instance' || event.from !== null) return;
    if (first) scene.silent.add(event.resourceId);
    first = false;
  });
}

export interface PrimaryStage {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  /** Volumes of the failed instance. */
  readonly volumeIds: readonly string[];
  /** What was ever wrong, in words. */
  readonly faults: readonly string[];
}

const textOf = (at: number, what: string): string => `${at}: ${what}`;

/**
 * **S** (S32) Watches in truth: the predecessor begins to end only when it is stopped and each of
 * its volumes has a complete snapshot of this recovery, or is off it; nothing is launched before it
 * has ended; and none of its volumes ever goes.
 */
function watch(scene: RecoveryFixture, old: SeededInstance, volumeIds: readonly string[]): readonly string[] {
  const faults: string[] = [];
  const { region } = scene.sim.core;
  const op = opIdOf(old.instanceId);
  const isSecured = (id: string): boolean => {
    const volume = region.volumes.get(id);
    const captured = region.snapshots
      .all()
      .some((one) => one.volumeId === id && one.state === 'completed' && one.tags[TAG.op] === op);
    const isOff = volume?.attachments.every((one) => one.instanceId !== old.instanceId) ?? false;
    return captured || (volume !== undefined && isOff);
  };
  scene.sim.onEvent((event) => {
    for (const id of volumeIds) if (!region.volumes.get(id)) faults.push(textOf(event.atMs, `${id} is gone`));
    if (event.kind !== 'transition' || event.resourceKind !== 'instance') return;
    if (event.resourceId === old.instanceId) {
      if (event.to !== 'shutting-down') return;
      if (event.from !== 'stopped') faults.push(textOf(event.atMs, `it was ended while ${event.from}`));
      const open = volumeIds.filter((id) => !isSecured(id));
      if (open.length > 0) faults.push(textOf(event.atMs, `it was ended before ${open.join(', ')} was secured`));
    } else if (event.from === null && region.instances.get(old.instanceId)?.state !== 'terminated')
      faults.push(textOf(event.atMs, `${event.resourceId} was launched beside its predecessor`));
  });
  return faults;
}

/** A member that has failed; its recovery is begun. */
export async function staged(
  options: RecoveryFixtureOptions = {},
  trouble: (scene: RecoveryFixture, old: SeededInstance) => void | Promise<void> = () => undefined,
): Promise<PrimaryStage> {
  const all = { ...FOLLOWS, ...options, policy: joinedChanges(FOLLOWS.policy ?? {}, options.policy ?? {}) };
  const scene = new RecoveryFixture(all);
  const old = scene.seedMember(undefined, all);
  const volumeIds = Object.values(old.volumeIds);
  await trouble(scene, old);
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  const faults = watch(scene, old, volumeIds);
  return { scene, old, volumeIds, faults };
}

/** The replacement has the address, nothing is left of the predecessor but its volumes. */
export function checkFollowed({ scene, old, volumeIds, faults }: PrimaryStage, newInstanceId: string): void {
  expect(faults).toEqual([]);
  const { region } = scene.sim.core;
  const replacement = region.instances.get(newInstanceId);
  const [primary] = (replacement?.networkInterfaceIds ?? []).map((id) => region.networkInterfaces.get(id));
  expect(primary?.privateIp).toBe(old.privateIp);
  expect(['terminated', null]).toContain(scene.stateOf(old.instanceId));
  for (const id of volumeIds) expect(region.volumes.get(id)?.state, id).toMatch(/available|in-use/);
}

/** As the leader sees it now. */
export const runOnce = async ({ scene }: PrimaryStage, leader = scene.lead()): Promise<string> =>
  scene.run(leader, scene.intent());

/** Runs it to its end. */
export async function finished(stage: PrimaryStage, leader = stage.scene.lead()): Promise<string> {
  const { scene } = stage;
  expect(await scene.run(leader, scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  const newInstanceId = scene.activation()?.instanceId ?? '';
  checkFollowed(stage, newInstanceId);
  return newInstanceId;
}
