import type { FailureHook, IntentRecord, JournalRecord } from '@understudy/shared';
import { failureHooksOf, HOOK_STEP } from './hook-rows.ts';
import { stepId } from './step-id.ts';

/**
 * The failure hooks of a recovery that is closed, for its history: what has run already stands in
 * its journal, the others are run from the history. So none keeps the next way waiting.
 */
export function owedHooks(
  { plan }: Pick<IntentRecord, 'plan'>,
  records: readonly Pick<JournalRecord, 'step' | 'state' | 'result' | 'endedAtWallMs'>[],
): { readonly failureHooks?: FailureHook[] } {
  const hooks = failureHooksOf(plan.policy).map(({ name, program, webhook, command, timeoutMs }) => {
    const ran = records.find((one) => one.step === stepId(HOOK_STEP.name, name) && one.state === 'done');
    const named = { ...(program && { program }), ...(webhook && { webhook }), ...(command && { command }) };
    const hook: FailureHook = { name, ...named, timeoutMs };
    const text = typeof ran?.result?.text === 'string' ? ran.result.text : '';
    const passed = ran?.result?.passed === true;
    return ran ? { ...hook, ended: { passed, text, atWallMs: ran.endedAtWallMs ?? 0 } } : hook;
  });
  return hooks.length > 0 ? { failureHooks: hooks } : {};
}
