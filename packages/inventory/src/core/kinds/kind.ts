import type { Raw, ResourceListing } from '@understudy/shared';
import type { Volatile } from '../canonical.ts';
import type { JsonObject } from '../document.ts';

/** What a listing of its own is asked with, by what it is about. */
export const SCOPES = { 'hosted-zone': 'HostedZoneId', 'target-group': 'TargetGroupArn' } as const;
export type ScopeKind = keyof typeof SCOPES;

/** What there is a listing of its own for, as configured. */
export type Scopes = Readonly<Record<ScopeKind, readonly string[]>>;

/** One kind of resource: how it is listed, what names it, and what about it says nothing. */
export interface Kind {
  /** Its name in commands, paths and records; unique. */
  readonly name: string;
  readonly listing: ResourceListing;
  /**
   * The resources of this kind belong to named scopes, each with a listing of its own. Null: the
   * account has one list.
   */
  readonly scope: ScopeKind | null;
  /** Null: the row is no resource of this kind. `scope`: where it was listed, or an empty text. */
  readonly idOf: (row: Raw, scope: string) => string | null;
  /** What changes without anything having happened. */
  readonly volatile: Volatile;
  /**
   * Its own words say that it is over: when it is not listed any more, it is gone, without another
   * look.
   */
  readonly hasEnded: (document: JsonObject) => boolean;
}
