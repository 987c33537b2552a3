/** `npm run dashboard`: builds the page that coordinators serve, where its source changed. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, runMain } from './run.mjs';
import { ROOT, setUp } from './setup.mjs';

const PACKAGE = join(ROOT, 'packages', 'dashboard');
export const SITE = join(PACKAGE, 'dist', 'site');
/** A test runner says `test` here, and a page built so would carry paths of this machine. */
const BUILD = { NODE_ENV: 'production' };
const STAMP = join(PACKAGE, 'dist', 'site-stamp');

/** Everything the page is made of: our source, the words it shares, and the versions installed. */
function sourceHash() {
  const folders = [join(PACKAGE, 'src'), join(ROOT, 'packages', 'shared', 'src')];
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile() && !each.name.endsWith('.test.ts'))
      .map((each) => join(each.parentPath, each.name)),
  );
  files.push(join(PACKAGE, 'index.html'), join(PACKAGE, 'vite.config.ts'), join(ROOT, 'pnpm-lock.yaml'));
  const hash = createHash('sha256').update(JSON.stringify(BUILD));
  for (const file of files.sort((one, other) => (one < other ? -1 : 1)))
    hash.update(file.slice(ROOT.length)).update(readFileSync(file));
  return hash.digest('hex');
}

/**
 * Builds the dashboard unless it is there, made of this source. Returns its folder.
 * @param {{ node: string, env: NodeJS.ProcessEnv }} [tools] as `setUp` gives them
 */
export async function ensureDashboard(tools) {
  const wanted = sourceHash();
  if (existsSync(join(SITE, 'index.html')) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return SITE;
  const { node, env } = tools ?? (await setUp());
  const vite = join(PACKAGE, 'node_modules', 'vite', 'bin', 'vite.js');
  const code = await run(node, [vite, 'build'], { cwd: PACKAGE, env: { ...env, ...BUILD }, watchParent: true });
  if (code !== 0) throw new Error(`building the dashboard failed (exit code ${code})`);
  writeFileSync(STAMP, wanted);
  return SITE;
}

if (process.argv[1] === import.meta.filename)
  await runMain(async () => {
    await ensureDashboard();
    return 0;
  });
