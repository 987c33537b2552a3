import { join } from 'node:path';
import { ROOT, setUp } from '../../../scripts/setup.mjs';
import { ensureDashboard } from '../../../scripts/dashboard.mjs';

/** The dashboard, built of the source of now. */
export const builtSite = async (): Promise<string> => ensureDashboard(await setUp());

export const SHOTS = join(ROOT, 'docs', 'dashboard');
