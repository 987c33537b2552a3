import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { MemberId } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { finished, successorOf } from '../after-the-strike.ts';
import { TTL_MS } from '../lab/configuration.ts';
import type { Lab } from '../lab/lab.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { type Moment, present, stateLetterOf, strikeLeader, type Struck } from '../strike.ts';
import { memberOutside, seconds } from './while.ts';

/**
 * Every step of a recovery, with the call in the middle of which the leader is struck. Without a
 * call, it is struck as soon as etcd shows the step begun.
 */
const MOMENTS: readonly Moment[] = [
  { step: 'intent' },
  { step: 'fence', action: 'StopInstances' },
  { step: 'capture', action: 'CreateSnapshots' },
  { step: 'image', action: 'RegisterImage' },
  { step: 'permit-1', action: 'CreateNetworkInterface' },
  { step: 'launch-1', action: 'RunInstances' },
  { step: 'verify-1' },
  { step: 'revoke-1', fault: { kind: 'launch-then-terminate', code: 'Server.InternalError' }, faultOf: 'RunInstances' },
  { step: 'activate', action: 'DescribeInstances' },
  { step: 'address', action: 'DisassociateAddress' },
  { step: 'done', action: 'CreateTags' },
];

/** `launch-1` → `launch`. */
const nameOf = ({ step }: Moment): string => step.replace(/-1$/, '');

/** A member whose instance is not in the leader's zone, so that its zone's observer lives on. */
const victimOf = (lab: Lab): MemberId => memberOutside(lab, lab.leaderSeat.zone);

const whatFollowed = (struck: Struck, history: { readonly leaderChanges: number; readonly launchAttempts: number }) =>
  `${struck.member} replaced in ${history.launchAttempts} attempt(s), ${history.leaderChanges} change(s) of leader`;

async function killAt(lab: Lab, moment: Moment): Promise<ScenarioResult> {
  const member = victimOf(lab);
  const struck = await strikeLeader(lab, member, moment, 'SIGKILL');
  const successor = await successorOf(lab, struck);
  const history = await finished(lab, struck);
  assert.equal(history.outcome, 'replaced');
  const evidence = `${struck.seat.id} ended by ${struck.process.endedBy} in the middle of ${moment.step}`;
  const outcome = `${successor.id} took over, ${whatFollowed(struck, history)}`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

/**
 * Stops the leader in the middle of the launch, the step that must not happen twice, for this many
 * leases.
 */
async function stopFor(lab: Lab, leases: number): Promise<ScenarioResult> {
  const member = victimOf(lab);
  const struck = await strikeLeader(lab, member, { step: 'launch-1', action: 'RunInstances' }, 'SIGSTOP');
  const stoppedAtMs = performance.now();
  const pid = present(struck.process.pid);
  await wait(leases * TTL_MS);
  assert.equal(stateLetterOf(pid), 'T', 'it was stopped all the time');
  const stoppedMs = performance.now() - stoppedAtMs;
  const inTheEnd = lab.leader;
  struck.process.signal('SIGCONT');
  await until('runs again', () => stateLetterOf(pid) !== 'T', 1_000);
  // After two leases another coordinator must lead. After one it may or may not.
  if (leases >= 2) assert.ok((inTheEnd?.term ?? 0) > struck.term, 'a later term while it was stopped');
  if (leases < 1) assert.equal(inTheEnd?.term, struck.term, 'its own term while it was stopped');
  const history = await finished(lab, struck);
  const evidence = `${struck.seat.id} in state T for ${seconds(stoppedMs)} (${leases} × TTL) in the middle of the launch`;
  return { evidence, outcome: whatFollowed(struck, history), victims: [member], replaced: [member] };
}

export const LEADER_KILLED: readonly Scenario[] = MOMENTS.map((moment) => ({
  name: `leader-killed-at-${nameOf(moment)}`,
  fault: `SIGKILL to the leader in the middle of step ${nameOf(moment)}`,
  expected: 'another finishes; one launch that counts',
  run: (lab) => killAt(lab, moment),
}));

export const LEADER_STOPPED: readonly Scenario[] = [0.5, 1, 2, 10].map((leases) => ({
  name: `leader-stopped-${leases}-ttl`,
  fault: `SIGSTOP to the leader in the middle of a launch, SIGCONT after ${leases} × TTL`,
  expected: leases >= 2 ? 'another finishes; the old one does no harm' : 'whoever leads then finishes',
  run: (lab) => stopFor(lab, leases),
}));
