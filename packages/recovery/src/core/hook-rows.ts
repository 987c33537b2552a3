import type { GroupPolicy, HookMoment, PolicyHook, RecoveryPlan } from '@understudy/shared';
import { stepId } from './step-id.ts';
import type { StepRow } from './step-table.ts';

export const HOOK_STEP = { name: 'hook', per: 'item' } as const;

export const hooksOf = ({ hooks }: Pick<GroupPolicy, 'hooks'>): readonly PolicyHook[] => hooks.list;

/** A hook that can keep what follows from happening. */
export const canRefuse = ({ at }: Pick<PolicyHook, 'at'>): boolean => at.startsWith('before-');

/** One id a try, whoever runs it. */
export const hookId = (opId: string, hook: string, attempt: number): string => `${opId}.${hook}.${attempt}`;

/** Those of a recovery that brings nothing back. */
export const failureHooksOf = (policy: Pick<GroupPolicy, 'hooks'>): readonly PolicyHook[] =>
  hooksOf(policy).filter((one) => one.at === 'on-failure');

/** Which step a moment is about. `on-failure` is about none: the recovery ends otherwise. */
const STEP_OF: Readonly<Record<HookMoment, string | null>> = {
  'before-fence': 'fence',
  'after-fence': 'fence',
  'before-activate': 'activate',
  'after-activate': 'activate',
  'on-failure': null,
};

/**
 * The table of a strategy with the hooks of the plan's policy. **S** (S4, S8) Needs are only added:
 * what a step waited for, it waits for still. A strategy without the step has no such moment.
 */
export function withHooks<T extends StepRow>(
  table: readonly T[],
  plan: Pick<RecoveryPlan, 'policy'>,
): readonly StepRow[] {
  const hooks = hooksOf(plan.policy).filter(({ at }) => table.some((row) => row.step.name === STEP_OF[at]));
  if (hooks.length === 0) return table;
  const idsAt = (at: HookMoment): readonly string[] =>
    hooks.filter((one) => one.at === at).map((one) => stepId(HOOK_STEP.name, one.name));
  const rowAt = (at: HookMoment, needs: StepRow['needs']): readonly StepRow[] => {
    const items = hooks.filter((one) => one.at === at).map((one) => one.name);
    return items.length === 0 ? [] : [{ step: HOOK_STEP, items, needs }];
  };
  const waiting = (row: StepRow, ids: readonly string[]): StepRow => ({
    ...row,
    needs: (attempt) => [...row.needs(attempt), ...ids],
  });
  const last = table.at(-1);
  return table.flatMap((row) => {
    const { name } = row.step;
    if (name === 'fence') {
      const before = rowAt('before-fence', (attempt) => row.needs(attempt));
      const after = rowAt('after-fence', () => ['fence']);
      return [...before, waiting(row, idsAt('before-fence')), ...after];
    }
    if (name === 'activate') {
      const before = rowAt('before-activate', (attempt) => row.needs(attempt));
      const after = rowAt('after-activate', () => ['activate']);
      return [...before, waiting(row, idsAt('before-activate')), ...after];
    }
    // The journal goes with the last step: what is to be run has been run by then.
    return row === last ? [waiting(row, [...idsAt('after-fence'), ...idsAt('after-activate')])] : [row];
  });
}
