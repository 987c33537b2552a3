import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { stepId } from '@understudy/recovery/testing';
import { ExplainViewSchema, keyspace, type MemberId } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { finished, successorOf } from '../after-the-strike.ts';
import { portOf, Partition } from '../faults/partition.ts';
import { PORTS, TTL_MS } from '../lab/configuration.ts';
import type { Lab } from '../lab/lab.ts';
import { coordinatorHost } from '../lab/network.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { type Moment, present, stateLetterOf, strikeLeader, type Struck } from '../strike.ts';
import { asked, type Rung, withLadder } from './group-policy.ts';
import { nextRecovery } from './one-recovery.ts';
import { memberOutside, seconds, successorTo } from './while.ts';

const KEYS = keyspace();

/** It tells whose recovery was struck. */
type Hit = Pick<Struck, 'member' | 'old' | 'opId'>;

/** Each way, and the moments in the middle of it at which the leader is struck. */
const MOMENTS: Readonly<Record<Rung, readonly Moment[]>> = {
  reboot: [{ step: 'reboot', action: 'RebootInstances' }, { step: 'mend' }],
  'stop-start': [
    { step: 'fence', action: 'StopInstances' },
    { step: 'restart', action: 'StartInstances' },
    { step: 'mend' },
  ],
  reattach: [
    { step: 'detach', action: 'DetachVolume' },
    { step: 'launch-1', action: 'RunInstances' },
    { step: 'seed-1' },
    { step: 'assemble-1' },
  ],
};

/** EC2's checks find a crashed guest after minutes of its time, and the leader reads them then. */
const IMPAIRED_WITHIN_MS = 60_000;

/** The steps that take the disks off are named by the disks. */
function momentFor(lab: Lab, member: MemberId, moment: Moment): Moment {
  if (moment.step !== 'detach') return moment;
  const { instanceId } = lab.incumbent(member);
  const root = lab.sim.core.region.volumes
    .all()
    .find(({ attachments }) => attachments.some((one) => one.instanceId === instanceId && one.device !== '/dev/sdf'));
  return { ...moment, step: stepId('detach', present(root).id) };
}

/**
 * A reboot is chosen where EC2 has found the guest at fault. The group is paused until it has, and
 * the member is dead by then.
 */
async function pausedUntilImpaired(lab: Lab, member: MemberId): Promise<void> {
  const { instanceId } = lab.incumbent(member);
  await asked(lab, 'pause', 'lab');
  lab.crash(instanceId);
  const { process } = lab.leaderSeat;
  await until(
    `a reboot of ${member} would be taken`,
    async () => {
      const reply = await process.json(`/v1/members/${member}/explain`);
      const view = reply === null ? null : ExplainViewSchema.parse(reply);
      return view?.rungs?.some(({ rung, said }) => rung === 'reboot' && said === 'taken') === true;
    },
    IMPAIRED_WITHIN_MS,
  );
}

async function struckIn(lab: Lab, rung: Rung, moment: Moment, signal: 'SIGKILL' | 'SIGSTOP'): Promise<Struck> {
  await withLadder(lab, rung);
  const member = memberOutside(lab, lab.leaderSeat.zone);
  if (rung !== 'reboot') return strikeLeader(lab, member, momentFor(lab, member, moment), signal);
  await pausedUntilImpaired(lab, member);
  return strikeLeader(lab, member, moment, signal, () => asked(lab, 'resume', 'lab'));
}

/**
 * A way that was tried on an instance is not tried again on it for half an hour. The next scenario
 * is another failure, so the history of this one goes.
 */
const forget = (lab: Lab, { member, opId }: Hit): Promise<unknown> =>
  lab.store.txn({ compare: [], writes: [{ kind: 'delete', key: KEYS.historyEntry(member, opId) }] });

/** It ended by this way, exactly once, and on the instance that this way leaves it with. */
async function endedBy(lab: Lab, struck: Hit, rung: Rung) {
  const history = await finished(lab, struck);
  const { member, old } = struck;
  assert.equal(history.strategy, rung);
  assert.equal(history.outcome, rung === 'reattach' ? 'replaced' : 'mended', history.reason);
  const now = lab.incumbent(member).instanceId;
  assert.equal(now === old.instanceId, rung !== 'reattach');
  assert.equal(lab.recorder.launchedFor(struck.opId).length, history.launchAttempts);
  await forget(lab, struck);
  return history;
}

const resultOf = (rung: Rung, { member }: Hit): Pick<ScenarioResult, 'victims' | 'replaced' | 'mended'> => ({
  victims: [member],
  ...(rung === 'reattach' ? { replaced: [member] } : { replaced: [], mended: [member] }),
});

