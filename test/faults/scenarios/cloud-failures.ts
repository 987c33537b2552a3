import assert from 'node:assert/strict';
import type { MemberId } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import type { Lab } from '../lab/lab.ts';
import type { Scenario } from '../scenario.ts';
import { holdOf } from './one-recovery.ts';
import { membersIn, nothingBegins, seconds, zoneNow } from './while.ts';

/** EC2's automatic recovery, long before silence is called death. */
const BACK_AFTER_MS = 300;
const BACK_WITHIN_MS = 15_000;
const HELD_WITHIN_MS = 60_000;

const hasComeBack = (lab: Lab, instanceId: string): boolean =>
  lab.sim.log.transitions(instanceId).some(({ detail }) => detail['recovered'] === true);

/** The host fails, and EC2 has the instance on another one before anybody confirms its death. */
async function backInTime(lab: Lab) {
  const [member] = membersIn('b');
  assert.ok(member, 'a member in zone b');
  const { instanceId } = lab.incumbent(member);
  assert.ok(lab.sim.failHost(instanceId, BACK_AFTER_MS), 'its host fails');
  await until('EC2 has moved it', () => hasComeBack(lab, instanceId), BACK_WITHIN_MS);
  await nothingBegins(lab);
  assert.equal(lab.incumbent(member).instanceId, instanceId, 'it is still the member’s instance');
  return {
    evidence: `the host of ${instanceId} failed, and it was moved ${seconds(BACK_AFTER_MS)} later`,
    outcome: `nobody replaced ${member}`,
    victims: [member],
    replaced: [],
  };
}

/**
 * Members of which a recovery has begun since then. Whether one does is a race with its heartbeats.
 */
const begunSince = (lab: Lab, count: number): readonly MemberId[] =>
  [...lab.recorder.recoveries.values()].slice(count).map(({ member }) => member);

/**
 * A whole zone stands still, its control plane too: nothing in it can be looked at, so nothing is
 * decided. When it wakes up, all of it goes on as if nothing had happened.
 */
async function wakesUp(lab: Lab) {
  const az = 'us-east-1b';
  const members = membersIn('b').filter((member) => zoneNow(lab, member) === az);
  const known = lab.recorder.recoveries.size;
  lab.undoLater(() => lab.sim.healZone(az));
  lab.sim.failZone(az, 'hang');
  const failedAtMs = performance.now();
  const holds: string[] = [];
  for (const member of members) {
    holds.push((await until(`${member} is held`, () => holdOf(lab, member), HELD_WITHIN_MS)) ?? '');
  }
  await nothingBegins(lab);
  const stillMs = performance.now() - failedAtMs;
  lab.sim.healZone(az);
  const serves = () => members.every((member) => lab.recorder.serves(lab.incumbent(member).instanceId));
  await until('they serve again', serves, BACK_WITHIN_MS);
  const replaced = begunSince(lab, known);
  return {
    evidence: `${az} stood still for ${seconds(stillMs)}; held meanwhile: ${holds.join(', ')}`,
    outcome: replaced.length === 0 ? 'all go on as they were' : `${replaced.join(' and ')} replaced once awake`,
    victims: members,
    replaced,
  };
}

export const CLOUD_FAILURES: readonly Scenario[] = [
  {
    name: 'host-fails-and-ec2-moves-it',
    fault: 'the host of an instance fails, and EC2 moves it to another one by itself',
    expected: 'it is back before its death is confirmed; nothing is replaced',
    run: backInTime,
  },
  {
    name: 'zone-stands-still-and-wakes',
    fault: 'every instance of a zone stands still, and its control plane answers nothing',
    expected: 'held, as nothing can be looked at; on when it wakes up, and replaced once at most',
    run: wakesUp,
  },
];
