import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { expect } from 'vitest';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--force-color-profile=srgb', '--hide-scrollbars'],
];

/** What this machine does not have, as a sentence. Null: nothing is missing. */
export const missingBrowser = (): string | null =>
  PLACES.some((path) => existsSync(path))
    ? null
    : 'Chromium is not installed (apt-get install --no-install-recommends chromium fonts-dejavu-core)';

export const launchBrowser = (): Promise<Browser> => {
  const executablePath = PLACES.find((path) => existsSync(path));
  return chromium.launch({ headless: true, args: FLAGS, ...(executablePath ? { executablePath } : {}) });
};

/** What a page must never say: errors on its console, uncaught ones, broken rules of its policy. */
export interface Complaints {
  readonly errors: string[];
}

/** Refused connections are what some tests are about: the browser reports each as an error. */
const OF_THE_NETWORK = /Failed to load resource|net::ERR_/;

export function complaintsOf(page: Page): Complaints {
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !OF_THE_NETWORK.test(message.text())) errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  return { errors };
}

export const DESKTOP = { width: 1280, height: 860 };
export const PHONE = { width: 390, height: 844 };

export const newContext = (browser: Browser, viewport: typeof DESKTOP, dark: boolean): Promise<BrowserContext> =>
  browser.newContext({ viewport, colorScheme: dark ? 'dark' : 'light', deviceScaleFactor: 1, locale: 'en-GB' });

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** What axe finds of at least serious weight, a line each. Its script goes in past the policy. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResult>('axe.run(document, { resultTypes: ["violations"] })');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join(' | ')}`,
    );
}

/** By how many pixels the page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

/**
 * Waits until an expression is true in the page. The page's own policy forbids evaluating text, so
 * it is asked again and again from outside.
 */
export const holds = (page: Page, expression: string, timeout = 10_000): Promise<void> =>
  expect.poll(() => page.evaluate(expression), { timeout }).toBe(true);
