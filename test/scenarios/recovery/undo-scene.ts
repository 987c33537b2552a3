import type { SeededInstance } from '@understudy/cloud-sim';
import { gatherPlanInput, planUndo, recoveryToUndo, type UndoFacts, withoutCollecting } from '@understudy/recovery';
import {
  type CloudInstance,
  FEATURE_LEVEL,
  type HistoryRecord,
  invariant,
  isUndo,
  opIdOf,
  serializeRecord,
  TAG,
  unwritten,
} from '@understudy/shared';
import { expect } from 'vitest';
import { KEYS, type Leader, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';

/** A member that was replaced, and whose old instance is kept. */
export interface UndoScene {
  readonly scene: RecoveryFixture;
  /** Was retired, and is to serve again. */
  readonly old: SeededInstance;
  /** Serves now. */
  readonly presentId: string;
}

const STAMP = { schemaVersion: 1, writeId: 'scene', writtenBy: 'scene', writtenAtWallMs: 0 } as const;
/** Calls of the recovery cannot land any more. */
export const CALM_MS = 960_000;

export type Prepare = (scene: RecoveryFixture, old: SeededInstance) => void | Promise<void>;

/** The first recovery is over, and the time in which its calls may land. */
export async function replacedMember(
  options: RecoveryFixtureOptions = {},
  prepare: Prepare = () => undefined,
): Promise<UndoScene> {
  const scene = new RecoveryFixture({ remembers: true, ...options });
  const old = scene.seedMember(undefined, options);
  await prepare(scene, old);
  await scene.clock.advance(60_000);
  scene.hear(old.instanceId);
  scene.sim.crashInstance(old.instanceId);
  await scene.begin(old);
  expect(await scene.run(scene.lead(), scene.intent()), JSON.stringify(scene.hold())).toBe('finished');
  await scene.clock.advance(CALM_MS);
  for (const kind of scene.resources()) for (const one of kind) scene.seededIds.add(one.id);
  return { scene, old, presentId: scene.activation()?.instanceId ?? '' };
}

const shownAs = async (scene: RecoveryFixture, instanceId: string): Promise<CloudInstance | null> => {
  const found = scene.newCloud().describeInstances({ 'instance-id': [instanceId] });
  return (await scene.clock.runUntilSettled(found)).find((one) => one.instanceId === instanceId) ?? null;
};

/** What decides about an undo of the last recovery, as the leader reads it. */
export async function undoFacts(scene: RecoveryFixture, acceptLossMs: number | null): Promise<UndoFacts> {
  const activation = scene.activation();
  invariant(activation, 'nobody is activated');
  const history = scene.history();
  const undone = recoveryToUndo({ activation, history });
  const retained = undone && (await shownAs(scene, undone.oldInstanceId));
  return { activation, history, retained, nowWallMs: scene.clock.wallMs(), acceptLossMs };
}

/** Writes the intent of an undo, as the leader does. */
export async function beginUndo({ scene, presentId }: UndoScene): Promise<void> {
  const { clock, policy, keyLooks, nameLooks } = scene;
  const looks = { keyLooks, nameLooks, wallMs: () => clock.wallMs() };
  const input = await clock.runUntilSettled(gatherPlanInput(scene.newCloud(), presentId, policy, looks));
  const facts = await undoFacts(scene, Number.MAX_SAFE_INTEGER);
  const result = planUndo({ ...input, level: FEATURE_LEVEL, undo: facts }, policy);
  if (result.kind !== 'plan' || !isUndo(result.plan)) throw new Error(`no plan: ${JSON.stringify(result.problems)}`);
  const { plan } = result;
  const [activation] = scene.kv.entries(KEYS.activation(MEMBER));
  const undone = scene.history().find((one) => one.opId === plan.undo.opId);
  invariant(activation && undone, 'nothing to undo');
  const { ordinal = 0, incarnation = 0 } = scene.activation() ?? {};
  const record = {
    ...{ opId: opIdOf(presentId, ordinal), member: MEMBER, oldInstanceId: presentId, ordinal, neededLevel: 2 },
    ...{ oldAz: input.instance.az, oldIncarnation: incarnation, activationModRevision: activation.modRevision },
    ...{ term: 1, startedAtWallMs: clock.wallMs(), lastHeardWallMs: null, reason: 'ann asked to undo it' },
    ...{ serveContract: null, serveLeaseOverAfterMs: null, plan },
  };
  put(scene, KEYS.intent(MEMBER), record);
  put(scene, KEYS.historyEntry(MEMBER, undone.opId), withoutCollecting(undone, plan.undo));
}

function put(scene: RecoveryFixture, key: string, record: object): void {
  const value = serializeRecord({ ...record, ...STAMP });
  scene.kv.apply({ compare: [], writes: [{ kind: 'put', key, value }] });
}

/** Rewrites what the first recovery left in the history. */
export function rewriteHistory(scene: RecoveryFixture, change: (one: HistoryRecord) => Partial<HistoryRecord>): void {
  for (const one of scene.history())
    put(scene, KEYS.historyEntry(MEMBER, one.opId), { ...unwritten(one), ...change(one) });
}

/** Runs what is open as the leader would, until it is closed. */
export async function closedBy(scene: RecoveryFixture, leader: Leader): Promise<void> {
  for (let round = 0; scene.kv.entries(KEYS.intent(MEMBER)).length > 0; round += 1) {
    if (round === 40) throw new Error(`not closed: ${JSON.stringify(scene.hold())}`);
    await scene.run(leader, scene.intent());
    await scene.clock.advance(15_000);
  }
}

export async function ranUndo(options: RecoveryFixtureOptions = {}, prepare?: Prepare): Promise<UndoScene> {
  const staged = await replacedMember(options, prepare);
  await beginUndo(staged);
  await closedBy(staged.scene, staged.scene.lead());
  return staged;
}

const startsAfter = (scene: RecoveryFixture, instanceId: string, states: readonly string[]) =>
  scene.sim.log.transitions(instanceId).filter((one) => one.to !== null && states.includes(one.to));

/**
 * **S** Never two: the retired instance was started only after the other one had been stopped, and
 * the activation names one of the two.
 */
export function checkNeverTwo({ scene, old, presentId }: UndoScene): void {
  expect([old.instanceId, presentId]).toContain(scene.activation()?.instanceId);
  const [first = null] = startsAfter(scene, presentId, ['stopped', 'terminated']);
  const again = startsAfter(scene, old.instanceId, ['pending']).slice(1);
  for (const start of again) {
    expect(first, 'started while nobody had seen the other one down').not.toBeNull();
    expect(start.atMs, 'started before the other one was down').toBeGreaterThanOrEqual(first?.atMs ?? 0);
  }
  const launched = scene.sim.log.launches().map((one) => one.instanceId);
  expect(new Set(launched), 'an undo launches nothing').toEqual(new Set([old.instanceId, presentId]));
}

export const undoneRecord = (scene: RecoveryFixture): HistoryRecord | undefined =>
  scene.history().find((one) => one.strategy === 'undo');

/** The retired instance serves again, with everything; the other one is retired in its turn. */
export function checkUndone(staged: UndoScene): void {
  const { scene, old, presentId } = staged;
  checkNeverTwo(staged);
  const { region } = scene.sim.core;
  const record = undoneRecord(scene);
  expect(record, JSON.stringify(scene.history().map(({ outcome, reason }) => [outcome, reason]))).toMatchObject({
    ...{ outcome: 'undone', oldInstanceId: presentId, newInstanceId: old.instanceId, fencedBy: 'stopped' },
    ...{ newIncarnation: 3, launchAttempts: 0 },
  });
  expect(scene.activation()).toMatchObject({
    ...{ instanceId: old.instanceId, incarnation: 3, ordinal: 1, opId: record?.opId },
  });
  expect([scene.stateOf(old.instanceId), scene.stateOf(presentId)]).toEqual(['running', 'stopped']);
  checkClosed(scene);
  const address = region.addresses.get(old.allocationId ?? '');
  if (old.allocationId !== null) expect(scene.holderOf(address?.networkInterfaceId ?? '')).toBe(old.instanceId);
  for (const [device, id] of Object.entries(old.volumeIds))
    expect(region.volumes.get(id)?.attachments.map((one) => [one.instanceId, one.device])).toEqual([
      [old.instanceId, device],
    ]);
  expect(region.instances.get(old.instanceId)?.tags[TAG.retiredBy], 'its mark is off').toBeUndefined();
  expect(region.instances.get(presentId)?.tags[TAG.retiredBy]).toBe(record?.opId);
  const first = scene.history().find((one) => one.outcome === 'replaced');
  expect(first?.leftovers.filter(({ kind }) => kind === 'instance' || kind === 'volume')).toEqual([]);
  expect(record?.leftovers.map(({ kind, id }) => [kind, id])).toContainEqual(['instance', presentId]);
}

/** No record of it is left open, and nothing was made. */
export function checkClosed(scene: RecoveryFixture): void {
  expect([scene.kv.entries(KEYS.intent(MEMBER)), scene.hold()]).toEqual([[], null]);
  expect(scene.kv.entries('/understudy/v1/journal/')).toEqual([]);
  for (const kind of scene.resources()) for (const one of kind) expect(scene.seededIds).toContain(one.id);
}

/**
 * It did not come about: the instance in charge is still that, and back; the books are as before.
 */
export function checkNotUndone(staged: UndoScene, outcome: 'mended' | 'not-mended' | 'abandoned'): void {
  const { scene, old, presentId } = staged;
  checkNeverTwo(staged);
  expect(scene.activation()).toMatchObject({ instanceId: presentId, incarnation: 2, ordinal: 1 });
  const record = scene.history().find((one) => one.oldInstanceId === presentId);
  expect(record).toMatchObject({ outcome, newInstanceId: null });
  checkClosed(scene);
  expect(['stopped', 'terminated', null]).toContain(scene.stateOf(old.instanceId));
  const first = scene.history().find((one) => one.outcome === 'replaced');
  const kept = first?.leftovers.filter(({ kind, id }) => kind === 'instance' && id === old.instanceId) ?? [];
  expect(kept.map((one) => one.afterWallMs)).toEqual([first && first.endedAtWallMs + scene.policy.recover.retainForMs]);
}