async function killAt(lab: Lab, rung: Rung, moment: Moment): Promise<ScenarioResult> {
  const struck = await struckIn(lab, rung, moment, 'SIGKILL');
  const successor = await successorOf(lab, struck);
  const { leaderChanges } = await endedBy(lab, struck, rung);
  const evidence = `${struck.seat.id} ended by ${struck.process.endedBy} in the middle of ${moment.step}`;
  const outcome = `${successor.id} took over, ${struck.member} back by ${rung}, ${leaderChanges} change(s) of leader`;
  return { evidence, outcome, ...resultOf(rung, struck) };
}

async function stopAt(lab: Lab, rung: Rung, moment: Moment): Promise<ScenarioResult> {
  const struck = await struckIn(lab, rung, moment, 'SIGSTOP');
  const stoppedAtMs = performance.now();
  const pid = present(struck.process.pid);
  const successor = await successorTo(lab, lab.seat(struck.seat.id));
  await wait(3 * TTL_MS);
  assert.equal(stateLetterOf(pid), 'T', 'it was stopped all the time');
  const stoppedMs = performance.now() - stoppedAtMs;
  struck.process.signal('SIGCONT');
  await until('runs again', () => stateLetterOf(pid) !== 'T', 1_000);
  await endedBy(lab, struck, rung);
  const evidence = `${struck.seat.id} in state T for ${seconds(stoppedMs)} in the middle of ${moment.step}`;
  return {
    evidence,
    outcome: `${successor.id} led, ${struck.member} back by ${rung}; the old leader did no harm`,
    ...resultOf(rung, struck),
  };
}

/** Cuts the leader from etcd in the very moment that EC2 gets the call. */
function cutWhen(lab: Lab, instanceId: string, action: string): { readonly done: Promise<Partition> } {
  const cut = new Partition(portOf(coordinatorHost.name(lab.leaderSeat.zone), 'tcp', PORTS.etcdClient, 'there'));
  lab.undoLater(() => cut.heal());
  const done = new Promise<Partition>((resolve) => {
    const off = lab.sim.onEvent((event) => {
      if (event.kind !== 'call' || event.action !== action || !JSON.stringify(event.input).includes(instanceId)) return;
      off();
      cut.apply();
      resolve(cut);
    });
  });
  return { done };
}

async function cutAt(lab: Lab, rung: 'stop-start' | 'reattach', action: string): Promise<ScenarioResult> {
  await withLadder(lab, rung);
  const old = lab.leaderSeat;
  const member = memberOutside(lab, old.zone);
  const incumbent = lab.incumbent(member);
  const recovery = await nextRecovery(lab, member);
  const cutting = cutWhen(lab, incumbent.instanceId, action);
  lab.crash(incumbent.instanceId);
  const cut = await cutting.done;
  const successor = await successorTo(lab, old);
  const struck = { member, old: incumbent, opId: recovery.opId };
  await endedBy(lab, struck, rung);
  const { out = 0 } = cut.counters();
  assert.ok(out > 0, 'no packet to etcd was dropped');
  const evidence = `${old.id}, the leader, cut from etcd as EC2 got ${action}: ${out} packets dropped`;
  return { evidence, outcome: `${successor.id} led, ${member} back by ${rung}`, ...resultOf(rung, struck) };
}

const CUTS: readonly (readonly ['stop-start' | 'reattach', string])[] = [
  ['stop-start', 'StartInstances'],
  ['reattach', 'DetachVolume'],
];

export const LADDER: readonly Scenario[] = (Object.keys(MOMENTS) as Rung[]).flatMap((rung) => [
  ...MOMENTS[rung].map((moment) => ({
    name: `${rung}-leader-killed-at-${moment.step.replace(/-1$/, '')}`,
    fault: `SIGKILL to the leader in the middle of step ${moment.step} of ${rung}`,
    expected: `another finishes it: back by ${rung}`,
    run: (lab: Lab) => killAt(lab, rung, moment),
  })),
  ...MOMENTS[rung].slice(0, 2).map((moment) => ({
    name: `${rung}-leader-stopped-at-${moment.step.replace(/-1$/, '')}`,
    fault: `SIGSTOP to the leader in the middle of step ${moment.step} of ${rung}, SIGCONT after more than 3 × TTL`,
    expected: `another finishes it: back by ${rung}; the old one does no harm`,
    run: (lab: Lab) => stopAt(lab, rung, moment),
  })),
  ...CUTS.filter(([of]) => of === rung).map(([of, action]) => ({
    name: `${of}-leader-cut-from-etcd`,
    fault: `the leader cut from etcd in the moment EC2 gets ${action} of ${of}`,
    expected: `another finishes it: back by ${of}`,
    run: (lab: Lab) => cutAt(lab, of, action),
  })),
]);
