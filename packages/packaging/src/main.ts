import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allArtefacts } from './all-artefacts.ts';
import { buildElsewhere, differences } from './build-elsewhere.ts';
import { buildInfo } from './build-info.ts';
import { type Made, makeArtefacts } from './make-artefacts.ts';
import { packageOptions, USAGE, UsageError } from './options.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

const sized = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`.padStart(9);
const line = ({ file, bytes, sha256, tookMs }: Made): string =>
  `${sized(bytes)}  ${(tookMs / 1000).toFixed(1).padStart(5)} s  ${sha256.slice(0, 16)}…  ${file}\n`;

async function compare(root: string, args: readonly string[], out: string): Promise<number> {
  const startedMs = performance.now();
  process.stdout.write('once more, elsewhere, under another umask, zone and locale …\n');
  const sums = await readFile(join(out, 'SHA256SUMS'), 'utf8');
  const differing = differences(sums, await buildElsewhere(root, args));
  const tookS = ((performance.now() - startedMs) / 1000).toFixed(0);
  if (differing.length === 0) process.stdout.write(`the same to the last bit, all of it (${tookS} s)\n`);
  else process.stderr.write(`NOT reproducible: ${differing.join(', ')}\n`);
  return differing.length === 0 ? 0 : 1;
}

/** Makes what the arguments ask for. Returns the exit code. */
async function runPackage(args: readonly string[]): Promise<number> {
  const options = packageOptions(args);
  const build = buildInfo(ROOT.replace(/\/$/, ''), process.env, options.version);
  const out = resolve(options.out ?? join(ROOT, 'dist/packages'));
  const stages = join(ROOT, '.cache/packages/stage', String(process.pid));
  const date = new Date(build.sourceDateEpochS * 1000).toISOString();
  process.stdout.write(`understudy ${build.version}, commit ${build.commit.slice(0, 12)} of ${date}\n`);
  try {
    const workshop = { build, fast: options.fast, out, stage: (name: string) => join(stages, name) };
    const artefacts = await allArtefacts(workshop, options);
    const onMade = (made: Made) => process.stdout.write(line(made));
    await makeArtefacts(artefacts, { workshop, nowMs: () => performance.now(), onMade });
    process.stdout.write(`sums of all: ${join(out, 'SHA256SUMS')}\n`);
    return options.verify ? await compare(build.root, args, out) : 0;
  } finally {
    rmSync(stages, { recursive: true, force: true });
  }
}

/** Node's own parser of arguments has codes that begin so. */
const isUsage = (error: unknown): boolean =>
  error instanceof UsageError ||
  (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));

try {
  process.exitCode = await runPackage(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`package: ${error instanceof Error ? error.message : String(error)}\n`);
  if (isUsage(error)) process.stderr.write(`${USAGE}\n`);
  process.exitCode = isUsage(error) ? 64 : 1;
}
