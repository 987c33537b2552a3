import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { type HistoryRecord, IntentRecordSchema, keyspace, type MemberId, parseRecord } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { TTL_MS } from '../lab/configuration.ts';
import type { Lab, Seat } from '../lab/lab.ts';
import { ask, carriedOut, pendingRequest, understudy } from '../operator.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { present, stateLetterOf } from '../strike.ts';
import { muteReplacement } from './mute-replacement.ts';
import { callEc2, crash, ended, holdOf, nextRecovery, type Recovery } from './one-recovery.ts';
import { memberOutside, seconds, successorTo } from './while.ts';

const KEYS = keyspace();
const BEGUN_WITHIN_MS = 40_000;
/**
 * A coordinator tries a held recovery again by itself (`loop.retryHeldEveryMs`, its default). A
 * sooner try was the operator's doing.
 */
const RETRIES_BY_ITSELF_MS = 30_000;

/** What operators did, as the history tells it: `abandon: abandoned`. */
const actsOf = ({ acts = [] }: HistoryRecord): string => acts.map(({ kind, text }) => `${kind}: ${text}`).join('; ');

async function intentOf(lab: Lab, member: MemberId) {
  const entry = await lab.store.get(KEYS.intent(member));
  return entry === null ? null : parseRecord(IntentRecordSchema, entry.key, entry.value);
}

const DENIED = 'snapshots denied';

async function retry(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab);
  const { instanceId } = lab.incumbent(member);
  lab.sim.addFault({
    ...{ id: DENIED, action: 'CreateSnapshots', match: { resourceId: instanceId }, times: 1_000 },
    ...{ kind: 'error', code: 'UnauthorizedOperation', httpStatus: 403 },
  });
  const recovery = await crash(lab, member);
  const reason = await until(`${member} held`, () => holdOf(lab, member), BEGUN_WITHIN_MS);
  const heldAtMs = performance.now();
  const denials = lab.sim.removeFault(DENIED);
  assert.ok(denials > 0, 'EC2 denied nothing');
  assert.equal(reason, 'CloudDenied');
  await ask(lab, member, 'retry');
  await until('captured', async () => stepState(lab, recovery, 'capture'), RETRIES_BY_ITSELF_MS);
  const againMs = performance.now() - heldAtMs;
  assert.ok(againMs < RETRIES_BY_ITSELF_MS, `after ${seconds(againMs)} it may have gone on by itself`);
  const history = await ended(lab, recovery);
  assert.equal(actsOf(history), 'retry: tried again at once, with all tries');
  assert.equal(history.outcome, 'replaced');
  const evidence = `EC2 denied ${denials} CreateSnapshots, held: ${reason}; retry by the command line`;
  return {
    evidence,
    outcome: `went on ${seconds(againMs)} after the hold, replaced`,
    victims: [member],
    replaced: [member],
  };
}

async function stepState(lab: Lab, { opId }: Recovery, step: string): Promise<string | null> {
  const entry = await lab.store.get(KEYS.journalStep(opId, step));
  return entry === null ? null : entry.value.includes('"state":"done"') ? 'done' : null;
}

/** A person puts another Elastic IP in the place of the one that is gone. */
async function giveAddress(lab: Lab, member: MemberId): Promise<void> {
  const { AllocationId: allocationId } = await callEc2(lab, 'AllocateAddress', { Domain: 'vpc' });
  assert.ok(typeof allocationId === 'string');
  const { instanceId } = lab.incumbent(member);
  // EC2 does not know a new address everywhere at once.
  await until('associated', async () => {
    const input = { AllocationId: allocationId, InstanceId: instanceId };
    return 'output' in (await lab.sim.call('AssociateAddress', input));
  });
  lab.addresses.set(member, allocationId);
}

async function acceptLoss(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab);
  const { allocationId, associationId } = lab.incumbent(member);
  const id = present(allocationId);
  const mute = muteReplacement(lab);
  const recovery = await crash(lab, member);
  await mute.struck(recovery.opId);
  await callEc2(lab, 'DisassociateAddress', { AssociationId: associationId });
  await callEc2(lab, 'ReleaseAddress', { AllocationId: id });
  assert.equal(lab.sim.core.region.addresses.get(id), undefined, 'EC2 still has the address');
  await ask(lab, member, 'accept-loss', `address:${id}`);
  await carriedOut(lab, member);
  assert.deepEqual((await intentOf(lab, member))?.acceptedLosses, [`address:${id}`]);
  mute.end();
  const history = await ended(lab, recovery);
  assert.equal(actsOf(history), `accept-loss: given up: address:${id}`);
  assert.equal(history.outcome, 'replaced');
  assert.ok(
    history.losses?.some(({ text }) => text.includes(id)),
    `the history tells no loss of ${id}`,
  );
  await giveAddress(lab, member);
  const evidence = `${id} released while the replacement was verified; given up by the command line`;
  return { evidence, outcome: 'replaced, the loss in its history', victims: [member], replaced: [member] };
}

