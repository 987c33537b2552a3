import { isAbsolute } from 'node:path';
import * as z from 'zod';

const name = z.string().regex(/^[a-z][a-z0-9.-]{0,62}$/, 'want 1-63 of a-z 0-9 . -, first a letter');

const program = z.strictObject({
  /** What policies call it. */
  name,
  /** The program by its full path, and its arguments. No shell reads them. */
  argv: z
    .array(z.string().max(4_096))
    .min(1)
    .max(32)
    .refine((argv) => isAbsolute(argv[0] ?? ''), 'the program is named by its full path'),
  /** Its environment, beside PATH, LANG and UNDERSTUDY_HOOK_ID; nothing of ours is given on. */
  env: z.record(z.string().regex(/^[A-Z_][A-Z0-9_]{0,63}$/), z.string().max(4_096)).default({}),
});
export type HookProgram = z.infer<typeof program>;

const webhook = z.strictObject({
  /** What policies call it. */
  name,
  /** Where the facts are posted, signed. Redirects are not followed. */
  url: z.url({ protocol: /^https?$/ }),
  /** File with the secret that signs them, mode 0600, as of `notify.webhooks`. */
  secretFile: z.string().min(1),
});

const command = z.strictObject({
  /** What policies call it. */
  name,
  /**
   * Lines for `/bin/sh`, run as root by the agent of Systems Manager, up to 16 384 characters.
   */
  script: z.string().min(1).max(16_384),
  /** Where: the failed instance, its replacement, or an instance by its id. */
  on: z.union([z.enum(['predecessor', 'successor']), z.string().regex(/^i-[0-9a-f]{8,17}$/, 'want i-…')]),
  /**
   * What it comes to when the instance was not seen to begin it. Default `refuse`. `pass`: a dead
   * machine keeps nothing waiting beyond the hook's time; nobody knows then that it did not run.
   */
  whenUnreached: z.enum(['refuse', 'pass']).default('refuse'),
});
export type HookCommand = z.infer<typeof command>;

/**
 * Section `hooks`: the programs, webhooks and commands that policies may name (`docs/hooks.md`). A
 * policy is written by operators over the API; what may run on this host, or on an instance, is
 * decided on this host.
 */
export const HooksConfigSchema = z.strictObject({
  /** Default: none. */
  programs: z.array(program).max(32).default([]),
  /** Default: none. */
  webhooks: z.array(webhook).max(32).default([]),
  /** Scripts that run on instances through Systems Manager. Default: none. */
  commands: z.array(command).max(32).default([]),
});
export type HooksConfig = z.infer<typeof HooksConfigSchema>;
