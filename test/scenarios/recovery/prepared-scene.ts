import type { SeededInstance } from '@understudy/cloud-sim';
import type { PreparationOutcome } from '@understudy/recovery';
import { inQuarantine, takenOver } from '@understudy/recovery/testing';
import {
  ActivationRecordSchema,
  opIdOf,
  parseRecord,
  type PreparationRecord,
  PreparationRecordSchema,
  type PreparedKind,
  type RecoveryPlan,
  serializeRecord,
  TAG,
  type Term,
} from '@understudy/shared';
import { expect } from 'vitest';
import { KEYS, type Leader, MEMBER, RecoveryFixture, type RecoveryFixtureOptions } from './recovery-fixture.ts';
import { disksOf, watchDisks } from './reattach-scene.ts';

const STAMP = { schemaVersion: 1, writeId: 'scene', writtenBy: 'scene', writtenAtWallMs: 0 } as const;

export interface PreparedStage {
  readonly scene: RecoveryFixture;
  readonly old: SeededInstance;
  readonly opId: string;
  readonly disks: Readonly<Record<string, string>>;
  /** As it was read while the member was suspect. */
  readonly asRead: { readonly plan: RecoveryPlan; readonly az: string };
  readonly watch: { readonly faults: readonly string[] };
}

/** A member that is suspect; the record of its preparation is written, as the keeper does it. */
export async function preparing(
  options: RecoveryFixtureOptions,
  makes: readonly PreparedKind[],
  /** What the member has, and what becomes of it, before. */
  before: (scene: RecoveryFixture, old: SeededInstance) => void | Promise<void> = () => undefined,
): Promise<PreparedStage> {
  const scene = new RecoveryFixture(options);
  const old = scene.seedMember(undefined, options);
  await before(scene, old);
  const disks = disksOf(scene, old.instanceId);
  const watch = watchDisks(scene, old);
  const asRead = await scene.planOf(old);
  const { plan, az } = asRead;
  const opId = opIdOf(old.instanceId);
  put(scene, KEYS.preparation(opId), {
    opId,
    member: MEMBER,
    oldInstanceId: old.instanceId,
    ordinal: 0,
    oldAz: az,
    oldIncarnation: 1,
    activationModRevision: scene.kv.entries(KEYS.activation(MEMBER))[0]?.modRevision ?? 0,
    term: 1,
    startedAtWallMs: scene.clock.wallMs(),
    lastHeardWallMs: null,
    reason: 'suspect',
    ...{ serveContract: null, serveLeaseOverAfterMs: null },
    plan: makes.includes('seed') ? inQuarantine(plan) : plan,
    makes,
  });
  return { scene, old, opId, disks, watch, asRead };
}

function put(scene: RecoveryFixture, key: string, record: object): void {
  scene.kv.apply({ compare: [], writes: [{ kind: 'put', key, value: serializeRecord({ ...record, ...STAMP }) }] });
}

/** null: there is none (any more). */
export function preparationOf({ scene, opId }: PreparedStage): {
  readonly record: PreparationRecord;
  readonly modRevision: number;
} | null {
  const entry = scene.kv.entries(KEYS.preparation(opId))[0];
  return entry
    ? { record: parseRecord(PreparationRecordSchema, entry.key, entry.value), modRevision: entry.modRevision }
    : null;
}

/** Runs it as the keeper would, until it has come to something. */
export async function prepareIt(
  stage: PreparedStage,
  leader: Leader,
  term: Term = leader.term,
): Promise<PreparationOutcome> {
  for (let tries = 0; tries < 200; tries += 1) {
    const preparation = preparationOf(stage);
    if (!preparation) throw new Error('no preparation');
    const outcome = await stage.scene.clock.runUntilSettled(leader.engine.prepare(preparation, term), 3_600_000);
    if (outcome.kind !== 'parked') return outcome;
    await stage.scene.clock.advance(2_000);
  }
  throw new Error('the preparation came to nothing');
}

/** The member is heard again: as the keeper writes it down. */
export function refute(stage: PreparedStage): void {
  const { scene, opId } = stage;
  const preparation = preparationOf(stage);
  if (!preparation) throw new Error('no preparation');
  const dropped = { why: 'it is heard again', atWallMs: scene.clock.wallMs() };
  put(scene, KEYS.preparation(opId), { ...preparation.record, dropped });
  const [entry] = scene.kv.entries(KEYS.activation(MEMBER));
  const activation = parseRecord(ActivationRecordSchema, entry?.key ?? '', entry?.value ?? '');
  put(scene, KEYS.activation(MEMBER), { ...activation, ordinal: activation.ordinal + 1 });
}

/** Nothing of it is there any more, and its name stays: as the keeper writes it down. */
export function forget({ scene, opId }: PreparedStage): void {
  put(scene, KEYS.preparedIn('db'), {
    ...{ group: 'db', begunAtWallMs: [] },
    gone: [{ opId, atWallMs: scene.clock.wallMs() }],
  });
  const keys = [KEYS.preparation(opId), ...scene.kv.entries(KEYS.journalOf(opId)).map(({ key }) => key)];
  scene.kv.apply({ compare: [], writes: keys.map((key) => ({ kind: 'delete', key })) });
}

/**
 * The member is dead, and its recovery takes over what was made. `readAgain` false: its plan is
 * made of what was read while it was suspect.
 */
export async function die(stage: PreparedStage, readAgain = true): Promise<void> {
  const { scene, old, opId, asRead } = stage;
  const preparation = preparationOf(stage);
  if (!preparation) throw new Error('no preparation');
  if (scene.sim.core.region.instances.get(old.instanceId)?.crashedAtMs === null)
    scene.sim.crashInstance(old.instanceId);
  const { record } = readAgain ? await scene.begin(old) : scene.beginBy(asRead.plan, asRead.az, old);
  const plan = takenOver(preparation.record, record.plan);
  expect(plan, 'its launch is the one that was prepared').not.toBeNull();
  const { makes, startedAtWallMs: begunAtWallMs } = preparation.record;
  put(scene, KEYS.intent(MEMBER), { ...record, plan, prepared: { makes, begunAtWallMs } });
  scene.kv.apply({ compare: [], writes: [{ kind: 'delete', key: KEYS.preparation(opId) }] });
}

/** What carries its name and costs money, or looks like a machine of the member's. */
export const leftOf = ({ scene, opId }: PreparedStage): readonly string[] => {
  const { region } = scene.sim.core;
  const isOurs = (one: { readonly tags: Readonly<Record<string, string>> }) => one.tags[TAG.op] === opId;
  const instances = region.instances.all().filter((one) => isOurs(one) && one.state !== 'terminated');
  const places = region.capacityReservations.all().filter((one) => isOurs(one) && one.state === 'active');
  return [...instances, ...places, ...scene.resources().flat().filter(isOurs)].map((one) => one.id);
};

/** The member has noticed nothing: its machine was never asked for anything, and has its disks. */
export function checkUntouched({ scene, old, disks, watch }: PreparedStage): void {
  expect(scene.stateOf(old.instanceId)).toBe('running');
  expect(disksOf(scene, old.instanceId)).toEqual(disks);
  expect(watch.faults).toEqual([]);
  expect(scene.sim.log.transitions(old.instanceId).filter((one) => one.to === 'stopping')).toEqual([]);
}
