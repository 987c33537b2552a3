import { Refusal } from './refusal.ts';
import type { Asked } from './route.ts';

/** The ETag of a record: its revision in etcd, which no two states of it share. */
export const etagOf = (modRevision: number): string => `"${modRevision}"`;

/**
 * The revision that the caller has read. 0: it wants to make what is not there (`If-None-Match: *`
 * is said as `If-Match: "0"`).
 * @throws Refusal PRECONDITION_REQUIRED: a change of what others change too needs it. BAD_REQUEST:
 * it is none of our ETags.
 */
export function revisionRead({ ifMatch }: Pick<Asked<unknown, unknown, unknown>, 'ifMatch'>): number {
  if (ifMatch === null) throw new Refusal('PRECONDITION_REQUIRED', 'the header If-Match is missing');
  const revision = /^"(\d{1,15})"$/.exec(ifMatch)?.[1];
  if (revision === undefined) throw new Refusal('BAD_REQUEST', `If-Match: ${ifMatch} is no ETag of ours`);
  return Number(revision);
}
