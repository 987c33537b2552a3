import assert from 'node:assert/strict';
import {
  ExplainViewSchema,
  HistoryRecordSchema,
  keyspace,
  type MemberId,
  opIdOf,
  parseRecord,
} from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { Partition } from '../faults/partition.ts';
import { LEASED, PORTS } from '../lab/configuration.ts';
import type { Lab } from '../lab/lab.ts';
import type { Scenario } from '../scenario.ts';
import { begun, seconds } from './while.ts';

const KEYS = keyspace();
const COUNTED_WITHIN_MS = 60_000;
const REPLACED_WITHIN_MS = 90_000;
const REFUSED = 'stop refused';

/** What a leader says of the member's serve lease. */
async function leaseText(lab: Lab, member: MemberId): Promise<string> {
  const reply = await lab.leaderSeat.process.json(`/v1/members/${member}/explain`);
  const view = reply === null ? null : ExplainViewSchema.parse(reply);
  return view?.evidence.find((one) => one.source === 'serve lease')?.text ?? '';
}

function refuseToStop(lab: Lab, instanceId: string): void {
  lab.sim.addFault({
    id: REFUSED,
    action: 'StopInstances',
    match: { resourceId: instanceId },
    times: 1_000,
    kind: 'error',
    code: 'InternalError',
    httpStatus: 500,
  });
  lab.undoLater(() => void lab.sim.removeFault(REFUSED));
}

function cutOff(lab: Lab, instanceId: string): Partition {
  const cut = new Partition([
    { namespace: instanceId, chain: 'output', match: `udp dport ${PORTS.heartbeat}`, verdict: 'drop', name: 'out' },
    { namespace: instanceId, chain: 'input', match: `udp sport ${PORTS.heartbeat}`, verdict: 'drop', name: 'in' },
  ]);
  lab.undoLater(() => cut.heal());
  cut.apply();
  return cut;
}

/** When the old instance served last, and the new one first, in seconds of uptime. */
function handOver(lab: Lab, member: MemberId, oldId: string, newId: string) {
  const own = lab.recorder.serving().filter((one) => one.member === member.replace('/', '-'));
  const lastS = Math.max(...own.filter((one) => one.instanceId === oldId).map((one) => one.toS));
  const firstS = Math.min(...own.filter((one) => one.instanceId === newId).map((one) => one.fromS));
  return { lastS, firstS };
}

async function waitOutLease(lab: Lab) {
  const member = LEASED;
  const { instanceId, incarnation } = lab.incumbent(member);
  await until('its lease counts', async () => (await leaseText(lab, member)).startsWith('counts'), COUNTED_WITHIN_MS);
  refuseToStop(lab, instanceId);
  const cut = cutOff(lab, instanceId);
  const cutAtMs = performance.now();
  await begun(lab, [member]);
  await until('replaced', () => lab.incumbent(member).incarnation > incarnation, REPLACED_WITHIN_MS);
  const tookMs = performance.now() - cutAtMs;
  const key = KEYS.historyEntry(member, opIdOf(instanceId));
  const entry = await until('its history', () => lab.store.get(key), REPLACED_WITHIN_MS);
  assert.equal(parseRecord(HistoryRecordSchema, entry.key, entry.value).fencedBy, 'lease');
  assert.equal(lab.sim.core.region.instances.get(instanceId)?.state, 'running', 'nobody has stopped the old instance');
  const successor = lab.incumbent(member).instanceId;
  await until('the new one serves', () => lab.recorder.serves(successor), REPLACED_WITHIN_MS);
  const { lastS, firstS } = handOver(lab, member, instanceId, successor);
  assert.ok(lastS < firstS, `the old one served until ${lastS}, the new one from ${firstS} on`);
  const refusals = lab.sim.fired(REFUSED);
  assert.ok(refusals > 0, 'EC2 was asked to stop it');
  // An operator does this once EC2 obeys again. Until then the old instance is a visible conflict.
  lab.undoLater(() => void lab.sim.takeDown(instanceId, 'Client.UserInitiatedShutdown', 'stop'));
  const dropped = Object.values(cut.counters()).reduce((sum, count) => sum + count, 0);
  const evidence = `${dropped} datagrams of ${instanceId} dropped, ${refusals} Stops refused; it still runs`;
  const gap = seconds((firstS - lastS) * 1_000);
  const outcome = `lease waited out, ${member} replaced in ${seconds(tookMs)}; the old one had not served for ${gap}`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

export const UNSTOPPABLE: readonly Scenario[] = [
  {
    name: 'unstoppable-waits-out-lease',
    fault: 'an instance with a serve lease is cut off, and EC2 refuses every Stop of it',
    expected: 'it stops serving by itself; replaced after that, while it still runs',
    run: waitOutLease,
  },
];
