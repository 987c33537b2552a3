import assert from 'node:assert/strict';
import {
  keyspace,
  type MemberId,
  parseRecord,
  type PreparationRecord,
  PreparationRecordSchema,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { finished, successorOf } from '../after-the-strike.ts';
import { LAB_POLICY } from '../lab/configuration.ts';
import type { Lab } from '../lab/lab.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { type Moment, strikeLeader, type Struck } from '../strike.ts';
import { applied } from './group-policy.ts';
import { mute } from './mute.ts';
import { nextRecovery } from './one-recovery.ts';
import { memberOutside } from './while.ts';

/** The leader dies while EC2 has the launch of a seed for a member that is only suspect. */

const KEYS = keyspace();
/** Longer than it takes to elect another leader, who suspects the member anew. */
const SUSPECT_FOR_MS = 20_000;
const PREPARE = { makes: ['seed'], atOnce: 1, perDay: 10, keptForMs: 600_000 };
const LAUNCHED: Moment = { step: 'launch-1', action: 'RunInstances', executed: true };
const ENDED_WITHIN_MS = 120_000;

async function withSeeds(lab: Lab): Promise<void> {
  lab.undoLater(() => applied(lab, { strategy: 'snapshot-and-replace' }));
  const detect = { ...LAB_POLICY.detect, confirmForMs: SUSPECT_FOR_MS };
  await applied(lab, { strategy: 'reattach', prepare: PREPARE }, { detect });
  const { process } = lab.leaderSeat;
  await until('seeds are made', async () =>
    JSON.stringify(await process.json('/v1/policies')).includes('"makes":["seed"]'),
  );
}

async function preparationOf(lab: Lab, opId: string): Promise<PreparationRecord | null> {
  const key = KEYS.preparation(opId);
  const entry = await lab.store.get(key);
  return entry === null ? null : parseRecord(PreparationRecordSchema, key, entry.value);
}

/** No recovery was begun when it was struck, and the preparation was open. */
async function struckWhileSuspect(lab: Lab, member: MemberId, fail?: (instanceId: string) => void): Promise<Struck> {
  const struck = await strikeLeader(lab, member, LAUNCHED, 'SIGKILL', fail);
  assert.equal(await lab.store.get(KEYS.intent(member)), null, 'a recovery was begun already');
  const record = await preparationOf(lab, struck.opId);
  assert.ok(record !== null && record.dropped === undefined, 'no open preparation');
  return struck;
}

const evidenceOf = ({ seat, process, opId }: Struck): string =>
  `${seat.id} ended by ${process.endedBy} as EC2 had RunInstances of the preparation ${opId}, no intent in etcd`;

async function thenDead(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab, lab.leaderSeat.zone);
  await withSeeds(lab);
  const struck = await struckWhileSuspect(lab, member);
  const successor = await successorOf(lab, struck);
  const history = await finished(lab, struck);
  assert.deepEqual([history.outcome, history.strategy], ['replaced', 'reattach'], history.reason);
  assert.deepEqual(history.prepared?.makes, ['seed']);
  assert.deepEqual(lab.recorder.launchedFor(struck.opId), [history.newInstanceId], 'one launch, the seed');
  assert.equal(await preparationOf(lab, struck.opId), null);
  const outcome = `${successor.id} took over; the seed of then, ${history.newInstanceId ?? ''}, became ${member}`;
  return { evidence: evidenceOf(struck), outcome, victims: [member], replaced: [member] };
}

async function thenHeard(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab, lab.leaderSeat.zone);
  await withSeeds(lab);
  const cut = mute(lab, lab.incumbent(member).instanceId);
  const struck = await struckWhileSuspect(lab, member, () => cut.apply());
  const unheard = cut.dropped();
  assert.ok(unheard > 0, 'no heartbeat was dropped');
  cut.heal();
  const successor = await successorOf(lab, struck);
  const stateOf = (instanceId: string) => lab.sim.core.region.instances.get(instanceId)?.state;
  const isEnded = () => {
    const launched = lab.recorder.launchedFor(struck.opId);
    return launched.length > 0 && launched.every((one) => stateOf(one) === 'terminated');
  };
  await until('the seed is terminated', isEnded, ENDED_WITHIN_MS);
  const record = await preparationOf(lab, struck.opId);
  assert.notEqual(record?.dropped, undefined, 'it was dropped');
  assert.equal(lab.recorder.launchedFor(struck.opId).length, 1);
  assert.equal(lab.incumbent(member).instanceId, struck.old.instanceId);
  assert.notEqual((await nextRecovery(lab, member)).opId, struck.opId, 'the ordinal is raised');
  assert.equal(lab.recorder.serves(struck.old.instanceId), true);
  const evidence = `${evidenceOf(struck)}; ${unheard} datagrams of the member dropped`;
  const outcome = `${successor.id} took over, dropped it, and terminated the seed; ${member} serves on`;
  return { evidence, outcome, victims: [], replaced: [] };
}

export const PREPARED: readonly Scenario[] = [
  {
    name: 'prepared-leader-killed-then-dead',
    fault: 'SIGKILL to the leader as EC2 gets RunInstances of a seed for a suspect, who is dead',
    expected: 'the successor takes the seed over: one launch, and it becomes the member',
    run: thenDead,
  },
  {
    name: 'prepared-leader-killed-then-heard',
    fault: 'SIGKILL to the leader as EC2 gets RunInstances of a seed for a suspect, who is heard again',
    expected: 'the successor drops it: the seed is terminated, nobody is recovered',
    run: thenHeard,
  },
];
