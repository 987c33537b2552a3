import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ARCHITECTURES } from './architecture.ts';
import type { Artefact, Workshop } from './artefact.ts';
import type { BuildInfo } from './build-info.ts';
import { wrapped } from './deb.ts';
import type { Labels } from './options.ts';
import { runTool } from './run-tool.ts';
import { dateOf } from './shared-files.ts';
import { MAINTAINER, RELEASE, type SystemPackage } from './system-package.ts';
import { writeTree } from './write-tree.ts';

/** `contents` is called only when it is made. */
export function rpm(build: BuildInfo, name: string, labels: Labels, contents: () => Promise<SystemPackage>): Artefact {
  const target = labels.architecture === undefined ? 'noarch' : ARCHITECTURES[labels.architecture].rpm;
  const file = `${name}-${build.version}-${RELEASE}.${target}.rpm`;
  return {
    file,
    labels: { ...labels, format: 'rpm' },
    make: async (workshop) => makeRpm(workshop, { file, target, made: await contents() }),
  };
}

interface Making {
  readonly file: string;
  readonly target: string;
  readonly made: SystemPackage;
}

async function makeRpm(workshop: Workshop, making: Making): Promise<void> {
  // Not in the checkout: rpmbuild does not take paths with blanks.
  const top = await mkdtemp(join(tmpdir(), 'understudy-rpm-'));
  try {
    await buildIn(top, workshop, making);
  } finally {
    await rm(top, { recursive: true, force: true });
  }
}

async function buildIn(top: string, { build, fast, out }: Workshop, { file, target, made }: Making): Promise<void> {
  await writeTree(join(top, 'files'), made.tree, build.sourceDateEpochS);
  const spec = join(top, `${made.name}.spec`);
  await writeFile(spec, specText(build, made));
  const payload = made.compressed === true ? 'w1.gzdio' : fast ? 'w1.zstdio' : 'w19.zstdio';
  const folders = { _topdir: top, _tmppath: top, our_files: join(top, 'files') };
  const macros = { ...folders, _binary_payload: payload, ...REPRODUCIBLE };
  const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  const environment = { SOURCE_DATE_EPOCH: String(build.sourceDateEpochS), HOME: top };
  await runTool('rpmbuild', ['-bb', '--quiet', '--target', target, ...defines, spec], { environment });
  await copyFile(join(top, 'RPMS', target, file), join(out, file));
}

/** No name, clock or tool of this machine gets into a package; what is in it is not touched. */
const REPRODUCIBLE: Readonly<Record<string, string>> = {
  _buildhost: 'understudy.invalid',
  use_source_date_epoch_as_buildtime: '1',
  clamp_mtime_to_source_date_epoch: '1',
  source_date_epoch_from_changelog: '0',
  _build_id_links: 'none',
  __strip: '/bin/true',
  __os_install_post: '%{nil}',
  debug_package: '%{nil}',
  // Debian's rpm calls it something that other systems do not know.
  _dbpath: '/var/lib/rpm',
};

function specText(build: BuildInfo, made: SystemPackage): string {
  const requires = made.depends.rpm.map((one) => `Requires: ${one}\n`).join('');
  return `Name: ${made.name}
Version: ${build.version}
Release: ${RELEASE}
Summary: ${made.summary.slice(0, 1).toUpperCase()}${made.summary.slice(1)}
Packager: ${MAINTAINER}
License: Apache-2.0
AutoReqProv: no
${requires}
%description
${wrapped(made.description).join('\n')}

%install
cp -a "%{our_files}/." "%{buildroot}/"

${scriptlets(made)}
%files
%defattr(-,root,root,-)
${filesOf(made).join('\n')}

%changelog
* ${changelogDate(build)} ${MAINTAINER} - ${build.version}-${RELEASE}
- Commit ${build.commit}.
`;
}

/** `Sat Nov 28 2026`; UTC, whatever the zone of this machine. */
const changelogDate = (build: BuildInfo): string =>
  dateOf(build)
    .toUTCString()
    .replace(/^(\w+), (\d+) (\w+) (\d+) .*/, '$1 $3 $2 $4');

/** Folders that are nobody else's, and every file; what is the administrator's is not replaced. */
function filesOf({ tree }: SystemPackage): readonly string[] {
  const own = new Set([...tree.keys()].flatMap((path) => /^(?:usr\/lib|etc)\/understudy(?=\/)/.exec(path)?.[0] ?? []));
  const inside = new Set<string>();
  for (const path of tree.keys()) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      if ([...own].some((one) => folder === one || folder.startsWith(`${one}/`))) inside.add(folder);
    }
  }
  const folders = [...inside].sort((one, other) => (one < other ? -1 : 1)).map((path) => `%dir /${path}`);
  const files = [...tree].map(([path, { config, mode }]) =>
    config === true
      ? `%config(noreplace) %verify(not group) %attr(0${mode.toString(8)},root,root) /${path}`
      : `/${path}`,
  );
  return [...folders, ...files];
}

/** $1 is how many of this package there are afterwards. */
function scriptlets({ functions }: SystemPackage): string {
  if (functions === null) return '';
  const text = functions.replaceAll('%', '%%');
  const cases = {
    pre: 'before_install',
    post: 'if [ "$1" = 1 ]; then after_install first; else after_install upgrade; fi',
    preun: 'if [ "$1" = 0 ]; then before_remove; disable; fi',
    postun: 'if [ "$1" = 0 ]; then after_remove; fi',
  };
  return Object.entries(cases)
    .map(([name, run]) => `%${name}\n${text}\n${run}\n`)
    .join('\n');
}
