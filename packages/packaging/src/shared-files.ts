import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BuildInfo } from './build-info.ts';
import { copiedFile, textFile, type TreeFile } from './file-tree.ts';

/** As gzip -9n: neither name nor date inside. */
export const gzipped = (text: string): TreeFile => textFile(gzipSync(text, { level: 9 }));

export const dateOf = ({ sourceDateEpochS }: BuildInfo): Date => new Date(sourceDateEpochS * 1000);

/** A page of the manual, `understudy.1`, with the version and date of this build. */
export function manPage(build: BuildInfo, name: string): readonly [string, TreeFile] {
  const text = readFileSync(join(build.root, 'deploy/man', name), 'utf8')
    .replaceAll('@VERSION@', build.version)
    .replaceAll('@DATE@', dateOf(build).toISOString().slice(0, 10));
  return [`usr/share/man/man${name.slice(-1)}/${name}.gz`, gzipped(text)];
}

const COPYRIGHT = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: understudy
Comment: Node.js and parts of other packages are inside: see LICENSE.node and
 THIRD-PARTY-LICENSES beside the program.

Files: *
Copyright: 2026 The Understudy authors
License: Apache-2.0
 On Debian systems the text is in /usr/share/common-licenses/Apache-2.0; it also stands in the file
 LICENSE beside the program.
`;

/** The folder of documentation that every package has. */
export const documentation = (
  build: BuildInfo,
  packageName: string,
  pages: readonly string[],
): readonly (readonly [string, TreeFile])[] => [
  [`usr/share/doc/${packageName}/copyright`, textFile(COPYRIGHT)],
  ...pages.map((page): readonly [string, TreeFile] => [
    `usr/share/doc/${packageName}/${page}`,
    copiedFile(join(build.root, 'docs', page)),
  ]),
];
