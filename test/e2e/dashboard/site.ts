import { fileURLToPath } from 'node:url';

export { ensureDashboard } from '../../../scripts/dashboard.mjs';

/** Where the pictures of the documentation lie. */
export const SHOTS = fileURLToPath(new URL('../../../docs/dashboard/', import.meta.url));
