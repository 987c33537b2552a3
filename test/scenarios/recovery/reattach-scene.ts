import type { SeededInstance } from '@understudy/cloud-sim';
import { DEFAULT_LADDER } from '@understudy/shared';
import { REGISTERED, type Strategy } from '@understudy/recovery/testing';
import { expect } from 'vitest';
import { RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

/** Members whose disks move to their replacement. */
export const REATTACH: RecoveryFixtureOptions = { dataVolumes: 2, policy: { recover: { strategy: 'reattach' } } };

/** Device → volume, in truth. */
export const disksOf = (scene: RecoveryFixture, instanceId: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    scene.sim.core.region.volumes
      .all()
      .flatMap((volume) =>
        volume.attachments
          .filter((one) => one.instanceId === instanceId)
          .map((one) => [one.device, volume.id] as const),
      ),
  );

/**
 * **S** (S27) Watches in truth: a disk of the member is attached to another instance only once the
 * old one is down, and never to two; and an instance that has none of the root, or not all of the
 * disks, of the member never begins to run with one of them.
 */
export function watchDisks(scene: RecoveryFixture, old: SeededInstance): { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const { region } = scene.sim.core;
  const own = new Set(Object.values(disksOf(scene, old.instanceId)));
  const look = (): void => {
    const oldRuns = ['pending', 'running'].includes(scene.stateOf(old.instanceId) ?? '');
    for (const volume of region.volumes.all().filter((one) => own.has(one.id))) {
      const holders = new Set(volume.attachments.map((one) => one.instanceId));
      if (holders.size > 1) faults.push(`${volume.id} is on ${[...holders].join(' and ')}`);
      if (oldRuns && [...holders].some((id) => id !== old.instanceId))
        faults.push(`${volume.id} is on another instance while ${old.instanceId} runs`);
    }
  };
  scene.sim.onEvent((event) => {
    look();
    if (event.kind !== 'transition' || event.resourceKind !== 'instance' || event.to !== 'pending') return;
    const has = Object.values(disksOf(scene, event.resourceId)).filter((id) => own.has(id));
    if (has.length > 0 && has.length < own.size) faults.push(`${event.resourceId} starts with only ${has.join(', ')}`);
  });
  return { faults };
}

export interface ReattachStage {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  /** Device → volume, as the member had them. */
  readonly disks: Readonly<Record<string, string>>;
  readonly watch: { readonly faults: readonly string[] };
}

/** A member that has failed; its recovery is begun. */
export async function staged(
  options: RecoveryFixtureOptions = {},
  trouble: (scene: RecoveryFixture, old: SeededInstance) => void = () => undefined,
): Promise<ReattachStage> {
  const all = { ...REATTACH, ...options };
  const scene = new RecoveryFixture(all);
  const old = scene.seedMember(undefined, all);
  const disks = disksOf(scene, old.instanceId);
  const watch = watchDisks(scene, old);
  trouble(scene, old);
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  return { scene, old, disks, watch };
}

/** It has its very disks, under their devices, and nobody else has one. */
export function checkDisks({ scene, disks, watch }: ReattachStage, instanceId: string): void {
  expect(disksOf(scene, instanceId)).toEqual(disks);
  expect(watch.faults).toEqual([]);
}

const reattach = REGISTERED.strategies.find((one) => one.name === 'reattach');

/** As the ladder plans it: another way is left. */
const asRung: Strategy | undefined = reattach && {
  ...reattach,
  plan: (...asked) => {
    const result = reattach.plan(...asked);
    if (result.kind === 'blocked') return result;
    const ladder = [
      { rung: 'reattach', said: 'taken', why: 'its disks can move' },
      { rung: 'snapshot-and-replace', said: 'later', why: 'if this fails' },
    ] as const;
    return { ...result, plan: { ...result.plan, ladder: [...ladder] } };
  },
};

/** The first rung of two. */
export const AS_RUNG: RecoveryFixtureOptions = {
  ...(asRung && { strategy: asRung }),
  policy: {
    recover: {
      strategy: 'reattach',
      ladder: { ...DEFAULT_LADDER, rungs: ['reattach', 'snapshot-and-replace'] },
      verifyTimeoutMs: 60_000,
      maxLaunchAttempts: 1,
    },
  },
};