/**
 * Recovers a member up to the point where its replacement runs and is not heard. `launched` is that
 * replacement.
 */
async function halfRecovered(lab: Lab, member: MemberId) {
  const mute = muteReplacement(lab);
  const recovery = await crash(lab, member);
  const dropped = await mute.struck(recovery.opId);
  const launched = present(lab.recorder.launchedFor(recovery.opId)[0]);
  return { recovery, mute, dropped, launched };
}

const stateOf = (lab: Lab, instanceId: string): string =>
  lab.sim.core.region.instances.get(instanceId)?.state ?? 'gone';

async function replan(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab);
  const { recovery, mute, dropped, launched } = await halfRecovered(lab, member);
  await ask(lab, member, 'replan');
  await carriedOut(lab, member);
  assert.equal((await intentOf(lab, member))?.planRevision, 2);
  mute.end();
  return replanned(
    lab,
    recovery,
    launched,
    `${launched} ran (${dropped} heartbeats dropped); replan by the command line`,
  );
}

/**
 * Checks for two launches, the first seen terminated before the second (I1), and one act in the
 * history.
 */
async function replanned(lab: Lab, recovery: Recovery, launched: string, evidence: string): Promise<ScenarioResult> {
  const { member, opId } = recovery;
  const history = await ended(lab, recovery);
  assert.equal(history.outcome, 'replaced');
  assert.match(actsOf(history), /^replan: plan 2: [^;]+$/);
  const launches = lab.recorder.launchedFor(opId);
  assert.equal(launches.length, 2);
  assert.equal(launches[0], launched);
  assert.equal(history.newInstanceId, launches[1]);
  const outcome = `${launched} ${stateOf(lab, launched)}, then ${launches[1]} by the new plan`;
  return { evidence, outcome, victims: [member], replaced: [member] };
}

/**
 * The member waits for a person, who lets it be recovered. That is another ordinal and another
 * recovery.
 */
async function recoverAgain(lab: Lab, first: Recovery): Promise<Recovery> {
  const { member } = first;
  await until(`${member} held as abandoned`, async () => (await holdOf(lab, member)) === 'Abandoned', BEGUN_WITHIN_MS);
  const told = await understudy(lab, 'explain', member);
  assert.match(told.out, new RegExp(`understudy recover ${member}`));
  const second = await nextRecovery(lab, member);
  assert.equal(second.oldInstanceId, first.oldInstanceId);
  assert.notEqual(second.opId, first.opId);
  await ask(lab, member, 'recover');
  assert.equal((await ended(lab, second)).outcome, 'replaced');
  return second;
}

const abandonedThenReplaced = (lab: Lab, first: Recovery, launched: string, second: Recovery) =>
  `${launched} ${stateOf(lab, launched)}, held as Abandoned; recovered as ${second.opId} after ${first.opId}`;

async function abandon(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab);
  const { recovery, mute, dropped, launched } = await halfRecovered(lab, member);
  await ask(lab, member, 'abandon');
  const history = await ended(lab, recovery);
  assert.equal(history.outcome, 'abandoned');
  assert.equal(actsOf(history), 'abandon: abandoned');
  mute.end();
  const second = await recoverAgain(lab, recovery);
  const evidence = `${launched} ran (${dropped} heartbeats dropped); abandon by the command line`;
  const outcome = abandonedThenReplaced(lab, recovery, launched, second);
  return { evidence, outcome, victims: [member], replaced: [member], abandoned: [member] };
}

/**
 * Signals the leader in the moment EC2 gets its call to end the open attempt, which is the middle
 * of carrying out the request.
 */
function strikeWhenEnding(lab: Lab, launched: string, signal: NodeJS.Signals): Promise<Seat> {
  return new Promise((resolve) => {
    const off = lab.sim.onEvent((event) => {
      if (event.kind !== 'call' || event.action !== 'TerminateInstances') return;
      if (!JSON.stringify(event.input).includes(launched)) return;
      off();
      const seat = lab.leaderSeat;
      seat.process.signal(signal);
      resolve(seat);
    });
    lab.undoLater(off);
  });
}

