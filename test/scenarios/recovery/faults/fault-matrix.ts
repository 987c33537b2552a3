import type { CallEvent, SeededInstance } from '@understudy/cloud-sim';
import { REGISTERED, type Strategy } from '@understudy/recovery/testing';
import type { HistoryRecord, RecoveryPlan } from '@understudy/shared';
import { expect } from 'vitest';
import { checkAllTagged, checkCollected, checkFinished, checkSafety } from '../checks.ts';
import { KEYS, type Leader, MEMBER, RecoveryFixture } from '../recovery-fixture.ts';
import {
  beginUndo,
  checkNeverTwo,
  checkNotUndone,
  checkUndone,
  replacedMember,
  undoneRecord,
  type UndoScene,
} from '../undo-scene.ts';
import type { FaultCase } from './fault-cases.ts';
import type { PreparedStage } from '../prepared-scene.ts';
import { type FaultSubject, onlyBy } from './fault-subjects.ts';
import { checkDropped, leadPreparation, stagePrepared } from './prepared-case.ts';

interface Staged {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  /** An undo is what is struck. Absent: a recovery of a member that has failed. */
  readonly undo?: UndoScene;
  /** It is only suspect, and something is about to be made for it. */
  readonly prepared?: PreparedStage;
}

async function stageUndo({ options, prepare }: FaultSubject): Promise<Staged> {
  const staged = await replacedMember(options, prepare);
  await beginUndo(staged);
  return { scene: staged.scene, old: staged.old, undo: staged };
}

async function stageWith(subject: FaultSubject, strategy: Strategy | null): Promise<Staged> {
  const options = { remembers: true, ...(strategy ? onlyBy(strategy, subject.options) : subject.options) };
  const scene = new RecoveryFixture(options);
  const old = scene.seedMember(undefined, options);
  await subject.prepare(scene, old);
  await scene.clock.advance(60_000);
  scene.hear(old.instanceId);
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  return { scene, old };
}

export const pathsOf = (plan: RecoveryPlan): readonly string[] => plan.volumes.map((one) => one.path ?? 'snapshot');

/**
 * The member has failed, and its recovery is planned: by the strategy of the subject, or by the
 * first that gives its disks the path of the subject.
 */
export async function staged(subject: FaultSubject): Promise<Staged> {
  const { path } = subject;
  if (subject.undoes === true) return stageUndo(subject);
  if (subject.prepares) {
    const prepared = await stagePrepared(subject);
    return { scene: prepared.scene, old: prepared.old, prepared };
  }
  if (path === undefined) return stageWith(subject, null);
  const faults: string[] = [];
  for (const strategy of [null, ...REGISTERED.strategies]) {
    try {
      const found = await stageWith(subject, strategy);
      if (pathsOf(found.scene.intent().record.plan).includes(path)) return found;
    } catch (error) {
      faults.push(String(error));
    }
  }
  throw new Error(`no strategy takes the path ${path}: ${faults.join('; ')}`);
}

const isOpen = (scene: RecoveryFixture): boolean => scene.kv.entries(KEYS.intent(MEMBER)).length > 0;

const ROUNDS_MAX = 30;
/** Rounds after which nothing is wrong any more, and a person has looked at what is held. */
const HEALED_AFTER = 6;

/**
 * Leads until it is over. **S** While it is not, either it goes on by itself or its hold is there
 * for everybody to see, with its reason in words. Returns how often it was held.
 */
async function lead(scene: RecoveryFixture, leader: Leader): Promise<number> {
  let held = 0;
  for (let round = 0; round < ROUNDS_MAX && isOpen(scene); round += 1) {
    const outcome = await scene.run(leader, scene.intent());
    if (outcome === 'held') {
      held += 1;
      expect(scene.hold()?.text, 'a hold says why').toMatch(/\S/);
    }
    if (round === HEALED_AFTER) heal(scene);
    if (isOpen(scene)) await scene.clock.advance(30_000);
  }
  expect(isOpen(scene), `still open: ${JSON.stringify(scene.hold())}`).toBe(false);
  return held;
}

/** The cloud is well again from here, and an operator clears the hold. What is on its way lands. */
function heal(scene: RecoveryFixture): void {
  for (const { id } of scene.sim.faults()) struck.set(scene, (struck.get(scene) ?? 0) + scene.sim.removeFault(id));
  scene.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.hold(MEMBER) }] });
}

const struck = new WeakMap<RecoveryFixture, number>();

const strokesOf = (scene: RecoveryFixture): number => (struck.get(scene) ?? 0) + scene.sim.fired('ill');

/** Longer than the latest landing. */
const AFTERMATH_MS = 1_200_000;

/**
 * A recovery on the member's own instance: nothing was launched or made, and it is still its own.
 */
function checkInPlace(scene: RecoveryFixture, old: SeededInstance, { outcome, lateCalls }: HistoryRecord): void {
  expect(scene.launchedFor(old.instanceId), 'launched by a recovery in place').toEqual([]);
  expect(scene.activation()).toMatchObject({ instanceId: old.instanceId, incarnation: 1, ordinal: 1 });
  expect([scene.kv.entries(KEYS.intent(MEMBER)), scene.hold()]).toEqual([[], null]);
  for (const kind of scene.resources()) for (const one of kind) expect(scene.seededIds).toContain(one.id);
  for (const [device, id] of Object.entries(old.volumeIds)) {
    const at = scene.sim.core.region.volumes.get(id)?.attachments.map((one) => [one.instanceId, one.device]);
    expect(at, 'a disk of the instance').toEqual([[old.instanceId, device]]);
  }
  if (outcome !== 'mended') return;
  // A stop of ours that landed afterwards is told in the history, so that it counts as a failure.
  const ups = lateCalls?.includes('stop') ? ['running', 'stopped'] : ['running'];
  expect(ups, 'the mended instance').toContain(scene.stateOf(old.instanceId));
}

