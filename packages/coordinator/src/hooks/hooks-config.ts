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

/**
 * Section `hooks`: the programs and webhooks that policies may name (`docs/hooks.md`). A policy is
 * written by operators over the API; what may run on this host is decided on this host.
 */
export const HooksConfigSchema = z.strictObject({
  /** Default: none. */
  programs: z.array(program).max(32).default([]),
  /** Default: none. */
  webhooks: z.array(webhook).max(32).default([]),
});
export type HooksConfig = z.infer<typeof HooksConfigSchema>;
