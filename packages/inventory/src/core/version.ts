import type { JsonObject } from './document.ts';

/** Why a version is no longer the current one. */
export type VersionEnd = 'changed' | 'gone';

/**
 * One state of one resource, and how long it was so. It is valid from the crawl that first saw it
 * to the crawl that first saw something else. When exactly it changed is not known: it was between
 * `lastSeenWallMs` and `validToWallMs`.
 */
export interface Version {
  readonly kind: string;
  readonly id: string;
  readonly validFromWallMs: number;
  /** Null: it is the current one. */
  readonly validToWallMs: number | null;
  /** The last crawl that saw it so. */
  readonly lastSeenWallMs: number;
  /** Null while it is the current one. */
  readonly end: VersionEnd | null;
  /** The crawl that first saw it. */
  readonly crawl: string;
  /** Who made the change that began it, as far as events of AWS say so. Null: they do not. */
  readonly changedBy: string | null;
  readonly document: JsonObject;
}

/** What is kept of the current version of a resource between crawls. */
export interface OpenVersion {
  readonly id: string;
  readonly validFromWallMs: number;
  /** Digest of the canonical document. */
  readonly digest: string;
  readonly isTagged: boolean;
  /** Its document says that it is over (a terminated instance). */
  readonly hasEnded: boolean;
  /** Null: the last complete crawl saw it. */
  readonly missed: Missed | null;
}

/** Complete crawls in a row have not seen the resource. */
export interface Missed {
  readonly count: number;
  /** The first of them. */
  readonly sinceWallMs: number;
  readonly lastSeenWallMs: number;
}

/** A resource as a crawl saw it. */
export interface SeenResource {
  readonly id: string;
  readonly digest: string;
  /** The canonical document, as JSON. */
  readonly text: string;
  readonly isTagged: boolean;
  readonly hasEnded: boolean;
}
