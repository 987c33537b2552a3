import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { keyspace, type MemberId, opIdOf, type Problem } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { type SmallQuota, withSmallQuota } from '../faults/etcd-space.ts';
import { TTL_MS } from '../lab/configuration.ts';
import type { Lab, Seat } from '../lab/lab.ts';
import { understudy } from '../operator.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { fail, memberOutside, nothingBegins, seconds } from './while.ts';

const KEYS = keyspace();
const SHOWN_WITHIN_MS = 40_000;
const BEGUN_WITHIN_MS = 40_000;
/**
 * Exit codes of `understudy status` when a person has to do something, and when there is no leader.
 */
const NEEDS_A_PERSON = [3, 4];

async function problemOf(seat: Seat): Promise<Problem | null> {
  const reply = await seat.process.get('/readyz');
  if (reply?.status !== 503) return null;
  const { problems } = JSON.parse(reply.body) as { readonly problems: readonly Problem[] };
  return problems.find(({ code }) => code === 'STORE_NO_SPACE') ?? null;
}

/**
 * Checks that every coordinator that runs, and the command line, show it, with what to do about it.
 */
async function shownEverywhere(lab: Lab): Promise<string> {
  const running = lab.seats.filter((seat) => seat.process.running);
  for (const seat of running) {
    const problem = await until(`${seat.id} not ready for it`, () => problemOf(seat), SHOWN_WITHIN_MS);
    assert.match(problem.remedy, /etcdctl alarm disarm/);
  }
  const told = await understudy(lab, 'status');
  assert.match(told.out, /STORE_NO_SPACE[^]*etcdctl alarm disarm/);
  assert.ok(NEEDS_A_PERSON.includes(told.code ?? 0), `understudy status ended with ${told.code}`);
  return `${running.length} coordinators not ready, \`understudy status\` ends with ${told.code}`;
}

const evidenceOf = (quota: SmallQuota, alarms: string, when: string): string =>
  `quota of ${quota.quotaBytes} bytes filled up ${when}: ${alarms}`;

async function whileDetecting(lab: Lab): Promise<ScenarioResult> {
  const quota = await withSmallQuota(lab);
  const alarms = await quota.fillUp();
  const member = memberOutside(lab);
  const replaced = fail(lab, member);
  await nothingBegins(lab);
  const shown = await shownEverywhere(lab);
  await quota.free();
  const tookMs = await replaced();
  const outcome = `nothing begun, ${shown}; once freed ${member} replaced, ${seconds(tookMs)} after its failure`;
  return { evidence: evidenceOf(quota, alarms, 'before it died'), outcome, victims: [member], replaced: [member] };
}

/** Resolves in the moment EC2 has got this call about the recovery of an instance. */
function arrival(lab: Lab, action: string, names: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const off = lab.sim.onEvent((event) => {
      if (event.kind !== 'call' || event.action !== action) return;
      const input = JSON.stringify(event.input);
      if (!names.some((name) => input.includes(`"${name}"`))) return;
      off();
      resolve();
    });
    lab.undoLater(off);
  });
}

/**
 * Leaves the recovery of a member that has just died stuck in the middle of a step, because no
 * record of its end is taken.
 */
async function stuckAt(lab: Lab, quota: SmallQuota, member: MemberId, action: string) {
  const { instanceId, incarnation } = lab.incumbent(member);
  const opId = opIdOf(instanceId);
  const arrived = arrival(lab, action, [instanceId, opId]);
  const replaced = fail(lab, member);
  await Promise.race([arrived, tooLong(action)]);
  const alarms = await quota.fillUp();
  const before = lab.recorder.launchedFor(opId).length;
  assert.ok(await lab.store.get(KEYS.intent(member)), 'its recovery is open');
  const stays = async (): Promise<void> => {
    assert.ok(await lab.store.get(KEYS.intent(member)), 'its recovery is still open');
    assert.equal(lab.incumbent(member).incarnation, incarnation, 'nothing was activated');
    const launches = lab.recorder.launchedFor(opId).length;
    assert.ok(launches <= Math.max(before, 1), `${launches} launches while no record was taken`);
  };
  return { alarms, replaced, stays, opId };
}

const tooLong = async (action: string): Promise<never> => {
  await wait(BEGUN_WITHIN_MS, undefined, { ref: false });
  throw new Error(`no ${action} came`);
};

async function whileRecovering(lab: Lab, action: string): Promise<ScenarioResult> {
  const quota = await withSmallQuota(lab);
  const member = memberOutside(lab);
  const { alarms, replaced, stays, opId } = await stuckAt(lab, quota, member, action);
  await nothingBegins(lab);
  const shown = await shownEverywhere(lab);
  await stays();
  await quota.free();
  const tookMs = await replaced();
  assert.equal(lab.recorder.launchedFor(opId).length, 1);
  const outcome = `stood still, ${shown}; once freed one launch, replaced ${seconds(tookMs)} after its failure`;
  return {
    evidence: evidenceOf(quota, alarms, `as EC2 got ${action}`),
    outcome,
    victims: [member],
    replaced: [member],
  };
}

/**
 * No lease can be granted then, so no leader follows the one that is killed until there is room.
 */
async function leaderKilled(lab: Lab): Promise<ScenarioResult> {
  const quota = await withSmallQuota(lab);
  const seat = lab.leaderSeat;
  const member = memberOutside(lab, seat.zone);
  const { alarms, replaced, stays, opId } = await stuckAt(lab, quota, member, 'RunInstances');
  assert.equal(lab.leaderSeat, seat, 'it leads still');
  await seat.process.kill();
  assert.equal(seat.process.endedBy, 'SIGKILL');
  await until('the leader record is gone', () => lab.leader === null, 10 * TTL_MS);
  await nothingBegins(lab);
  const shown = await shownEverywhere(lab);
  assert.equal(lab.leader, null, 'somebody leads without a record');
  await stays();
  await quota.free();
  const tookMs = await replaced();
  assert.equal(lab.recorder.launchedFor(opId).length, 1);
  const leader = lab.leaderSeat.id;
  const evidence = `${evidenceOf(quota, alarms, 'as EC2 got RunInstances')}; ${seat.id}, the leader, killed`;
  const outcome = `nobody led, ${shown}; once freed ${leader} went on, replaced ${seconds(tookMs)} after its failure`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

const AFTERWARDS = 'shown by every coordinator, nothing done; goes on by itself once there is room';

export const ETCD_SPACE: readonly Scenario[] = [
  {
    name: 'etcd-no-space-detecting',
    fault: "etcd's quota filled (alarm NOSPACE), then a member dies",
    expected: AFTERWARDS,
    run: whileDetecting,
  },
  ...['StopInstances', 'CreateSnapshots', 'RunInstances'].map((action) => ({
    name: `etcd-no-space-at-${action.toLowerCase()}`,
    fault: `the same in the moment EC2 gets ${action} of a recovery`,
    expected: AFTERWARDS,
    run: (lab: Lab) => whileRecovering(lab, action),
  })),
  {
    name: 'etcd-no-space-leader-killed',
    fault: 'the same in the middle of a launch, and SIGKILL to the leader',
    expected: 'nobody leads; another finishes once there is room',
    run: leaderKilled,
  },
];
