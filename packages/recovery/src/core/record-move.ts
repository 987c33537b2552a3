import { type DnsRecordSet, type PlannedRecord, rawListOf, textOf } from '@understudy/shared';
import { type HeldElsewhere, HELD_BY_NOBODY } from './held-elsewhere.ts';
import { canonical } from './launch-tags.ts';

type Exact = Readonly<Record<string, unknown>>;

export type RecordMove =
  /** The record has the address of the replacement, and none of those it may not have. */
  | { readonly kind: 'there' }
  /** What there is, is not what is on record as the set to take away. */
  | { readonly kind: 'record'; readonly old: Exact; readonly fresh: Exact }
  | { readonly kind: 'swap'; readonly old: Exact; readonly fresh: Exact }
  /** It names nothing of ours any more: somebody has changed or removed it. */
  | { readonly kind: 'elsewhere'; readonly text: string };

/** Value of the record → what takes its place. */
export type Becomes = Readonly<Record<string, string>>;

/** A step is keyed by it: zone, type, name and set, with what no key may have as hex. */
export function recordItem({ zoneId, name, type, setIdentifier }: PlannedRecord): string {
  const plain = (text: string): string =>
    text.replace(/[^A-Za-z0-9._-]/g, (letter) => `-${letter.charCodeAt(0).toString(16)}-`);
  const set = setIdentifier === null ? '' : `.${plain(setIdentifier)}`;
  return `${zoneId}.${type}.${plain(name).replace(/\.$/, '')}${set}`;
}

/**
 * The values that are to go; one that the replacement has itself is none of them, nor is one that
 * another machine has by now.
 */
const goingOf = (becomes: Becomes, held: HeldElsewhere): ReadonlySet<string> => {
  const kept = new Set(Object.values(becomes));
  return new Set(Object.keys(becomes).filter((value) => !kept.has(value) && !held.has(value)));
};

/** The same set with the replacement's addresses: nothing else of it is changed. */
export function freshOf(exact: Exact, becomes: Becomes, held: HeldElsewhere = HELD_BY_NOBODY): Exact {
  const going = goingOf(becomes, held);
  const values = rawListOf(exact.ResourceRecords).map((one) => textOf(one.Value) ?? '');
  const fresh = values.map((value) => (going.has(value) ? (becomes[value] ?? value) : value));
  return { ...exact, ResourceRecords: [...new Set(fresh)].map((Value) => ({ Value })) };
}

/** The same set, in whatever order its values are shown. */
function isSame(a: Exact, b: Exact): boolean {
  const text = (exact: Exact): string => {
    const values = rawListOf(exact.ResourceRecords).map((one) => textOf(one.Value) ?? '');
    return JSON.stringify(canonical({ ...exact, ResourceRecords: values.toSorted() }));
  };
  return text(a) === text(b);
}

/**
 * The next conditional step of a record towards the replacement. **S** (S12) Only addresses of
 * instances that recoveries of this member have fenced are replaced, by a batch that takes away
 * exactly the set that was read and recorded. A record that somebody has pointed elsewhere keeps
 * what it says, and so does one whose address another machine has by now.
 */
export function recordMove(
  seen: DnsRecordSet | null,
  want: { readonly becomes: Becomes; readonly recordedOld: Exact; readonly recordedFresh: Exact },
  held: HeldElsewhere,
): RecordMove {
  if (seen === null) return { kind: 'elsewhere', text: 'it does not exist any more' };
  const going = goingOf(want.becomes, held);
  const wanted = Object.values(want.becomes);
  if (seen.values.some((value) => going.has(value))) {
    const fresh = freshOf(seen.exact, want.becomes, held);
    // What was recorded may be from before another machine came to have one of the addresses.
    const isRecorded = isSame(seen.exact, want.recordedOld) && isSame(fresh, want.recordedFresh);
    return { kind: isRecorded ? 'swap' : 'record', old: seen.exact, fresh };
  }
  if (wanted.every((value) => seen.values.includes(value))) return { kind: 'there' };
  const left = seen.values.flatMap((value) => held.get(value) ?? []);
  if (left.length > 0) return { kind: 'elsewhere', text: left.join(', ') };
  const says = seen.values.length === 0 ? 'an alias' : seen.values.join(', ');
  return { kind: 'elsewhere', text: `it says ${says}, which is neither what it said nor the replacement` };
}
