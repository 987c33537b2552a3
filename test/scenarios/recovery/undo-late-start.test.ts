import { decideUndo, LateStarts } from '@understudy/recovery';
import { type HistoryRecord, invariant, TAG, type Term } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { atEachCrash, CrashMonitor, type CrashMode, crashMatrix, type Point } from './crash-points.ts';
import { PausePoint } from './pause-point.ts';
import { KEYS, type Leader, MEMBER } from './recovery-fixture.ts';
import { beginUndo, checkNeverTwo, closedBy, replacedMember, undoFacts, type UndoScene } from './undo-scene.ts';

/** Lands while it still can, and after the undo is over. */
const LANDS_AFTER_MS = 300_000;
const LONG_MS = 1_200_000;
const PASS_MS = 5_000;

/** An undo was called off while a Start of it was under way. */
async function calledOff(): Promise<UndoScene> {
  const staged = await replacedMember();
  const { scene } = staged;
  await beginUndo(staged);
  scene.sim.addFault({ id: 'late', action: 'StartInstances', kind: 'late-landing', delayMs: LANDS_AFTER_MS, times: 1 });
  scene.sim.addFault({
    ...{ id: 'full', action: 'StartInstances', kind: 'error', times: 1, afterCalls: 1 },
    ...{ code: 'InsufficientInstanceCapacity', httpStatus: 500 },
  });
  await closedBy(scene, scene.lead());
  expect(scene.sim.fired('late')).toBe(1);
  expect(scene.activation()).toMatchObject({ instanceId: staged.presentId });
  expect(lateStartOf(staged)).toMatchObject({ instanceId: staged.old.instanceId });
  return staged;
}

const recordOf = ({ scene, presentId }: UndoScene): HistoryRecord => {
  const found = scene.history().find((one) => one.oldInstanceId === presentId);
  invariant(found, 'the undo is not closed');
  return found;
};
const lateStartOf = (staged: UndoScene) => recordOf(staged).lateStart;

const lateStartsOf = ({ scene }: UndoScene, leader: Leader): LateStarts =>
  new LateStarts({ ...{ cloud: leader.cloud, keys: KEYS, clock: scene.clock, log: scene.log }, callTimeoutMs: 5_000 });

/** As the leader's view shows it. */
function owedOf(staged: UndoScene) {
  const { scene } = staged;
  const record = recordOf(staged);
  const key = KEYS.historyEntry(MEMBER, record.opId);
  const [entry] = scene.kv.entries(key);
  const [activation] = scene.kv.entries(KEYS.activation(MEMBER));
  invariant(entry && activation, 'the records are there');
  const isRecovering = scene.kv.entries(KEYS.intent(MEMBER)).length > 0;
  const isInCharge = scene.activation()?.instanceId === record.lateStart?.instanceId;
  return [{ key, record, modRevision: entry.modRevision, activation, isInCharge, isRecovering }];
}

async function passes(staged: UndoScene, looks: LateStarts, term: Term, forMs: number): Promise<void> {
  const { clock } = staged.scene;
  for (let pass = 0; pass < forMs / PASS_MS; pass += 1) {
    await looks.look(term, owedOf(staged));
    await clock.sleep(PASS_MS);
  }
}

async function looked(staged: UndoScene, leader: Leader, forMs: number): Promise<void> {
  const done = passes(staged, lateStartsOf(staged, leader), leader.term, forMs);
  await staged.scene.clock.runUntilSettled(done, 2 * forMs);
}

/** Whatever landed: it is stopped, the other one is in charge and runs, and nothing is owed. */
function checkSettled(staged: UndoScene): void {
  const { scene, old, presentId } = staged;
  checkNeverTwo(staged);
  expect(lateStartOf(staged)?.settledAtWallMs).toBeDefined();
  expect([scene.stateOf(old.instanceId), scene.stateOf(presentId)]).toEqual(['stopped', 'running']);
  expect(scene.activation()).toMatchObject({ instanceId: presentId });
}

