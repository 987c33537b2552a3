import type { Architecture } from './architecture.ts';
import type { FileTree } from './file-tree.ts';

/** What a .deb and an .rpm are both made of. */
export interface SystemPackage {
  readonly name: string;
  readonly architecture: Architecture | 'all';
  /** One line, without a full stop. */
  readonly summary: string;
  readonly description: string;
  readonly depends: { readonly deb: readonly string[]; readonly rpm: readonly string[] };
  /** From the root of the machine on. */
  readonly tree: FileTree;
  /**
   * Shell functions `before_install`, `after_install first|upgrade`, `before_remove`,
   * `after_remove`, `disable` and `purge` (deploy/maintainer); null: nothing is to be done.
   */
  readonly functions: string | null;
  /** True: what is in it is compressed already. */
  readonly compressed?: boolean;
}

/** Said by both formats; there is no public address yet, and `.invalid` can be nobody's. */
export const MAINTAINER = 'The Understudy authors <understudy@understudy.invalid>';
/** The same contents packaged once more would count up. */
export const RELEASE = '1';
