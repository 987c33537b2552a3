import { durationMs, isName, NOTICE_KINDS } from '@understudy/shared';
import * as z from 'zod';

/** A suspicion is over within seconds, one way or the other. */
const TOLD_KINDS = NOTICE_KINDS.filter((kind) => kind !== 'member.suspect');

/** Also true of what is no URL: that is another fault, and has its own words. */
function hasUserInfo(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.username !== '' || url.password !== '');
}

const webhook = z.strictObject({
  /** Names it in metrics, records and commands, 1-63 of `a-z 0-9 . _ -`. */
  name: z.string().refine(isName, 'want 1-63 of a-z 0-9 . _ -, first a letter or digit'),
  /** Where notices are posted. Redirects are not followed. */
  url: z
    .url({ protocol: /^https?$/ })
    .refine(
      (text) => !hasUserInfo(text),
      'a user or password in a URL is logged by others: put a secret into the path',
    ),
  /**
   * File with the secret that signs them, mode 0600: `whsec_` and at least 24 bytes in base64.
   * `echo "whsec_$(openssl rand -base64 32)"` makes one.
   */
  secretFile: z.string().min(1),
  /** The changes that are told. Default: all but `member.suspect`. */
  kinds: z.array(z.enum(NOTICE_KINDS)).min(1).default(TOLD_KINDS),
  /**
   * The groups whose changes are told. Default: all, and what is about no group (leader, problems).
   */
  groups: z.array(z.string().refine(isName, 'want 1-63 of a-z 0-9 . _ -, first a letter or digit')).default([]),
  /**
   * Deadline of one delivery, ms. Default 5 000, 500 to 30 000. Longer waits for slow receivers,
   * shorter gets to the next notice sooner.
   */
  timeoutMs: durationMs(5_000, 500, 30_000),
});

/** Section `notify` of the coordinator's configuration; `docs/notifications.md` is its page. */
export const NotifyConfigSchema = z.strictObject({
  /** Who is told of changes of state, at most 8. Default: nobody. `docs/notifications.md`. */
  webhooks: z.array(webhook).max(8).default([]),
  /** Begins the link in every notice: the address of the dashboard. Default: no link. */
  linkBase: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * A notice that nobody took for so long is put aside, ms. Default 86 400 000 (a day), 60 000 to
   * 604 800 000. Longer rides out longer outages of a receiver; news that old is history.
   */
  giveUpAfterMs: durationMs(86_400_000, 60_000, 604_800_000),
});
