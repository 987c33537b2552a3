import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HistoryRecord, type MemberId, UndoPreviewViewSchema } from '@understudy/shared';
import { until } from '@understudy/shared/node';
import { successorOf } from '../after-the-strike.ts';
import { MEMBERS } from '../lab/configuration.ts';
import type { Lab } from '../lab/lab.ts';
import type { Zone } from '../lab/network.ts';
import { ask, pendingRequest, understudy } from '../operator.ts';
import type { Scenario, ScenarioResult } from '../scenario.ts';
import { type Moment, present, strikeLeader } from '../strike.ts';
import { applied, withLadder } from './group-policy.ts';
import { mute } from './mute.ts';
import { crash, ended, nextRecovery } from './one-recovery.ts';
import { memberOutside, zoneNow } from './while.ts';

/** Longer than the 15 minutes before its end in which nobody relies on a kept instance. */
const KEPT_MS = 3_600_000;
const ACCEPTED = '20m';
/** Without it the applied policy would get the default ladder, and a crash would be mended. */
const BY_SNAPSHOTS = { strategy: 'snapshot-and-replace' } as const;
const HEARD_WITHIN_MS = 60_000;

/** A member that was replaced, and whose old instance is kept: stopped, with its disks. */
interface Kept {
  readonly member: MemberId;
  readonly old: string;
  readonly present: string;
  /** The boot in which the old one failed, by the kernel's boot id that its agent saw. */
  readonly bootId: string;
}

const stateOf = (lab: Lab, instanceId: string): string =>
  lab.sim.core.region.instances.get(instanceId)?.state ?? 'gone';

/** What the machine's root disk says of who has written there. */
const markOf = (lab: Lab, instanceId: string): string => join(lab.machine(instanceId).rootDir, 'who-wrote');
const bootIdOf = (lab: Lab, instanceId: string): string =>
  readFileSync(join(lab.folder.path, 'boots', instanceId), 'utf8').trim();

/** Old instances are kept while the scenario lasts; as elsewhere they go at once afterwards. */
async function keeping(lab: Lab): Promise<void> {
  lab.undoLater(() => applied(lab, { ...BY_SNAPSHOTS, retainForMs: 0 }));
  await applied(lab, { ...BY_SNAPSHOTS, retainForMs: KEPT_MS });
  const { process } = lab.leaderSeat;
  await until('old instances are kept', async () => {
    const reply = await process.json('/v1/policies');
    return JSON.stringify(reply).includes(`"retainForMs":${KEPT_MS}`);
  });
}

async function replacedOf(lab: Lab, member: MemberId): Promise<Kept> {
  await keeping(lab);
  const old = lab.incumbent(member).instanceId;
  writeFileSync(markOf(lab, old), 'the old one');
  const bootId = bootIdOf(lab, old);
  const { pid } = lab.machine(old);
  const { outcome, newInstanceId } = await ended(lab, await crash(lab, member));
  assert.equal(outcome, 'replaced');
  const successor = present(newInstanceId);
  assert.equal(stateOf(lab, old), 'stopped', `${old} is kept`);
  assert.ok(pid !== null && !existsSync(`/proc/${pid}`), 'its agent is gone');
  await until('the successor serves', () => lab.recorder.serves(successor), HEARD_WITHIN_MS);
  writeFileSync(markOf(lab, successor), 'its successor');
  return { member, old, present: successor, bootId };
}

/**
 * A member outside these zones with whose instance no undo has to do: calls of an undo about it may
 * land for 15 minutes, and another is refused for as long (S30).
 */
function memberAtEase(lab: Lab, ...zones: readonly Zone[]): MemberId {
  const outcomes = new Map([...lab.recorder.recoveries.values()].map((one) => [one.member, one.outcome]));
  const isAtEase = (member: MemberId) => (outcomes.get(member) ?? 'replaced') === 'replaced';
  const found = MEMBERS.find(
    ({ member }) => isAtEase(member) && !zones.some((zone) => zoneNow(lab, member).endsWith(zone)),
  );
  assert.ok(found, 'a member with which no undo has to do');
  return found.member;
}

