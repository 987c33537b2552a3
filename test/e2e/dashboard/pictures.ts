import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { DESKTOP, newContext, PHONE } from './browser.ts';
import { SHOTS } from './site.ts';

/** Set to take the pictures of docs/dashboard anew. */
const WANTED = 'UNDERSTUDY_PICTURES';

const PICTURES = [
  ['overview-light', '/', DESKTOP, false],
  ['overview-dark', '/', DESKTOP, true],
  ['overview-phone', '/', PHONE, false],
  ['member-light', '/members/:member', DESKTOP, false],
  ['member-phone', '/members/:member', PHONE, true],
  ['cluster-light', '/cluster', DESKTOP, false],
  ['history-dark', '/history', DESKTOP, true],
] as const;

/** How long a page is looked at before its picture is taken, so that it has something to show. */
const LOOKED_AT_MS = 4_000;

/** Takes the pictures of the documentation, all at once, where they are wanted. */
export async function takePictures(browser: Browser, from: BrowserContext, url: string, member: string): Promise<void> {
  if (process.env[WANTED] === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  const state = await from.storageState();
  const taken = PICTURES.map(async ([name, path, viewport, dark]) => {
    const context = await newContext(browser, viewport, dark);
    await context.addCookies(state.cookies);
    const page = await context.newPage();
    await page.goto(`${url}${path.replace(':member', member)}`);
    await page.waitForSelector('.headline .mark');
    await page.waitForTimeout(LOOKED_AT_MS);
    await page.screenshot({ path: join(SHOTS, `${name}.png`), caret: 'hide' });
    await context.close();
  });
  await Promise.all(taken);
}
