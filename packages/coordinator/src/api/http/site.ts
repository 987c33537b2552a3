/** A file of the dashboard, held in memory: there are few, and they are small. */
export interface SiteFile {
  readonly bytes: Uint8Array;
  readonly gzipped: Uint8Array;
  readonly mediaType: string;
}

/** The dashboard as it was built. */
export interface Site {
  readonly index: SiteFile;
  /** By name below `/assets/`. Their names change with their content. */
  readonly assets: ReadonlyMap<string, SiteFile>;
}

/**
 * What the page may do: load its own scripts and styles, and talk to the coordinator that served
 * it. Nothing inline runs, so that text from elsewhere that got into the page would not run either.
 */
export const DASHBOARD_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Said at `/` where the page is not there. */
export const NOT_BUILT = `The dashboard is not built, so this coordinator does not serve it.
In a checkout:      npm run dashboard     (then start the coordinator again)
On a terminal:      understudy status
Another folder:     http.dashboardDir in its configuration
`;
