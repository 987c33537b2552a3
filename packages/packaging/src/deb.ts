import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artefact } from './artefact.ts';
import { ARCHITECTURES } from './architecture.ts';
import type { BuildInfo } from './build-info.ts';
import { below, bytesOf, copiedFile, type FileTree, fileTree, textFile, type TreeFile } from './file-tree.ts';
import type { Labels } from './options.ts';
import { runTool } from './run-tool.ts';
import { dateOf, gzipped } from './shared-files.ts';
import { MAINTAINER, RELEASE, type SystemPackage } from './system-package.ts';
import { writeTree } from './write-tree.ts';

const architectureOf = ({ architecture }: SystemPackage): string =>
  architecture === 'all' ? 'all' : ARCHITECTURES[architecture].deb;

/** `contents` is called only when it is made: a .deb that is not asked for costs nothing. */
export function deb(build: BuildInfo, name: string, labels: Labels, contents: () => Promise<SystemPackage>): Artefact {
  const suffix = labels.architecture === undefined ? 'all' : ARCHITECTURES[labels.architecture].deb;
  const file = `${name}_${build.version}-${RELEASE}_${suffix}.deb`;
  return {
    file,
    labels: { ...labels, format: 'deb' },
    make: async ({ fast, out, stage }) => {
      const staged = stage(file);
      const made = await contents();
      await writeTree(staged, await debTree(build, made), build.sourceDateEpochS);
      const compression = made.compressed === true ? ['-Znone'] : fast ? ['-Zzstd', '-z1'] : ['-Zxz', '-z6'];
      const environment = { SOURCE_DATE_EPOCH: String(build.sourceDateEpochS) };
      await runTool('dpkg-deb', ['--root-owner-group', ...compression, '--build', staged, `${out}/${file}`], {
        environment,
      });
      await rm(staged, { recursive: true });
    },
  };
}

async function debTree(build: BuildInfo, made: SystemPackage): Promise<FileTree> {
  const overrides = copiedFile(join(build.root, 'deploy/lint/lintian-overrides'));
  const tree = fileTree(
    [...made.tree],
    [[`usr/share/doc/${made.name}/changelog.Debian.gz`, changelog(build, made)]],
    made.functions === null ? [] : [[`usr/share/lintian/overrides/${made.name}`, overrides]],
  );
  const control: (readonly [string, TreeFile])[] = [
    ['control', textFile(await controlText(build, made, tree))],
    ['md5sums', textFile(await md5sums(tree))],
    ...Object.entries(scriptsOf(made)).map(([name, text]): [string, TreeFile] => [name, textFile(text, 0o755)]),
  ];
  const kept = [...tree].flatMap(([path, { config }]) => (config === true ? [`/${path}\n`] : []));
  if (kept.length > 0) control.push(['conffiles', textFile(kept.join(''))]);
  return fileTree([...tree], below('DEBIAN', fileTree(control)));
}

/** A day of the month as the format wants it; UTC, whatever the zone of this machine. */
const rfc2822 = (date: Date): string => date.toUTCString().replace('GMT', '+0000');

const changelog = (build: BuildInfo, { name }: SystemPackage): TreeFile =>
  gzipped(
    `${name} (${build.version}-${RELEASE}) unstable; urgency=medium\n\n  * Commit ${build.commit}.\n\n -- ${MAINTAINER}  ${rfc2822(dateOf(build))}\n`,
  );

async function controlText(build: BuildInfo, made: SystemPackage, tree: FileTree): Promise<string> {
  const sizes = await Promise.all([...tree.values()].map(async ({ content }) => (await bytesOf(content)).length));
  // As dpkg-gencontrol counts: each file in whole KiB.
  const installedKiB = sizes.reduce((sum, bytes) => sum + Math.max(1, Math.ceil(bytes / 1024)), 0);
  const fields: readonly (readonly [string, string])[] = [
    ['Package', made.name],
    ['Version', `${build.version}-${RELEASE}`],
    ['Architecture', architectureOf(made)],
    ['Maintainer', MAINTAINER],
    ['Installed-Size', String(installedKiB)],
    ...(made.depends.deb.length === 0 ? [] : [['Depends', made.depends.deb.join(', ')] as const]),
    ['Section', 'admin'],
    ['Priority', 'optional'],
    ['Description', `${made.summary}\n ${wrapped(made.description).join('\n ')}`],
  ];
  return fields.map(([name, value]) => `${name}: ${value}\n`).join('');
}

/** Lines of at most 76 letters, as dpkg's descriptions and specs are read on terminals. */
export function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 76) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

async function md5sums(tree: FileTree): Promise<string> {
  const lines = await Promise.all(
    [...tree].map(async ([path, { content, config }]) => {
      if ('linkTo' in content || config === true) return '';
      return `${createHash('md5')
        .update(await bytesOf(content))
        .digest('hex')}  ${path}\n`;
    }),
  );
  return lines.join('');
}

/** What dpkg calls, when: the words of Debian policy 6.5. */
const CASES = {
  preinst: 'install | upgrade) before_install ;;',
  postinst: `configure) if [ -z "\${2:-}" ]; then after_install first; else after_install upgrade; fi ;;`,
  prerm: 'remove | deconfigure) before_remove ;;',
  postrm: 'remove) after_remove ;;\n  purge)\n    disable\n    purge\n    after_remove\n    ;;',
} as const;

function scriptsOf({ functions }: SystemPackage): Readonly<Record<string, string>> {
  if (functions === null) return {};
  const scripts = Object.entries(CASES).map(([name, cases]) => [
    name,
    `#!/bin/sh\nset -e\n\n${functions}\ncase "$1" in\n  ${cases}\nesac\n`,
  ]);
  return Object.fromEntries(scripts) as Record<string, string>;
}