const askUndo = (lab: Lab, member: MemberId): Promise<void> => ask(lab, member, 'undo', '--accept-loss', ACCEPTED);

/** The old one serves again: another boot, its own disks as they were, and nobody beside it. */
async function servesAgain(lab: Lab, kept: Kept, history: HistoryRecord): Promise<string> {
  const { member, old, bootId } = kept;
  assert.equal(history.outcome, 'undone', history.reason);
  assert.deepEqual([history.oldInstanceId, history.newInstanceId], [kept.present, old]);
  assert.equal(lab.incumbent(member).instanceId, old);
  await until('it serves', () => lab.recorder.serves(old), HEARD_WITHIN_MS);
  assert.equal(lab.recorder.serves(kept.present), false);
  assert.deepEqual([stateOf(lab, old), stateOf(lab, kept.present)], ['running', 'stopped']);
  assert.notEqual(bootIdOf(lab, old), bootId, 'it booted again');
  assert.equal(readFileSync(markOf(lab, old), 'utf8'), 'the old one');
  assert.equal(lab.recorder.launchedFor(history.opId).length, 0, 'an undo launches nothing');
  return `${old} serves again from its own disks, in another boot; ${kept.present} is stopped and kept`;
}

const undone = ({ member }: Kept): Pick<ScenarioResult, 'victims' | 'replaced' | 'undone'> => ({
  ...{ victims: [member], replaced: [member], undone: [member] },
});

async function undo(lab: Lab): Promise<ScenarioResult> {
  const kept = await replacedOf(lab, memberAtEase(lab));
  const recovery = await nextRecovery(lab, kept.member);
  const looked = await understudy(lab, 'undo', kept.member, '--dry-run', '--accept-loss', ACCEPTED, '--json');
  const view = UndoPreviewViewSchema.parse(JSON.parse(looked.out));
  assert.deepEqual([looked.code, view.wouldBegin, view.opId], [0, true, recovery.opId], view.text);
  assert.equal(await pendingRequest(lab, kept.member), null, 'a look asks for nothing');
  await askUndo(lab, kept.member);
  const outcome = await servesAgain(lab, kept, await ended(lab, recovery));
  const evidence = `${kept.old} was stopped and its agent gone; the undo by the command line, after --dry-run`;
  return { evidence, outcome, ...undone(kept) };
}

async function undoStruck(lab: Lab, moment: Moment): Promise<ScenarioResult> {
  const kept = await replacedOf(lab, memberAtEase(lab, lab.leaderSeat.zone));
  const recovery = await nextRecovery(lab, kept.member);
  const struck = await strikeLeader(lab, kept.member, moment, 'SIGKILL', () => askUndo(lab, kept.member));
  const successor = await successorOf(lab, struck);
  const outcome = await servesAgain(lab, kept, await ended(lab, recovery));
  const evidence = `${struck.seat.id} ended by ${struck.process.endedBy} in the middle of ${moment.step}`;
  return { evidence, outcome: `${successor.id} took over; ${outcome}`, ...undone(kept) };
}

/** It did not come about: the instance in charge is back, and the old one is stopped again. */
async function servesOn(lab: Lab, kept: Kept, history: HistoryRecord): Promise<string> {
  assert.equal(history.outcome, 'mended', history.reason);
  assert.equal(lab.incumbent(kept.member).instanceId, kept.present);
  await until('it serves', () => lab.recorder.serves(kept.present), HEARD_WITHIN_MS);
  assert.deepEqual([stateOf(lab, kept.old), stateOf(lab, kept.present)], ['stopped', 'running']);
  assert.equal(readFileSync(markOf(lab, kept.present), 'utf8'), 'its successor');
  return `${kept.old} is stopped again, ${kept.present} serves with all it has written`;
}

const calledOff = ({ member }: Kept): Pick<ScenarioResult, 'victims' | 'replaced' | 'mended'> => ({
  ...{ victims: [member], replaced: [member], mended: [member] },
});

