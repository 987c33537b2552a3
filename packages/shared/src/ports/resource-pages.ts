import type { Raw } from '../raw-value.ts';

/** How one kind of resource is listed. It is data, so that a kind is one file of its own. */
export interface ResourceListing {
  readonly service: 'ec2' | 'elbv2' | 'route53';
  /** As the service names it. It has to be in the table of calls. */
  readonly action: string;
  /** Further members of the request. */
  readonly input: Raw;
  /** Member of the answer that holds the rows. */
  readonly rows: string;
  /** Member of each row that holds the resources, where a row is only a wrapping (Reservations). */
  readonly within?: string;
  /**
   * How the next page is asked for. `token`: `NextToken`; `marker`: `Marker`; `record-set`: Route
   * 53's three names; `none`: there is one page.
   */
  readonly paging: 'token' | 'marker' | 'record-set' | 'none';
  /** The member that bounds a page, and its value. Null: the service decides. */
  readonly size: { readonly member: string; readonly value: number } | null;
}

export interface ResourcePagesOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/**
 * The resources of an account, as the service words them, a page at a time. Every call waits at the
 * limiter as a chore, so that it goes after everything else.
 */
export interface ResourcePages {
  /**
   * The last page has come only when the listing ends without an error.
   * @throws CLOUD_DENIED, CLOUD_THROTTLED, CLOUD_UNAVAILABLE (also for an answer that is not the
   * service's own, S18)
   */
  pages(listing: ResourceListing, options?: ResourcePagesOptions): AsyncIterable<readonly Raw[]>;
}