async function abandonKilled(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab, lab.leaderSeat.zone);
  const { recovery, mute, launched } = await halfRecovered(lab, member);
  const struck = strikeWhenEnding(lab, launched, 'SIGKILL');
  await ask(lab, member, 'abandon');
  const seat = await struck;
  await seat.process.exited;
  assert.equal(seat.process.endedBy, 'SIGKILL');
  const pending = await pendingRequest(lab, member);
  assert.equal(pending?.kind, 'abandon', 'it was carried out already');
  const successor = await successorTo(lab, seat);
  const history = await ended(lab, recovery);
  assert.equal(history.outcome, 'abandoned');
  assert.equal(actsOf(history), 'abandon: abandoned');
  mute.end();
  const second = await recoverAgain(lab, recovery);
  const evidence = `${seat.id} killed as it ended ${launched}, with abandon written down and not carried out`;
  const outcome = `${successor.id} carried it out; ${abandonedThenReplaced(lab, recovery, launched, second)}`;
  return { evidence, outcome, victims: [member], replaced: [member], abandoned: [member] };
}

/** The lab keeps no old instance, so an undo is refused, and nothing is done. */
async function undo(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab);
  const first = await crash(lab, member);
  const { outcome, newInstanceId } = await ended(lab, first);
  assert.equal(outcome, 'replaced');
  const args = ['--accept-loss', '1h', '--yes', '--reason', 'the lab asks to undo', '--by', 'lab'];
  const said = await understudy(lab, 'undo', member, ...args);
  assert.notEqual(said.code, 0);
  assert.match(`${said.out}${said.errors}`, /REQUEST_REFUSED: (?:NotRetained|AboutToBeCollected): /);
  assert.equal(await pendingRequest(lab, member), null);
  assert.equal((await nextRecovery(lab, member)).oldInstanceId, newInstanceId);
  const evidence = `${first.oldInstanceId} was not kept; refused by the command line, with the reason`;
  return { evidence, outcome: `${newInstanceId} serves on`, victims: [member], replaced: [member] };
}

const STOPPED_MS = 3 * TTL_MS;

async function replanStopped(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab, lab.leaderSeat.zone);
  const { recovery, mute, launched } = await halfRecovered(lab, member);
  const struck = strikeWhenEnding(lab, launched, 'SIGSTOP');
  await ask(lab, member, 'replan');
  const seat = await struck;
  const pid = present(seat.process.pid);
  await until('stopped', () => stateLetterOf(pid) === 'T', 1_000);
  assert.equal((await pendingRequest(lab, member))?.kind, 'replan', 'it was carried out already');
  const successor = await successorTo(lab, seat);
  await wait(STOPPED_MS);
  assert.equal(stateLetterOf(pid), 'T', 'it was stopped all the time');
  mute.end();
  seat.process.signal('SIGCONT');
  await until('runs again', () => stateLetterOf(pid) !== 'T', 1_000);
  const evidence = `${seat.id} in state T for more than ${seconds(STOPPED_MS)} (TTL ${seconds(TTL_MS)}) as it ended ${launched} for a replan; ${successor.id} led`;
  return replanned(lab, recovery, launched, evidence);
}

export const OPERATOR_COMMANDS: readonly Scenario[] = [
  {
    name: 'operator-retry',
    fault: 'EC2 denies the snapshots; allowed again, and `retry` asked for',
    expected: 'held, then tried at once and replaced',
    run: retry,
  },
  {
    name: 'operator-accept-loss',
    fault: 'the Elastic IP released during the recovery, and `accept-loss` asked for',
    expected: 'replaced, the loss in its history',
    run: acceptLoss,
  },
  {
    name: 'operator-replan',
    fault: 'no heartbeat of the replacement arrives, and `replan` asked for',
    expected: 'the replacement terminated, another by a new plan',
    run: replan,
  },
  {
    name: 'operator-abandon-recover',
    fault: 'no heartbeat of the replacement arrives; `abandon` asked for, then `recover`',
    expected: 'held as abandoned, then replaced under the next ordinal',
    run: abandon,
  },
  {
    name: 'operator-undo',
    fault: 'a member replaced, and `undo` asked for although its old instance is not kept',
    expected: 'refused with the reason; the replacement serves on',
    run: undo,
  },
  {
    name: 'operator-abandon-leader-killed',
    fault: 'SIGKILL to the leader as it carries out `abandon`',
    expected: 'another carries it out, once; `recover` replaces',
    run: abandonKilled,
  },
  {
    name: 'operator-replan-leader-stopped',
    fault: 'SIGSTOP to the leader as it carries out `replan`, SIGCONT after more than 3 × TTL',
    expected: 'another carries it out, once; the old one does no harm',
    run: replanStopped,
  },
];
