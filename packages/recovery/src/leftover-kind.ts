import type { Cloud, CloudCallOptions, HistoryRecord } from '@understudy/shared';

/** A kind of resource that recoveries leave behind. Contributed by whoever makes such resources. */
export interface LeftoverKind {
  /** Stands in the history, with the id. */
  readonly kind: string;
  /** Those with a smaller number go first: what stands on another resource goes before it. */
  readonly order: number;
  /** What one is, for people. */
  text(history: Pick<HistoryRecord, 'oldInstanceId'>): string;
  /** How an abandoned recovery says that it left these; absent: it never leaves any. */
  leftAs?(ids: readonly string[]): string;
  /**
   * Sends the deletion. Idempotent: what is gone is CLOUD_NOT_FOUND. Absent: whether one may go is
   * judged by looking at it. @throws as the calls of {@link Cloud} do.
   */
  readonly remove?: (cloud: Cloud, id: string, options: CloudCallOptions) => Promise<void>;
}

/** What was made, in words, one a kind; those that go last are named first. */
export function leftAsTexts(
  made: readonly { readonly kind: string; readonly id: string }[],
  kinds: readonly LeftoverKind[],
): readonly string[] {
  const idsOf = ({ kind }: LeftoverKind) => made.flatMap((one) => (one.kind === kind ? [one.id] : []));
  return kinds
    .toSorted((a, b) => b.order - a.order)
    .flatMap((kind) => {
      const ids = idsOf(kind);
      return ids.length > 0 ? (kind.leftAs?.(ids) ?? []) : [];
    });
}
