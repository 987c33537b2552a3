import * as z from 'zod';
import { SINK_FIELDS, type SinkKind } from './sink-kind.ts';

/** Also true of what is no URL: that is another fault, and has its own words. */
function hasUserInfo(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.username !== '' || url.password !== '');
}

const schema = z.strictObject({
  ...SINK_FIELDS,
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
});

/** Receivers over HTTP, by Standard Webhooks. */
export const webhooks = {
  schema,
  failing: 'WEBHOOK_FAILING',
  open:
    (sink, { post }) =>
    (message, signal) =>
      post(sink, message, signal),
} satisfies SinkKind<z.infer<typeof schema>, typeof schema>;
