import { SECRET_STORES, secretPlaceFields } from '@understudy/shared';
import * as z from 'zod';

const PLACES = ['file', ...SECRET_STORES] as const;

/** One of `keys` of the coordinator's configuration: an id, and where the master secret lies. */
export const KeyConfigSchema = z
  .strictObject({
    /** Travels in clear in every heartbeat, 1-255. */
    id: z.number().int().min(1).max(255),
    /**
     * Master secret: 32 bytes as 64 hex characters, mode 0600. Agents hold keys derived from it,
     * one per member.
     */
    file: z.string().min(1).optional(),
    /** Or in a store of AWS, read with the role of this host: the same 64 characters. */
    ...secretPlaceFields,
  })
  .refine(
    (key) => PLACES.filter((place) => key[place] !== undefined).length === 1,
    `want exactly one of ${PLACES.join(', ')}`,
  );
