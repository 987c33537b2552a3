import { createHmac } from 'node:crypto';
import type { Sink } from './sink.ts';

/** A receiver over HTTP. */
export interface Webhook extends Sink {
  readonly url: string;
}

/** `whsec_` and at least 24 bytes in base64, as Standard Webhooks has it. Null: it is none. */
export function webhookSecret(text: string): Uint8Array | null {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  const bytes = base64 === undefined ? null : Buffer.from(base64, 'base64');
  return bytes !== null && bytes.length >= 24 ? bytes : null;
}

/**
 * Headers of one delivery (https://www.standardwebhooks.com, version 1): the receiver checks that
 * the body is ours and fresh, and drops an id it has had.
 */
export function signedHeaders(
  secret: Uint8Array,
  { id, body, nowWallMs }: { readonly id: string; readonly body: string; readonly nowWallMs: number },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowWallMs / 1_000));
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
}
