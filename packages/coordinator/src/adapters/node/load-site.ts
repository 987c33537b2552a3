import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { errorText, OperationError } from '@understudy/shared';

/** Where `npm run dashboard` builds it in a checkout. The packages have it beside their code. */
const IN_CHECKOUT = fileURLToPath(new URL('../../../../dashboard/dist/site', import.meta.url));

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** More than ten times what the page has today. A folder with more is another folder. */
const BYTES_MAX = 4_194_304;
const FILES_MAX = 64;

function fileOf(path: string) {
  const bytes = readFileSync(path);
  return { bytes, gzipped: gzipSync(bytes), mediaType: MEDIA_TYPES[extname(path)] ?? 'application/octet-stream' };
}

function siteIn(folder: string) {
  const names = readdirSync(join(folder, 'assets'));
  const size = names.reduce((sum, name) => sum + statSync(join(folder, 'assets', name)).size, 0);
  if (size > BYTES_MAX || names.length > FILES_MAX)
    throw new RangeError(`${names.length} files of ${size} bytes are no dashboard of ours`);
  return {
    index: fileOf(join(folder, 'index.html')),
    assets: new Map(names.map((name) => [name, fileOf(join(folder, 'assets', name))])),
  };
}

/**
 * Reads the dashboard into memory. Null: no folder was named, and there is none in the checkout.
 * @throws CONFIG_INVALID when the folder that was named is not one.
 */
export function loadSite(folder: string | undefined, usual: string = IN_CHECKOUT): ReturnType<typeof siteIn> | null {
  try {
    return siteIn(folder ?? usual);
  } catch (cause) {
    if (folder === undefined) return null;
    throw new OperationError('CONFIG_INVALID', `http.dashboardDir: ${folder} has no dashboard: ${errorText(cause)}`, {
      cause,
    });
  }
}
