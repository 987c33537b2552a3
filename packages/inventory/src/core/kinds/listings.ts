import { type Raw, type ResourceListing, textOf } from '@understudy/shared';

/**
 * A page is small, because the main thread reads the answer. EC2 takes 5 to 1 000 here. A hundred
 * instances are some 500 KB of XML.
 */
const PAGE_SIZE = 100;

/** A list of EC2's that comes page by page. */
export const pagedByEc2 = (action: string, rows: string, input: Raw = {}): ResourceListing => ({
  ...{ service: 'ec2', action, rows, input, paging: 'token' },
  size: { member: 'MaxResults', value: PAGE_SIZE },
});

/** The member of a row that names it. */
export const byMember =
  (member: string) =>
  (row: Raw): string | null =>
    textOf(row[member]);

export const neverEnds = (): boolean => false;
