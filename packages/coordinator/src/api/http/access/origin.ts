import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from '../refusal.ts';

const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);

/**
 * Refuses what a page of another site makes a browser send. Browsers say so themselves, in headers
 * that no script can set. A caller that is no browser sends neither of them.
 * @throws Refusal CROSS_ORIGIN
 */
export function refuseOtherSites({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): void {
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new Refusal('CROSS_ORIGIN', `a page of another site sent this (sec-fetch-site: ${String(site)})`);
  if (origin !== undefined && hostOf(origin) !== host)
    throw new Refusal('CROSS_ORIGIN', 'a page of another site sent this: the header Origin names another host');
}
