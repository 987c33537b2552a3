import * as z from 'zod';
import { type HookOutcome, HOOK_MOMENTS, invariant, type PolicyHook } from '@understudy/shared';
import { type HookFacts, hookMessage } from '../core/hook-message.ts';
import { canRefuse, HOOK_STEP, hooksOf } from '../core/hook-rows.ts';
import { currentAttempt } from '../core/step-table.ts';
import type { Frozen, Move, Step } from '../effect.ts';
import { ended } from '../failure-hooks.ts';
import type { Run } from '../run.ts';
import { stepKind } from '../step-kind.ts';
import type { NotedOf } from '../step-record.ts';
import { LAUNCH } from './attempt-records.ts';

export const HOOK = {
  ...HOOK_STEP,
  request: z.strictObject({ hook: z.string(), at: z.enum(HOOK_MOMENTS) }),
  /** Which try it is, from 1; why the one before was refused. Null: it was not. */
  noted: z.strictObject({
    attempt: z.number().int(),
    refused: z.string().nullable(),
    /** Before this it was begun by nobody. Absent: an older build noted it. */
    begunAtWallMs: z.number().optional(),
  }),
  result: z.strictObject({ passed: z.boolean(), attempt: z.number().int(), text: z.string() }),
} as const;
type Hook = typeof HOOK;

/** How often it is looked at while it runs. */
const LOOK_MS = 250;
/** Beyond its own time: to begin it, and to write down how it ended. */
const AROUND_MS = 30_000;

interface Work {
  outcome: HookOutcome | null;
}

interface Memory {
  work: Work | null;
  /** The try that this run has begun. 0: none. */
  attempt: number;
}

function hookNamed(run: Run, name: string): PolicyHook {
  const hook = hooksOf(run.policy).find((one) => one.name === name);
  invariant(hook, `the plan has no hook ${name}`);
  return hook;
}

/** Who is told, and of what. */
function factsOf(run: Run): HookFacts {
  const launched = run.journal.get(LAUNCH, currentAttempt(run.journal.states()))?.result;
  const { strategy } = run.plan;
  return { ...run.record, strategy, newInstanceId: launched && 'instanceId' in launched ? launched.instanceId : null };
}

const refusal = (run: Run, { name, at }: PolicyHook, text: string): Move<Hook> => ({
  kind: 'hold',
  reason: 'HookRefused',
  text: `the hook ${name} (${at}) refuses: ${text}. Or go on without it: understudy accept-loss ${run.record.member} hook:${name} --reason TEXT`,
});

/**
 * Runs one hook of the operator's. It is begun like any other effect: recorded first, and only
 * while the term holds; then it is waited for. At least once: whoever leads next begins the same
 * try again, under the same id. A try that was refused is followed by another, under another id.
 */
export function hookStep(run: Run, name: string): Step<Hook> {
  const hook = hookNamed(run, name);
  const memory: Memory = { work: null, attempt: 0 };
  return {
    limitMs: hook.timeoutMs + AROUND_MS,
    floorMs: hook.timeoutMs + AROUND_MS,
    prepare: async () => ({ hook: name, at: hook.at }),
    next: async (frozen) => next(run, hook, memory, frozen),
    onTimeout: (frozen) => over(run, hook, frozen, memory, 'how it ended is not known'),
  };
}

function next(run: Run, hook: PolicyHook, memory: Memory, { noted }: Frozen<Hook>): Move<Hook> {
  const another = (attempt: number): Move<Hook> => {
    return { kind: 'note', noted: { attempt, refused: null, begunAtWallMs: run.wallMs() } };
  };
  if (noted === null) return another(1);
  if (noted.refused !== null && noted.attempt !== memory.attempt) return another(noted.attempt + 1);
  if (noted.refused !== null) return refusal(run, hook, noted.refused);
  if (memory.work === null) return begin(run, hook, memory, noted);
  const { outcome } = memory.work;
  if (outcome === null) return { kind: 'wait', text: `the hook ${hook.name} runs`, forMs: LOOK_MS };
  run.parts.log[outcome.kind === 'passed' ? 'info' : 'warn']('recovery.hook.ended', {
    ...{ hook: hook.name, at: hook.at, attempt: noted.attempt, outcome: outcome.kind, text: outcome.text },
  });
  if (outcome.kind === 'refused' && canRefuse(hook))
    return { kind: 'note', noted: { ...noted, refused: outcome.text } };
  return { kind: 'done', result: { passed: outcome.kind === 'passed', attempt: noted.attempt, text: outcome.text } };
}

function begin(run: Run, hook: PolicyHook, memory: Memory, noted: NotedOf<Hook>): Move<Hook> {
  const { attempt, begunAtWallMs = run.record.startedAtWallMs } = noted;
  return {
    kind: 'act',
    text: `running the hook ${hook.name} (${hook.at})`,
    calls: [
      {
        name: 'run',
        run: async () => {
          const work: Work = { outcome: null };
          Object.assign(memory, { work, attempt });
          const message = hookMessage(factsOf(run), hook, { attempt, begunAtWallMs, nowWallMs: run.wallMs() });
          const { runHook } = run.parts;
          if (!runHook) work.outcome = { kind: 'refused', text: 'this coordinator is not set up to run hooks' };
          else void ended(runHook, hook, message, run.signal).then((outcome) => (work.outcome = outcome));
        },
      },
    ],
  };
}

function over(run: Run, hook: PolicyHook, { noted }: Frozen<Hook>, memory: Memory, text: string): Move<Hook> {
  if (canRefuse(hook)) return refusal(run, hook, text);
  return { kind: 'done', result: { passed: false, attempt: noted?.attempt ?? memory.attempt, text } };
}

export const hookKind = stepKind(HOOK, (run, { item }) => hookStep(run, item));
