import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ensureDashboard } from '../../../scripts/dashboard.mjs';
import { inputsOf } from './bundle-inputs.ts';
import { readIntegrities } from './lockfile.ts';
import { type ShippedPackage, shippedPackages } from './shipped-packages.ts';

/** The page that coordinators serve, built, and whose code is in it. */
export interface DashboardSite {
  readonly folder: string;
  readonly packages: readonly ShippedPackage[];
}

/** vite says no inputs; esbuild reads the same entry only to name them. */
async function inputsOfPage(root: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['packages/dashboard/src/main.tsx'],
    outdir: join(root, 'dist/unwritten'),
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    conditions: ['source'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'error',
  });
  return inputsOf(metafile);
}

/** Builds the dashboard where its source changed. */
export async function dashboardSite(root: string): Promise<DashboardSite> {
  const folder = await ensureDashboard({ node: process.execPath, env: process.env });
  if (!existsSync(join(folder, 'index.html'))) throw new Error(`${folder} has no page`);
  return { folder, packages: shippedPackages(root, await inputsOfPage(root), readIntegrities(root)) };
}