async function unheard(lab: Lab): Promise<ScenarioResult> {
  const kept = await replacedOf(lab, memberAtEase(lab));
  const recovery = await nextRecovery(lab, kept.member);
  const cut = mute(lab, kept.old);
  cut.apply();
  await askUndo(lab, kept.member);
  await until(`${kept.old} speaks in vain`, () => cut.dropped() > 0, HEARD_WITHIN_MS);
  const history = await ended(lab, recovery);
  const evidence = `${kept.old} booted and was not heard: ${cut.dropped()} datagrams dropped`;
  return { evidence, outcome: await servesOn(lab, kept, history), ...calledOff(kept) };
}

const NO_ROOM = 'no room for the old one';

async function noRoom(lab: Lab): Promise<ScenarioResult> {
  const kept = await replacedOf(lab, memberAtEase(lab));
  const recovery = await nextRecovery(lab, kept.member);
  lab.sim.addFault({
    ...{ id: NO_ROOM, action: 'StartInstances', match: { resourceId: kept.old }, times: 1_000, kind: 'error' },
    ...{ code: 'InsufficientInstanceCapacity', httpStatus: 500 },
  });
  await askUndo(lab, kept.member);
  const history = await ended(lab, recovery);
  const refusals = lab.sim.removeFault(NO_ROOM);
  assert.ok(refusals > 0, 'EC2 refused nothing');
  const evidence = `EC2 refused ${refusals} StartInstances of ${kept.old}`;
  return { evidence, outcome: await servesOn(lab, kept, history), ...calledOff(kept) };
}

async function disksMoved(lab: Lab): Promise<ScenarioResult> {
  const member = memberOutside(lab);
  await withLadder(lab, 'reattach');
  const first = await ended(lab, await crash(lab, member));
  assert.deepEqual([first.outcome, first.strategy], ['replaced', 'reattach'], first.reason);
  const looked = await understudy(lab, 'undo', member, '--dry-run', '--accept-loss', ACCEPTED);
  assert.equal(looked.code, 1);
  assert.match(looked.out, /would be refused: DisksMoved: /);
  const said = await understudy(
    ...([lab, 'undo', member, '--accept-loss', ACCEPTED, '--yes', '--reason', 'the lab asks', '--by', 'lab'] as const),
  );
  assert.notEqual(said.code, 0);
  assert.match(`${said.out}${said.errors}`, /DisksMoved: /);
  assert.equal(await pendingRequest(lab, member), null);
  assert.equal(lab.incumbent(member).instanceId, first.newInstanceId);
  const moved = first.undo?.movedVolumeIds.length ?? 0;
  assert.ok(moved > 0, 'no disk has moved');
  const evidence = `${moved} disks moved to ${first.newInstanceId}; refused by the command line, with the reason`;
  return { evidence, outcome: `${first.newInstanceId} serves on`, victims: [member], replaced: [member] };
}

const MOMENTS: readonly Moment[] = [
  { step: 'fence', action: 'StopInstances' },
  { step: 'bringback' },
  { step: 'verify-1' },
];

export const UNDO: readonly Scenario[] = [
  {
    name: 'undo-serves-again',
    fault: 'a member replaced, its old instance kept, and `undo` asked for',
    expected: 'the old one serves again from its own disks; one serves at a time',
    run: undo,
  },
  ...MOMENTS.map((moment) => ({
    name: `undo-leader-killed-at-${moment.step.replace(/-1$/, '')}`,
    fault: `SIGKILL to the leader in the middle of step ${moment.step} of an undo`,
    expected: 'another finishes it: the old one serves again',
    run: (lab: Lab) => undoStruck(lab, moment),
  })),
  {
    name: 'undo-unheard',
    fault: 'no coordinator hears the old instance that an undo has started',
    expected: 'called off: it is stopped again, its successor serves on',
    run: unheard,
  },
  {
    name: 'undo-no-room',
    fault: 'EC2 has no room to start the old instance',
    expected: 'called off: its successor serves on',
    run: noRoom,
  },
  {
    name: 'undo-disks-moved',
    fault: 'a member recovered by reattach, and `undo` asked for',
    expected: 'refused with the reason; the successor serves on',
    run: disksMoved,
  },
];
