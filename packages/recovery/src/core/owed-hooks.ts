import type { FailureHook, IntentRecord, JournalRecord } from '@understudy/shared';
import * as z from 'zod';
import { failureHooksOf, HOOK_STEP } from './hook-rows.ts';
import { stepId } from './step-id.ts';

/** What a step that has begun keeps of it (`steps/hook.ts`). */
const BEGUN = z.object({ noted: z.object({ begunAtWallMs: z.number() }) });

/**
 * The failure hooks of a recovery that is closed, for its history: what has run already stands in
 * its journal, the others are run from the history. So none keeps the next way waiting.
 */
export function owedHooks(
  { plan }: Pick<IntentRecord, 'plan'>,
  records: readonly Pick<JournalRecord, 'step' | 'state' | 'result' | 'endedAtWallMs'>[],
): { readonly failureHooks?: FailureHook[] } {
  const hooks = failureHooksOf(plan.policy).map(({ name, program, webhook, command, timeoutMs }) => {
    const record = records.find((one) => one.step === stepId(HOOK_STEP.name, name));
    const ran = record?.state === 'done' ? record : undefined;
    const named = { ...(program && { program }), ...(webhook && { webhook }), ...(command && { command }) };
    const begun = record?.state === 'started' ? BEGUN.safeParse(record.result).data?.noted : undefined;
    const hook: FailureHook = { name, ...named, timeoutMs, ...begun };
    const text = typeof ran?.result?.text === 'string' ? ran.result.text : '';
    const passed = ran?.result?.passed === true;
    return ran ? { ...hook, ended: { passed, text, atWallMs: ran.endedAtWallMs ?? 0 } } : hook;
  });
  return hooks.length > 0 ? { failureHooks: hooks } : {};
}
