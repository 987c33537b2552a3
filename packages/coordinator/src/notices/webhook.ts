import type { NoticeKind, NoticeRecord } from '@understudy/shared';
import { createHmac } from 'node:crypto';

/** Where notices go, and which of them. */
export interface Webhook {
  /** Names it in records, metrics and commands. */
  readonly name: string;
  readonly url: string;
  readonly kinds: readonly NoticeKind[];
  /** Empty: of all groups, and what is about no group. */
  readonly groups: readonly string[];
  /** One delivery, ms. */
  readonly timeoutMs: number;
}

/** What an operator sends again goes where they say, whatever it wants otherwise. */
export const wants = (
  { name, kinds, groups }: Webhook,
  { kind, group, onlyTo }: Pick<NoticeRecord, 'kind' | 'group' | 'onlyTo'>,
): boolean =>
  onlyTo === null
    ? kinds.includes(kind) && (groups.length === 0 || (group !== null && groups.includes(group)))
    : onlyTo === name;

type Told = Pick<
  NoticeRecord,
  'id' | 'kind' | 'severity' | 'group' | 'members' | 'memberCount' | 'opId' | 'atWallMs' | 'what' | 'why' | 'next'
>;

/**
 * The body that is posted, as JSON: `type` and `timestamp` as Standard Webhooks has them, `text` as
 * chat services want it, and the facts for programs.
 */
export function bodyOf(notice: Told, linkBase: string | null): string {
  const { id, kind, severity, group, members, memberCount, opId, atWallMs, what, why, next } = notice;
  const [only] = members;
  const path = memberCount === 1 && only !== undefined ? `#/members/${only}` : '';
  const link = linkBase === null ? null : `${linkBase.replace(/\/+$/, '')}/${path}`;
  const text = `[${severity}] ${what}\nWhy: ${why}\nNext: ${next}${link === null ? '' : `\n${link}`}`;
  const timestamp = new Date(atWallMs).toISOString();
  const facts = { id, type: kind, timestamp, severity, group, members, memberCount, recovery: opId };
  return JSON.stringify({ ...facts, what, why, next, link, text });
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

/** One try to deliver. `isOfNotice`: the receiver is there and does not take this one. */
export type Delivery =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly text: string; readonly isOfNotice: boolean };

/** Sends one body to one webhook. Never rejects; bounded by the webhook's own time. */
export type SendNotice = (
  webhook: Webhook,
  message: { readonly id: string; readonly body: string },
  signal: AbortSignal,
) => Promise<Delivery>;
