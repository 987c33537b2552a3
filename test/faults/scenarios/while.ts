import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { keyspace, type MemberId, StatusViewSchema } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { DEAD_AFTER_MS, MEMBERS } from '../lab/configuration.ts';
import type { Lab, Seat } from '../lab/lab.ts';
import type { Zone } from '../lab/network.ts';

/** What scenarios do and wait for while a fault lasts. */

const KEYS = keyspace();
/**
 * Two seconds more than it takes to call silence death. If nothing was begun by then, nothing will
 * be.
 */
const LONG_ENOUGH_MS = DEAD_AFTER_MS + 2_000;
const BEGUN_WITHIN_MS = 30_000;
const REPLACED_WITHIN_MS = 60_000;

export const membersIn = (zone: Zone): MemberId[] => MEMBERS.flatMap((one) => (one.zone === zone ? [one.member] : []));

/** Zone of the instance that plays the member now. */
export const zoneNow = (lab: Lab, member: MemberId): string =>
  lab.sim.core.region.instances.get(lab.incumbent(member).instanceId)?.az ?? '';

/** A member of another zone than the given ones. */
export function memberOutside(lab: Lab, ...zones: readonly Zone[]): MemberId {
  const found = MEMBERS.find(({ member }) => !zones.some((zone) => zoneNow(lab, member).endsWith(zone)));
  assert.ok(found, 'a member in another zone');
  return found.member;
}

/** The recoveries of a member that began after `since`, counted over all of them. */
const recoveriesOf = (lab: Lab, member: MemberId): number =>
  [...lab.recorder.recoveries.values()].filter((one) => one.member === member).length;

/**
 * Takes the power from the instance of a member. Returns a function that waits for the end of its
 * recovery.
 */
export function fail(lab: Lab, member: MemberId): () => Promise<number> {
  const { incarnation } = lab.incumbent(member);
  const failedAtMs = performance.now();
  lab.crash(lab.incumbent(member).instanceId);
  return async () => {
    const activated = () => lab.incumbent(member).incarnation > incarnation;
    await until(`${member} replaced`, activated, REPLACED_WITHIN_MS);
    const closed = async () => (await lab.store.get(KEYS.intent(member)).catch(() => undefined)) === null;
    await until(`the recovery of ${member} closed`, closed, REPLACED_WITHIN_MS);
    return performance.now() - failedAtMs;
  };
}

/**
 * Waits until a recovery of each of the members has begun, counted from the call of this function.
 */
export async function begun(lab: Lab, members: readonly MemberId[]): Promise<void> {
  const before = new Map(members.map((member) => [member, recoveriesOf(lab, member)]));
  const all = () => members.every((member) => recoveriesOf(lab, member) > (before.get(member) ?? 0));
  await until(`recoveries of ${members.join(' and ')} begun`, all, BEGUN_WITHIN_MS);
}

/**
 * Lets the fault last until all silent members would long have been called dead. Asserts that no
 * recovery was begun meanwhile.
 */
export async function nothingBegins(lab: Lab): Promise<void> {
  const before = lab.recorder.recoveries.size;
  await wait(LONG_ENOUGH_MS);
  const begunMeanwhile = [...lab.recorder.recoveries.values()].slice(before);
  assert.deepEqual(begunMeanwhile, [], 'a recovery was begun');
}

/** What a coordinator says of itself. Null while it does not answer. */
export async function statusOf(seat: Seat) {
  const reply = await seat.process.json('/v1/status');
  return reply === null ? null : StatusViewSchema.parse(reply);
}

/** Waits until another than `old` leads, by its own word. */
export async function successorTo(lab: Lab, old: Seat): Promise<Seat> {
  return until(
    `a successor to ${old.id}`,
    async () => {
      for (const seat of lab.seats) if (seat !== old && (await statusOf(seat))?.isLeader === true) return seat;
      return null;
    },
    15_000,
  );
}

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
