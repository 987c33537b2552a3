import * as z from 'zod';
import { durationMs } from '../duration-field.ts';

const HOOKS_MAX = 20;

/** Moments of a recovery. A hook *before* something can keep it from happening. */
export const HOOK_MOMENTS = ['before-fence', 'after-fence', 'before-activate', 'after-activate', 'on-failure'] as const;
export type HookMoment = (typeof HOOK_MOMENTS)[number];

const name = z.string().regex(/^[a-z][a-z0-9.-]{0,62}$/, 'want 1-63 of a-z 0-9 . -, first a letter');

const hook = z
  .strictObject({
    /** Names it in the journal, the history and commands. */
    name,
    /** The moment at which it runs. */
    at: z.enum(HOOK_MOMENTS),
    /** A program by its name in `hooks.programs` of the coordinators: a policy says no command. */
    program: name.optional(),
    /** A webhook by its name in `hooks.webhooks` of the coordinators. */
    webhook: name.optional(),
    /** A script on an instance, by its name in `hooks.commands` of the coordinators. */
    command: name.optional(),
    /**
     * Longer than this it may not take. Shorter = a hook that hangs costs less of the outage;
     * longer = slow work is waited for.
     */
    timeoutMs: durationMs(30_000, 1_000, 600_000),
  })
  .refine(
    (one) => [one.program, one.webhook, one.command].filter((named) => named !== undefined).length === 1,
    'name a program, a webhook or a command, and one only',
  );
export type PolicyHook = z.infer<typeof hook>;

/** The operator's programs, webhooks and commands around a recovery. */
export const hookFields = z.strictObject({
  /** Hooks by the moment at which they run; those of one moment run side by side. */
  list: z
    .array(hook)
    .max(HOOKS_MAX)
    .refine((all) => new Set(all.map((one) => one.name)).size === all.length, 'two hooks have the same name')
    .default([]),
});
