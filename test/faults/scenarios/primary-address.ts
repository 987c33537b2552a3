import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@understudy/shared/node';
import { finished, successorOf } from '../after-the-strike.ts';
import type { Lab } from '../lab/lab.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { present, strikeLeader } from '../strike.ts';
import { applied } from './group-policy.ts';
import { memberOutside } from './while.ts';

/** The primary private address of a member goes to its replacement. */

const BY_SNAPSHOTS = { strategy: 'snapshot-and-replace' } as const;
const SERVES_WITHIN_MS = 60_000;
const WRITTEN = 'by the predecessor';

/** Only while the scenario lasts. */
async function following(lab: Lab): Promise<void> {
  lab.undoLater(() => applied(lab, BY_SNAPSHOTS));
  await applied(lab, BY_SNAPSHOTS, { identity: { primaryAddress: 'follow' } });
  const { process } = lab.leaderSeat;
  await until('addresses follow', async () => {
    const reply = await process.json('/v1/policies');
    return JSON.stringify(reply).includes('"primaryAddress":"follow"');
  });
}

const markOf = (lab: Lab, instanceId: string): string => join(lab.machine(instanceId).rootDir, 'who-wrote');

/** What EC2 does from now on with the predecessor, and with instances that begin. */
function watched(lab: Lab, old: string): { readonly events: readonly string[]; readonly end: () => void } {
  const events: string[] = [];
  const end = lab.sim.onEvent((event) => {
    if (event.kind !== 'transition' || event.resourceKind !== 'instance') return;
    if (event.resourceId === old) events.push(event.to ?? 'gone');
    else if (event.from === null) events.push('launch');
  });
  lab.undoLater(() => end());
  return { events, end };
}

async function struckAtTheEnd(lab: Lab): Promise<ScenarioResult> {
  await following(lab);
  const member = memberOutside(lab, lab.leaderSeat.zone);
  const old = lab.incumbent(member).instanceId;
  const address = lab.privateIp(old);
  writeFileSync(markOf(lab, old), WRITTEN);
  const { events, end } = watched(lab, old);
  const struck = await strikeLeader(lab, member, { step: 'vacate', action: 'TerminateInstances' }, 'SIGKILL');
  const successor = await successorOf(lab, struck);
  const history = await finished(lab, struck);
  end();
  assert.equal(history.outcome, 'replaced', history.reason);
  const replacement = present(history.newInstanceId);
  assert.deepEqual(lab.recorder.launchedFor(struck.opId), [replacement], 'exactly one launch');
  const [stopped, ended, launched] = ['stopped', 'terminated', 'launch'].map((one) => events.indexOf(one));
  assert.ok(present(stopped) >= 0 && present(stopped) < present(ended), `not stopped first: ${events.join(' ')}`);
  assert.ok(present(ended) < present(launched), `launched beside its predecessor: ${events.join(' ')}`);
  assert.equal(lab.privateIp(replacement), address);
  await until('it serves', () => lab.recorder.serves(replacement), SERVES_WITHIN_MS);
  assert.equal(readFileSync(markOf(lab, replacement), 'utf8'), WRITTEN, 'what its predecessor wrote');
  return {
    evidence: `${struck.seat.id} ended by ${struck.process.endedBy} as EC2 got TerminateInstances of ${old}`,
    outcome: `${successor.id} took over; ${old} ended, then ${replacement} was launched, serves under ${address} with its data`,
    ...{ victims: [member], replaced: [member] },
  };
}

export const PRIMARY_ADDRESS: readonly Scenario[] = [
  {
    name: 'primary-address-leader-killed-at-vacate',
    fault: 'SIGKILL to the leader as EC2 gets the TerminateInstances of a member whose address follows',
    expected: 'another finishes it: the predecessor ends, then one launch under its address, with its data',
    run: struckAtTheEnd,
  },
];
