import { parseArgs } from 'node:util';
import { ARCHITECTURES, type Architecture } from './architecture.ts';

/** The words of `--only`. Of each kind that is named, one has to fit. */
const KINDS = {
  format: ['tarball', 'deb', 'rpm', 'sbom', 'lambda'],
  part: ['agent', 'coordinator', 'artefacts', 'watchman'],
  architecture: Object.keys(ARCHITECTURES),
} as const satisfies Readonly<Record<string, readonly string[]>>;

type Kind = keyof typeof KINDS;
/** What an artefact is, of each kind; absent: it is of none, and any word fits. */
export interface Labels {
  readonly format?: (typeof KINDS.format)[number];
  readonly part?: (typeof KINDS.part)[number];
  readonly architecture?: Architecture;
}

export interface PackageOptions {
  /** Whether an artefact is to be made. */
  readonly wanted: (labels: Labels) => boolean;
  /** Quick and large: for tests. */
  readonly fast: boolean;
  /** Build everything twice and compare. */
  readonly verify: boolean;
  /** Instead of the manifest's. */
  readonly version?: string;
  /** Folder that the artefacts go to. */
  readonly out?: string;
}

/** What the arguments are not; the usage is shown with it. */
export class UsageError extends Error {}

export const USAGE = `usage: npm run package -- [--only WORD,…] [--fast] [--verify] [--package-version V] [--out FOLDER]
  --only             ${Object.values(KINDS).flat().join(', ')}; all of one kind where none of it is named
  --fast             light compression, for tests: quick and large
  --verify           build twice, elsewhere and under another umask, zone and locale; compare
  --package-version  instead of package.json's
  --out              instead of dist/packages`;

/** @throws Error with what is wrong. */
export function packageOptions(args: readonly string[]): PackageOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      fast: { type: 'boolean' },
      verify: { type: 'boolean' },
      'package-version': { type: 'string' },
      out: { type: 'string' },
    },
  });
  const version = values['package-version'];
  return {
    wanted: wantedBy((values.only ?? []).flatMap((words) => words.split(','))),
    fast: values.fast ?? false,
    verify: values.verify ?? false,
    ...(version === undefined ? {} : { version }),
    ...(values.out === undefined ? {} : { out: values.out }),
  };
}

function wantedBy(words: readonly string[]): (labels: Labels) => boolean {
  const unknown = words.filter((word) => !Object.values<readonly string[]>(KINDS).flat().includes(word));
  if (unknown.length > 0) throw new UsageError(`--only ${unknown.join(', ')}: there is no such word`);
  const chosen = Object.entries<readonly string[]>(KINDS).map(([kind, known]) => ({
    kind: kind as Kind,
    any: words.filter((word) => known.includes(word)),
  }));
  return (labels) =>
    chosen.every(({ kind, any }) => {
      const label = labels[kind];
      return any.length === 0 || label === undefined || any.includes(label);
    });
}
