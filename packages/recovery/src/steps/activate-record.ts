import * as z from 'zod';
import { NOTHING_KEPT } from '../step-record.ts';

export const ACTIVATE = {
  name: 'activate',
  per: 'recovery',
  request: z.strictObject({ instanceId: z.string() }),
  noted: NOTHING_KEPT,
  result: z.strictObject({
    instanceId: z.string(),
    incarnation: z.number(),
    /** A Stop by which a late start was ended is without an answer, and was not seen to work. */
    stopIsOpen: z.literal(true).optional(),
  }),
} as const;
