import type { SeededInstance } from '@understudy/cloud-sim';
import { REGISTERED, type Strategy } from '@understudy/recovery/testing';
import { opIdOf, type LadderRung } from '@understudy/shared';
import { expect } from 'vitest';
import {
  KEYS,
  type Leader,
  MEMBER,
  RecoveryFixture,
  type RecoveryFixtureOptions,
  type Wrapping,
} from './recovery-fixture.ts';

export type InPlaceName = Extract<LadderRung, 'reboot' | 'stop-start'>;

export const strategyOf = (name: string): Strategy => {
  const found = REGISTERED.strategies.find((one) => one.name === name);
  if (!found) throw new Error(`no strategy ${name}`);
  return found;
};

/** A member whose guest hangs, heard before, and the intent of a recovery in place. */
export async function hungMember(
  name: InPlaceName,
  options: RecoveryFixtureOptions = {},
): Promise<{ scene: RecoveryFixture; old: SeededInstance }> {
  const scene = new RecoveryFixture({ remembers: true, strategy: strategyOf(name), ...options });
  const old = scene.seedMember(undefined, options);
  await scene.clock.advance(10_000);
  scene.lead();
  scene.hear(old.instanceId);
  scene.sim.crashInstance(old.instanceId);
  await scene.clock.advance(10_000);
  await scene.begin(old);
  return { scene, old };
}

/** Runs it as the leader would, until it is closed. */
export async function closedBy(scene: RecoveryFixture, leader: Leader): Promise<void> {
  while (scene.kv.entries(KEYS.intent(MEMBER)).length > 0) {
    await scene.run(leader, scene.intent());
    await scene.clock.advance(15_000);
  }
}

/** **S** The instance is still the member's own; nothing was launched; no record is left. */
export function checkKept(scene: RecoveryFixture, old: SeededInstance, outcome: 'mended' | 'not-mended'): void {
  expect(scene.history()).toMatchObject([
    { outcome, opId: opIdOf(old.instanceId), oldInstanceId: old.instanceId, newInstanceId: null, leftovers: [] },
  ]);
  expect(scene.activation()).toMatchObject({ instanceId: old.instanceId, incarnation: 1, ordinal: 1 });
  expect(scene.launchedFor(old.instanceId)).toEqual([]);
  expect(scene.kv.entries(KEYS.journalOf(opIdOf(old.instanceId)))).toEqual([]);
  expect([scene.kv.entries(KEYS.intent(MEMBER)), scene.hold()]).toEqual([[], null]);
  for (const kind of scene.resources()) for (const one of kind) expect(scene.seededIds).toContain(one.id);
}

export const ran = async (name: InPlaceName, options: RecoveryFixtureOptions = {}, wrapping: Wrapping = {}) => {
  const { scene, old } = await hungMember(name, options);
  await closedBy(scene, scene.lead(wrapping));
  return { scene, old };
};
