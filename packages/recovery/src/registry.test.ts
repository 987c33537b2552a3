import { isSnapshotAndReplace } from '@understudy/shared';
import { describe, expect, test } from 'vitest';
import { planFixture, planInputFixture } from './core/plan.fixture.ts';
import { planFor, stepsReady } from './plan/plan-for.ts';
import { REGISTERED } from './registered.ts';
import { atLevel, chosenBy, neededLevelOf, type RecoveryRegistry, registryFaults } from './registry.ts';
import type { VolumePath } from './strategy.ts';
import { EngineRig } from './engine.fixtures.ts';

const [strategy] = REGISTERED.strategies;
const [move] = REGISTERED.identityMoves;
const [step] = REGISTERED.steps;
if (!strategy || !move || !step) throw new Error('nothing is registered');

describe('what is registered', () => {
  test('is without a mistake, and every strategy finds the steps of its table', () => {
    expect(registryFaults(REGISTERED)).toEqual([]);
    const names = [...REGISTERED.steps, ...REGISTERED.identityMoves].map((one) => one.record.name);
    for (const one of REGISTERED.strategies)
      for (const row of one.steps(planFixture(), REGISTERED)) expect(names).toContain(row.step.name);
  });

  test.each<[string, Partial<RecoveryRegistry>]>([
    ['the strategy snapshot-and-replace is registered twice', { strategies: [strategy, strategy] }],
    ['the step fence is registered twice', { steps: [...REGISTERED.steps, step] }],
    ['the step address is registered twice', { steps: [...REGISTERED.steps, move] }],
    [
      'the volume path snapshot is registered twice',
      { volumePaths: [...REGISTERED.volumePaths, ...REGISTERED.volumePaths] },
    ],
    ['the leftover image is registered twice', { leftovers: REGISTERED.leftovers.flatMap((one) => [one, one]) }],
    [
      'the step re-fence has a dash in its name',
      { steps: [...REGISTERED.steps, { ...step, record: { ...step.record, name: 're-fence' } }] },
    ],
    [
      'the identity move address is no step per item',
      { identityMoves: [{ ...move, record: { ...move.record, per: 'recovery' } }] },
    ],
  ])('is refused: %s', (fault, wrong) => {
    const registry = { ...REGISTERED, ...wrong };
    expect(registryFaults(registry).join('; ')).toContain(fault);
    expect(() => new EngineRig({}, { registry })).toThrow(fault);
  });
});

describe('the strategy of a plan', () => {
  test('is the one that is registered under its name', () => {
    expect(chosenBy(planFixture(), REGISTERED)).toEqual({ strategy });
    expect(chosenBy(planFixture(), { ...REGISTERED, strategies: [] })).toHaveProperty('fault');
  });

  test('does not drive a plan with a step that nobody has registered', () => {
    const steps = REGISTERED.steps.filter((one) => one.record.name !== 'image');
    expect(chosenBy(planFixture(), { ...REGISTERED, steps })).toEqual({
      fault: expect.stringContaining('a step image, which is not registered'),
    });
  });

  test('does not drive a plan with a volume on a path that nobody knows', () => {
    const plan = planFixture();
    const routed = { ...plan, volumes: plan.volumes.map((one) => ({ ...one, path: 'carrier-pigeon' })) };
    expect(chosenBy(routed, REGISTERED)).toEqual({
      fault: expect.stringContaining('takes the path carrier-pigeon, which this build does not know'),
    });
    expect(stepsReady(new Map(), routed)).toEqual([]);
  });
});

describe('an item that no step can be keyed by', () => {
  test.each(['7', 'a/b', ''])('holds the recovery: %j', (allocationId) => {
    const address = { allocationId, publicIp: '203.0.113.1', associationId: null };
    expect(chosenBy({ ...planFixture(), addresses: [address] }, REGISTERED)).toEqual({
      fault: expect.stringContaining(`no step can be keyed by ${JSON.stringify(allocationId)}`),
    });
  });
});

describe('a plan', () => {
  test('is made by the strategy that the policy names, and leaves out which volumes are captured', () => {
    const { policy } = planFixture();
    const made = planFor(planInputFixture(), policy);
    expect(made.kind === 'plan' && isSnapshotAndReplace(made.plan)).toBe(true);
    if (made.kind === 'plan') for (const volume of made.plan.volumes) expect(volume).not.toHaveProperty('path');
  });

  test('is not made by a strategy that this build does not have', () => {
    const { policy } = planFixture();
    const made = planFor(planInputFixture(), policy, null, { ...REGISTERED, strategies: [] });
    expect(made).toMatchObject({ kind: 'blocked', problems: [{ code: 'StrategyUnknown' }] });
  });
});

describe('parts of a later feature level', () => {
  const later = { ...strategy, name: 'later', level: 2 };
  const laterPath: VolumePath = {
    ...{ name: 'teleport', level: 2, takes: () => true, steps: () => [], sourceOf: () => null },
    ...{ predictedLoss: () => null, artefacts: () => [] },
  };
  const registry = {
    ...REGISTERED,
    strategies: [...REGISTERED.strategies, later],
    volumePaths: [laterPath, ...REGISTERED.volumePaths],
  };
  const { policy } = planFixture();

  test('are planned only while it is in force', () => {
    const at = (level: number) => planFor({ ...planInputFixture(), level }, policy, null, registry);
    const pathsAt = (level: number) => {
      const made = at(level);
      return made.kind === 'plan' ? made.plan.volumes.map(({ path }) => path) : made;
    };
    expect(new Set([pathsAt(1)].flat())).toEqual(new Set([undefined]));
    expect(new Set([pathsAt(2)].flat())).toEqual(new Set(['teleport']));
  });

  test('are driven whatever is in force, and say what level the plan needs', () => {
    const plain = planFixture();
    const routed = { ...plain, volumes: plain.volumes.map((one) => ({ ...one, path: 'teleport' })) };
    expect([plain, routed].map((plan) => neededLevelOf(plan, registry))).toEqual([1, 2]);
    expect(chosenBy(routed, registry)).toHaveProperty('strategy');
    expect(atLevel(registry, 1).strategies.map((one) => one.name)).toEqual(
      REGISTERED.strategies.filter((one) => (one.level ?? 1) === 1).map((one) => one.name),
    );
  });
});