describe('a Start that lands after its undo was called off', () => {
  test('is seen, and the retired instance is stopped again', async () => {
    const staged = await calledOff();
    const { scene, old } = staged;
    const before = scene.sim.log.transitions(old.instanceId).length;
    await looked(staged, scene.lead(), LONG_MS);
    const since = scene.sim.log.transitions(old.instanceId).slice(before);
    expect(since.map((one) => one.to)).toEqual(expect.arrayContaining(['pending', 'stopped']));
    checkSettled(staged);
  });

  test('keeps the next undo waiting until it is over, and for 15 minutes after the last Stop', async () => {
    const staged = await calledOff();
    const { scene } = staged;
    const decided = async () => decideUndo(await undoFacts(scene, Number.MAX_SAFE_INTEGER));
    const refusal = { kind: 'refused', problem: { code: 'LateCallsMayLand' } };
    expect(await decided()).toMatchObject(refusal);
    const leader = scene.lead();
    await looked(staged, leader, LONG_MS);
    const { stoppedAtWallMs = 0, settledAtWallMs = 0 } = lateStartOf(staged) ?? {};
    expect(stoppedAtWallMs).toBeGreaterThan(0);
    expect(settledAtWallMs).toBeGreaterThan(stoppedAtWallMs);
    // Another Start lands, as far as anybody knows; its Stop is on record.
    const late = { lateStart: { ...lateStartOf(staged), stoppedAtWallMs: scene.clock.wallMs() } };
    const facts = await undoFacts(scene, Number.MAX_SAFE_INTEGER);
    const history = facts.history.map((one) => (one.lateStart ? { ...one, ...late } : one)) as HistoryRecord[];
    expect(decideUndo({ ...facts, history })).toMatchObject(refusal);
    await scene.clock.advance(LONG_MS);
    expect(await decided()).toMatchObject({ kind: 'possible' });
  });

  test('stops nobody who is in charge meanwhile', async () => {
    const staged = await calledOff();
    const { scene, old } = staged;
    const [owed] = owedOf(staged);
    invariant(owed, 'it is owed');
    await scene.clock.advance(LANDS_AFTER_MS + 60_000);
    expect(scene.stateOf(old.instanceId)).toBe('running');
    const leader = scene.lead();
    const looks = lateStartsOf(staged, leader);
    // The view is of before: the transaction compares what is there now.
    const [activation] = scene.kv.entries(KEYS.activation(MEMBER));
    invariant(activation, 'somebody is in charge');
    const { key, value } = activation;
    scene.kv.apply({ compare: [], writes: [{ kind: 'put', key, value }] });
    await scene.clock.runUntilSettled(looks.look(leader.term, [owed]));
    expect(lateStartOf(staged)?.stoppedAtWallMs).toBeUndefined();
    const inCharge = owedOf(staged).map((one) => ({ ...one, isInCharge: true }));
    await scene.clock.runUntilSettled(looks.look(leader.term, inCharge));
    expect(lateStartOf(staged)?.settledAtWallMs).toBeDefined();
    await scene.clock.advance(60_000);
    expect(scene.stateOf(old.instanceId)).toBe('running');
  });
});

describe('a retired instance that was given away meanwhile', () => {
  test.each([
    ['its mark is off', (tags: Record<string, string>) => void delete tags[TAG.retiredBy]],
    ['it names another member', (tags: Record<string, string>) => void (tags[TAG.member] = 'two')],
  ])('is not stopped: %s', async (_, change) => {
    const staged = await calledOff();
    const { scene, old } = staged;
    const found = scene.sim.core.region.instances.get(old.instanceId);
    invariant(found, 'it is kept');
    change(found.tags);
    await looked(staged, scene.lead(), LONG_MS);
    expect(scene.stateOf(old.instanceId), 'it runs on').toBe('running');
    expect(lateStartOf(staged)).toMatchObject({ settledAtWallMs: expect.any(Number) });
    expect(lateStartOf(staged)?.stoppedAtWallMs).toBeUndefined();
  });
});

describe('a leader that dies', { timeout: 120_000 }, () => {
  const points = async (): Promise<readonly Point[]> => {
    const staged = await calledOff();
    const monitor = new CrashMonitor();
    const leader = staged.scene.lead(monitor.wrapping());
    const done = passes(staged, lateStartsOf(staged, leader), monitor.term(leader.term), LONG_MS);
    await staged.scene.clock.runUntilSettled(done, 2 * LONG_MS);
    checkSettled(staged);
    return monitor.points;
  };

  const crashAt = async (at: number, mode: CrashMode): Promise<boolean> => {
    const staged = await calledOff();
    const { scene } = staged;
    const monitor = new CrashMonitor(at, mode);
    const first = scene.lead(monitor.wrapping());
    const done = passes(staged, lateStartsOf(staged, first), monitor.term(first.term), LONG_MS);
    await scene.clock.runUntilSettled(Promise.race([monitor.died, done]), 2 * LONG_MS);
    await looked(staged, scene.lead(), 2 * LONG_MS);
    checkSettled(staged);
    return monitor.dead;
  };

  test('at any call or commit of it leaves it to its successor', async () => {
    const all = await points();
    const matrix = crashMatrix(all);
    await atEachCrash(all, matrix, async ({ at, mode }) => {
      expect(await crashAt(at, mode), 'the crash did not happen').toBe(true);
    });
    expect(matrix.map(({ at }) => all[at]?.name)).toContain('stopInstance');
  });
});

describe('a leader that is paused for an hour, then let go', { timeout: 120_000 }, () => {
  const pauseAt = async (at: number): Promise<string | undefined> => {
    const staged = await calledOff();
    const { scene } = staged;
    const pause = new PausePoint(at);
    const first = scene.lead(pause.wrapping());
    const done = passes(staged, lateStartsOf(staged, first), pause.term(first.term), LONG_MS).catch(() => undefined);
    await scene.clock.runUntilSettled(Promise.race([pause.reached, done]), 2 * LONG_MS);
    const reached = pause.paused;
    await looked(staged, scene.lead(), 2 * LONG_MS);
    await scene.clock.advance(3_600_000);
    checkSettled(staged);
    pause.letGo();
    await scene.clock.runUntilSettled(done, 2 * LONG_MS);
    checkSettled(staged);
    return reached ? pause.names[at] : undefined;
  };

  test('in front of any call or commit of it changes nothing any more', async () => {
    const names: string[] = [];
    for (let name = await pauseAt(0); name !== undefined; name = await pauseAt(names.length)) names.push(name);
    expect(names).toContain('stopInstance');
    expect(names.length).toBeGreaterThan(2);
  });
});
