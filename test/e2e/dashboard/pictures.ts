import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { DESKTOP, newContext, PHONE } from './browser.ts';
import { SHOTS } from './site.ts';

/** Set to take the pictures of docs/dashboard anew. */
const WANTED = 'UNDERSTUDY_PICTURES';
/** Then nothing is broken on purpose that the pages are not about. */
export const TAKES_PICTURES = process.env[WANTED] !== undefined;

const PICTURES = [
  ['overview-light', '/', DESKTOP, false],
  ['overview-dark', '/', DESKTOP, true],
  ['overview-phone', '/', PHONE, false],
  ['member-light', '/members/:member', DESKTOP, false],
  ['member-phone', '/members/:member', PHONE, true],
  ['cluster-light', '/cluster', DESKTOP, false],
  ['history-dark', '/history', DESKTOP, true],
] as const;

/** Pages are open for so long before anything happens, so that their lines have figures. */
const LOOKED_AT_MS = 45_000;

/** Opens the pages of the documentation's pictures. The returned function takes them, at once. */
export async function openPictures(
  browser: Browser,
  from: BrowserContext,
  url: string,
  member: string,
): Promise<() => Promise<void>> {
  if (!TAKES_PICTURES) return () => Promise.resolve();
  mkdirSync(SHOTS, { recursive: true });
  const { cookies } = await from.storageState();
  const pages: [string, Page][] = [];
  for (const [name, path, viewport, dark] of PICTURES) {
    const context = await newContext(browser, viewport, dark);
    await context.addCookies(cookies);
    const page = await context.newPage();
    await page.goto(`${url}${path.replace(':member', member)}`);
    await page.waitForSelector('.headline .mark');
    pages.push([name, page]);
  }
  await pages[0]?.[1].waitForTimeout(LOOKED_AT_MS);
  return async () => {
    for (const [name, page] of pages) await page.screenshot({ path: join(SHOTS, `${name}.png`), caret: 'hide' });
    for (const [, page] of pages) await page.context().close();
  };
}
