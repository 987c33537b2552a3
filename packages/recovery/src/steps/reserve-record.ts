import * as z from 'zod';
import { NOTHING_KEPT } from '../step-record.ts';
import type { Artefact, RecoveryState } from '../strategy.ts';

/** Kind of the leftover. */
export const RESERVATION = 'capacity-reservation';

/** A place for the launch of a recovery, kept while its member is only suspect. */
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
  noted: NOTHING_KEPT,
  result: z.strictObject({
    /** Null: no place was got, or nobody knows which; what was is found by its tags. */
    reservationId: z.string().nullable(),
    /** Zones and types that had no room then. */
    full: z.array(z.strictObject({ az: z.string(), instanceType: z.string() })),
    /** Why nothing was got. Empty: a place was. */
    text: z.string(),
  }),
} as const;

/** The place that was kept, as far as the journal knows. */
export const placeArtefacts = ({ journal }: Pick<RecoveryState, 'journal'>): readonly Artefact[] => {
  const id = journal.get(RESERVE)?.result?.reservationId ?? null;
  return id === null ? [] : [{ kind: RESERVATION, id }];
};
