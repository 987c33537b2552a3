import * as z from 'zod';
import type { JournalEntry } from '../journal.ts';
import type { Artefact, RecoveryState } from '../strategy.ts';

/** Kind of the leftover. */
export const RESERVATION = 'capacity-reservation';

const place = z.strictObject({ az: z.string(), instanceType: z.string() });

/** EC2 is asked where there is room for a launch, while its member is only suspect. */
export const RESERVE = {
  name: 'reserve',
  per: 'recovery',
  request: z.strictObject({
    /** In the order in which they are asked for: one a zone and type of the plan's candidates. */
    places: z.array(z.strictObject({ clientToken: z.string(), az: z.string(), instanceType: z.string() })),
    platform: z.string(),
    tenancy: z.enum(['default', 'dedicated']),
    endsAtWallMs: z.number(),
    tags: z.record(z.string(), z.string()),
  }),
  /** What each place has answered, before the next is asked for: no successor asks again. */
  noted: z.strictObject({
    /** Index of the place that is asked for. */
    index: z.number(),
    full: z.array(place),
    /** What EC2 has made for it, and is asked to end. Null: nothing. */
    reservationId: z.string().nullable(),
    /** A call for an earlier place had no answer. */
    mayLand: z.boolean(),
  }),
  result: z.strictObject({
    /** The first that had room. Null: none had, or nobody knows. */
    room: place.nullable(),
    /** Zones and types that had no room then. */
    full: z.array(place),
    /** What is not seen ended. Null: nothing that is known. */
    reservationId: z.string().nullable(),
    /** A call had no answer: what it makes is found by its tags. */
    mayLand: z.boolean(),
    /** Why no room is known. Empty: it is. */
    text: z.string(),
  }),
} as const;

type Entry = JournalEntry<typeof RESERVE> | null;

/** What EC2 has made and is not seen ended, as far as the journal knows. */
export const reservedIn = (entry: Entry): string | null =>
  entry?.state === 'done' ? (entry.result?.reservationId ?? null) : (entry?.noted?.reservationId ?? null);

/** Is there, or may there come, a place that nobody has seen ended? */
export const isPlaceOpen = (entry: Entry): boolean =>
  entry !== null && (entry.state !== 'done' || reservedIn(entry) !== null || entry.result?.mayLand === true);

/** The place that is not seen ended. Every end of a recovery writes it down, whatever its way. */
export const placeArtefacts = ({ journal }: Pick<RecoveryState, 'journal'>): readonly Artefact[] => {
  const id = reservedIn(journal.get(RESERVE));
  return id === null ? [] : [{ kind: RESERVATION, id }];
};