/** Given back, not launched: the disks are on the old instance again, for the next rung. */
const isInPlace = ({ outcome }: HistoryRecord): boolean => outcome === 'mended' || outcome === 'not-mended';

/** Put back, with nothing left over; or called off, with everything as it was. */
function checkUndoEnd(undo: UndoScene): string {
  const outcome = undoneRecord(undo.scene)?.outcome ?? '';
  expect(['undone', 'mended', 'not-mended']).toContain(outcome);
  if (outcome === 'undone') checkUndone(undo);
  else checkNotUndone(undo, outcome === 'mended' ? 'mended' : 'not-mended');
  return outcome;
}

async function checkEnd({ scene, old, undo }: Staged, leader: Leader): Promise<string> {
  if (undo) return checkUndoEnd(undo);
  const history = scene.history();
  expect(history, 'closed once').toHaveLength(1);
  const [closed] = history;
  if (!closed) return '';
  if (isInPlace(closed)) checkInPlace(scene, old, closed);
  else {
    const newInstanceId = checkFinished(scene, old, { launches: 'any' });
    await checkCollected(scene, old, leader, newInstanceId);
  }
  checkAllTagged(scene);
  return closed.outcome;
}

interface Led {
  readonly held: number;
  /** How it ended, once what is on its way has landed. @throws where something does not hold */
  readonly check: () => Promise<string>;
}

/** The preparation, where the subject has one, and the recovery, where one begins. */
async function leadStaged(stage: Staged, subject: FaultSubject, leader: Leader): Promise<Led> {
  const { scene, prepared } = stage;
  const mend = (): void => heal(scene);
  if (prepared && !(await leadPreparation(prepared, subject, leader, mend)))
    return { held: 0, check: () => checkDropped(prepared, leader, mend).then(() => 'dropped') };
  const held = await lead(scene, leader);
  return { held, check: () => checkEnd(stage, leader) };
}

/** Every call to EC2 that the recovery makes when nothing goes wrong. */
export async function undisturbedCalls(subject: FaultSubject): Promise<readonly CallEvent[]> {
  const stage = await staged(subject);
  const { scene } = stage;
  const { lastSeq } = scene.sim.log;
  const leader = scene.lead();
  const end = await leadStaged(stage, subject, leader);
  const calls = scene.sim.log.calls().filter((one) => one.seq > lastSeq);
  await end.check();
  return calls;
}

/**
 * A stop of ours that lands on the replacement that serves (a seed that was stopped on its way)
 * costs no safety, but reads as an operator's stop until somebody starts it: docs/SPEC.md, Gaps.
 */
async function startLateStopped(scene: RecoveryFixture): Promise<void> {
  const instanceId = scene.activation()?.instanceId ?? '';
  const [newest] = [...scene.history()].sort((a, b) => b.endedAtWallMs - a.endedAtWallMs);
  const isNew = newest?.outcome === 'replaced' || newest?.outcome === 'undone';
  if (!isNew || scene.stateOf(instanceId) !== 'stopped') return;
  scene.sim.seed('StartInstances', { InstanceIds: [instanceId] });
  await scene.clock.advance(60_000);
}

const checkStaged = ({ scene, old, undo }: Staged): void => (undo ? checkNeverTwo(undo) : checkSafety(scene, old));

export interface CaseEnd {
  readonly outcome: string;
  readonly held: number;
}

/**
 * The recovery with one ill.
 * @throws where the ill did not befall it, or where something did not hold
 */
export async function runCase(subject: FaultSubject, { fault }: FaultCase): Promise<CaseEnd> {
  const stage = await staged(subject);
  const { scene } = stage;
  scene.sim.addFault(fault);
  const leader = scene.lead();
  const { held, check } = await leadStaged(stage, subject, leader);
  checkStaged(stage);
  await scene.clock.advance(AFTERMATH_MS);
  expect(strokesOf(scene), 'the fault did not happen').toBeGreaterThan(0);
  heal(scene);
  checkStaged(stage);
  if (fault.kind === 'late-landing' && fault.action === 'StopInstances') await startLateStopped(scene);
  return { outcome: await check(), held };
}

/** Runs them all. Returns how they ended, for the report. */
export async function runMatrix(
  subject: FaultSubject,
  cases: readonly FaultCase[],
): Promise<ReadonlyMap<string, number>> {
  const ends = new Map<string, number>();
  const faults: Error[] = [];
  for (const one of cases) {
    try {
      const { outcome, held } = await runCase(subject, one);
      const end = held > 0 ? `${outcome} after a hold` : outcome;
      ends.set(end, (ends.get(end) ?? 0) + 1);
    } catch (cause) {
      faults.push(new Error(`${subject.name}, ${one.name}: ${String(cause)}`, { cause }));
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, faults.map(({ message }) => message).join('\n'));
  return ends;
}
