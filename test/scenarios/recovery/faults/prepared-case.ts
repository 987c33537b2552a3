import { expect } from 'vitest';
import { checkAllTagged } from '../checks.ts';
import {
  checkUntouched,
  die,
  leftOf,
  preparationOf,
  type PreparedStage,
  preparing,
  refute,
} from '../prepared-scene.ts';
import type { Leader } from '../recovery-fixture.ts';
import type { FaultSubject } from './fault-subjects.ts';

/** Longer than a call that was sent may take to land. */
const LATE_MS = 1_200_000;
const ROUNDS_MAX = 60;
/** Rounds after which nothing is wrong any more. */
const HEALED_AFTER = 20;

/** The member is suspect, and what the subject wants is about to be made for it. */
export async function stagePrepared({ options, prepare, prepares }: FaultSubject): Promise<PreparedStage> {
  return preparing({ remembers: true, ...options }, prepares?.makes ?? [], prepare);
}

/** One look of its keeper after the other, until it has come to something. */
async function keepOn(stage: PreparedStage, leader: Leader, heal: () => void): Promise<'made' | 'failed' | 'removed'> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const preparation = preparationOf(stage);
    if (!preparation) throw new Error('no preparation');
    const { kind } = await stage.scene.clock.runUntilSettled(
      leader.engine.prepare(preparation, leader.term),
      3_600_000,
    );
    if (kind !== 'parked') return kind;
    if (round === HEALED_AFTER) heal();
    await stage.scene.clock.advance(2_000);
  }
  throw new Error('the preparation came to nothing');
}

/**
 * Made, and taken over by the recovery of its member, which is then dead; or dropped, because that
 * is heard again, or because it could not be made. True: a recovery has taken it over.
 */
export async function leadPreparation(
  stage: PreparedStage,
  subject: FaultSubject,
  leader: Leader,
  heal: () => void,
): Promise<boolean> {
  const made = await keepOn(stage, leader, heal);
  if (made === 'made' && subject.prepares?.end === 'taken') {
    await die(stage, false);
    return true;
  }
  refute(stage);
  expect(await keepOn(stage, leader, heal)).toBe('removed');
  return false;
}

/** **S** (S31) As its keeper looks once more: nothing is left of it; the member has no part. */
export async function checkDropped(stage: PreparedStage, leader: Leader, heal: () => void): Promise<void> {
  await stage.scene.clock.advance(LATE_MS);
  expect(await keepOn(stage, leader, heal)).toBe('removed');
  expect(leftOf(stage), 'left over').toEqual([]);
  checkUntouched(stage);
  checkAllTagged(stage.scene);
}
