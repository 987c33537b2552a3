import type { NoticeKind, NoticeRecord, ProblemCode } from '@understudy/shared';

/** Where notices go, and which of them: a webhook, a topic, a bus. */
export interface Sink {
  /** Names it in records, metrics and commands. */
  readonly name: string;
  readonly kinds: readonly NoticeKind[];
  /** Empty: of all groups, and what is about no group. */
  readonly groups: readonly string[];
  /** One delivery, ms. */
  readonly timeoutMs: number;
}

/** A sink of the configuration. */
export interface ConfiguredSink extends Sink {
  /** What is wrong where it takes nothing for a while. */
  readonly failing: Extract<ProblemCode, `${string}_FAILING`>;
}

/** What an operator sends again goes where they say, whatever it wants otherwise. */
export const wants = (
  { name, kinds, groups }: Sink,
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
 * The body that is sent, as JSON: `type` and `timestamp` as Standard Webhooks has them, `text` as
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

/** One notice as it is sent. */
export interface NoticeMessage
  extends Pick<NoticeRecord, 'id' | 'kind' | 'severity' | 'group' | 'members' | 'memberCount' | 'atWallMs' | 'what'> {
  /** {@link bodyOf} it. */
  readonly body: string;
}

export const messageOf = (notice: Told, linkBase: string | null): NoticeMessage => {
  const { id, kind, severity, group, members, memberCount, atWallMs, what } = notice;
  return { id, kind, severity, group, members, memberCount, atWallMs, what, body: bodyOf(notice, linkBase) };
};

/** One try to deliver. `isOfNotice`: the receiver is there and does not take this one. */
export type Delivery =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly text: string; readonly isOfNotice: boolean };

/** Sends one notice to one sink. Never rejects; bounded by the sink's own time. */
export type SendNotice = (sink: Sink, message: NoticeMessage, signal: AbortSignal) => Promise<Delivery>;
