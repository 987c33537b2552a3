import { readFile } from 'node:fs/promises';

/** Where a file's content comes from: text in memory, a file that is copied, or it is a link. */
export type Content =
  | { readonly text: string | Uint8Array }
  | { readonly copyOf: string }
  | { readonly linkTo: string };

/** One file of an artefact. Owner and group are root everywhere; the date is the build's. */
export interface TreeFile {
  readonly content: Content;
  /** Permission bits, as 0o644. */
  readonly mode: number;
  /** True: belongs to the administrator once it is installed; an upgrade keeps what was edited. */
  readonly config?: boolean;
}

/** Path without a leading slash → file. */
export type FileTree = ReadonlyMap<string, TreeFile>;

export const textFile = (text: string | Uint8Array, mode = 0o644): TreeFile => ({ content: { text }, mode });
export const copiedFile = (path: string, mode = 0o644): TreeFile => ({ content: { copyOf: path }, mode });
export const program = (content: Content): TreeFile => ({ content, mode: 0o755 });
export const configFile = (path: string, mode: number): TreeFile => ({ content: { copyOf: path }, mode, config: true });
export const link = (to: string): TreeFile => ({ content: { linkTo: to }, mode: 0o777 });

const PATH = /^[A-Za-z0-9@_+.-]+(?:\/[A-Za-z0-9@_+.-]+)*$/;

/**
 * @throws Error on a path given twice, or one that leaves the tree or would need quoting somewhere.
 */
export function fileTree(...parts: readonly (readonly (readonly [string, TreeFile])[])[]): FileTree {
  const tree = new Map<string, TreeFile>();
  for (const [path, file] of parts.flat()) {
    if (!PATH.test(path) || path.split('/').includes('..')) throw new Error(`unusable path in an artefact: ${path}`);
    if (tree.has(path)) throw new Error(`${path} stands twice in one artefact`);
    tree.set(path, file);
  }
  return new Map([...tree].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The same files in a folder of that name; '' moves nothing. */
export const below = (folder: string, tree: FileTree): readonly (readonly [string, TreeFile])[] =>
  [...tree].map(([path, file]) => [folder === '' ? path : `${folder}/${path}`, file]);

/** A link has none of its own. */
export async function bytesOf(content: Content): Promise<string | Uint8Array> {
  if ('linkTo' in content) return '';
  return 'text' in content ? content.text : readFile(content.copyOf);
}
