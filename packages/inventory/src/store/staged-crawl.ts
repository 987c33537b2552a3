import { createHash } from 'node:crypto';
import type { Raw } from '@understudy/shared';
import { canonical, isTagged } from '../core/canonical.ts';
import type { Kind } from '../core/kinds/kind.ts';
import type { SeenResource } from '../core/version.ts';

/** What has come of one crawl of one kind. */
export class StagedCrawl {
  readonly resources = new Map<string, SeenResource>();
  /** What came, also more than once, or without an id. */
  rows = 0;
  readonly #kind: Kind;

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  /** A resource that comes twice is taken as it came last. */
  add(rows: readonly Raw[], scope: string): void {
    this.rows += rows.length;
    for (const row of rows) {
      const id = this.#kind.idOf(row, scope);
      if (id !== null) this.resources.set(id, this.#seen(id, row));
    }
  }

  #seen(id: string, row: Raw): SeenResource {
    const document = canonical(row, this.#kind.volatile);
    const text = JSON.stringify(document);
    return {
      ...{ id, text, isTagged: isTagged(document), hasEnded: this.#kind.hasEnded(document) },
      digest: createHash('sha256').update(text).digest('base64url'),
    };
  }
}
