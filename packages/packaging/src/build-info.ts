import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What every artefact of one build shares. */
export interface BuildInfo {
  /** The checkout. */
  readonly root: string;
  /** `0.1.0`, of the top manifest, unless another was asked for. */
  readonly version: string;
  /** The date of the commit, Unix seconds: every date in an artefact is this one. */
  readonly sourceDateEpochS: number;
  /** Forty hex digits, or `unknown` outside a checkout. */
  readonly commit: string;
}

/** Letters that dpkg, rpm, a file name and a shell take without quoting. */
const VERSION = /^\d+\.\d+\.\d+(?:[.~+][0-9A-Za-z.~+]+)?$/;

const git = (root: string, ...args: readonly string[]): string | null => {
  try {
    return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
};

/** SOURCE_DATE_EPOCH goes before the commit's date, as everywhere (reproducible-builds.org). */
function sourceDate(root: string, environment: NodeJS.ProcessEnv): number {
  const text = environment.SOURCE_DATE_EPOCH ?? git(root, 'log', '-1', '--format=%ct') ?? '';
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new Error('no date to build with: run this in a git checkout, or set SOURCE_DATE_EPOCH (Unix seconds)');
}

/**
 * @throws Error when there is neither a commit nor SOURCE_DATE_EPOCH, or the version is unusable.
 */
export function buildInfo(root: string, environment: NodeJS.ProcessEnv, wanted?: string): BuildInfo {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const version = wanted ?? manifest.version;
  if (!VERSION.test(version)) throw new Error(`version ${version}: want 1.2.3, or 1.2.3~rc1 before it`);
  const sourceDateEpochS = sourceDate(root, environment);
  return { root, version, sourceDateEpochS, commit: git(root, 'rev-parse', 'HEAD') ?? 'unknown' };
}
