import { type RecoveryPlan, LEVEL_OF } from '@understudy/shared';
import { isItem } from './core/step-id.ts';
import { hooksOf, withHooks } from './core/hook-rows.ts';
import type { StepRow } from './core/step-table.ts';
import type { IdentityMove } from './identity/identity-move.ts';
import type { LeftoverKind } from './leftover-kind.ts';
import type { StepKind } from './step-kind.ts';
import type { Part, Seams, Strategy, VolumePath } from './strategy.ts';
import { pathNameOf } from './volumes/volume-paths.ts';

/** What recoveries are put together from. What is registered is all there is. */
export interface RecoveryRegistry {
  readonly strategies: readonly Strategy[];
  /** Those of the identity moves are not listed again. */
  readonly steps: readonly StepKind[];
  /** The first that takes a volume has it. */
  readonly volumePaths: readonly VolumePath[];
  readonly identityMoves: readonly IdentityMove[];
  readonly leftovers: readonly LeftoverKind[];
}

export const stepsOf = ({ steps, identityMoves }: RecoveryRegistry): readonly StepKind[] => [
  ...steps,
  ...identityMoves,
];

const isKnownAt =
  (level: number) =>
  (part: Part): boolean =>
    (part.level ?? 1) <= level;

/**
 * **S** (S24) The parts that plans may be made of while this feature level is in force. A recovery
 * that was begun is driven by all that there is.
 */
export function atLevel<R extends RecoveryRegistry | Seams>(registry: R, level: number): R {
  const known = isKnownAt(level);
  return {
    ...registry,
    ...('strategies' in registry ? { strategies: registry.strategies.filter(known) } : {}),
    volumePaths: registry.volumePaths.filter(known),
    identityMoves: registry.identityMoves.filter(known),
  };
}

/** The lowest feature level whose builds know every part of the plan. */
export function neededLevelOf(plan: RecoveryPlan, registry: RecoveryRegistry): number {
  const paths = new Set(plan.volumes.map(pathNameOf));
  const parts: readonly Part[] = [
    ...registry.strategies.filter((one) => one.name === plan.strategy),
    ...registry.volumePaths.filter((one) => paths.has(one.name)),
    ...registry.identityMoves.filter((one) => one.itemsOf(plan).length > 0),
  ];
  const hooks = hooksOf(plan.policy).length === 0 ? 1 : LEVEL_OF.hooks;
  return Math.max(hooks, ...parts.map(({ level = 1 }) => level));
}

export type Chosen = { readonly strategy: Strategy } | { readonly fault: string };

/**
 * **S** The strategy that a stored plan is driven by. A plan that this build does not know, or not
 * in full, is driven by nobody.
 */
export function chosenBy(plan: RecoveryPlan, registry: RecoveryRegistry): Chosen {
  const strategy = registry.strategies.find((one) => one.name === plan.strategy);
  if (!strategy) return { fault: `its plan follows the strategy ${plan.strategy}, which this build does not know` };
  const fault = strategy.fault(plan, registry) ?? tableFault(hooked(strategy, plan).steps(plan, registry), registry);
  return fault === null
    ? { strategy: hooked(strategy, plan) }
    : { fault: `its plan of ${plan.strategy} cannot be followed: ${fault}` };
}

/** With the operator's hooks around its steps, whatever strategy it is. */
const hooked = (strategy: Strategy, { policy }: RecoveryPlan): Strategy =>
  hooksOf(policy).length === 0
    ? strategy
    : { ...strategy, steps: (plan, seams) => withHooks(strategy.steps(plan, seams), plan) };

/** What a step cannot be keyed by would be done under another step's name. */
function tableFault(table: readonly StepRow[], registry: RecoveryRegistry): string | null {
  const known = new Set(stepsOf(registry).map((one) => one.record.name));
  const unknown = table.find(({ step }) => !known.has(step.name));
  if (unknown) return `it has a step ${unknown.step.name}, which is not registered`;
  const odd = table.flatMap(({ items = [] }) => items).find((item) => !isItem(item));
  return odd === undefined ? null : `no step can be keyed by ${JSON.stringify(odd)}`;
}

/** Mistakes of whoever registers, in words; empty: none. */
export function registryFaults(registry: RecoveryRegistry): readonly string[] {
  const names: readonly (readonly [string, readonly string[]])[] = [
    ['strategy', registry.strategies.map((one) => one.name)],
    ['step', stepsOf(registry).map((one) => one.record.name)],
    ['volume path', registry.volumePaths.map((one) => one.name)],
    ['leftover', registry.leftovers.map((one) => one.kind)],
  ];
  const twice = names.flatMap(([what, all]) =>
    all.filter((name, index) => all.indexOf(name) !== index).map((name) => `the ${what} ${name} is registered twice`),
  );
  const dashed = stepsOf(registry).flatMap(({ record }) =>
    record.name.includes('-') ? [`the step ${record.name} has a dash in its name: its id could not be read back`] : [],
  );
  const perItem = registry.identityMoves.flatMap(({ record }) =>
    record.per === 'item' ? [] : [`the identity move ${record.name} is no step per item`],
  );
  return [...twice, ...dashed, ...perItem];
}
