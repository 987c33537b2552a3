import * as z from 'zod';
import { NOTHING_KEPT } from '../step-record.ts';

export const FENCE = {
  name: 'fence',
  per: 'recovery',
  request: z.strictObject({ oldInstanceId: z.string(), skipOsShutdown: z.boolean() }),
  noted: NOTHING_KEPT,
  result: z.strictObject({
    how: z.enum(['stopped', 'terminated', 'lease']),
    /** A Stop was sent whose outcome is not known: it may still land. Absent: none was. */
    stopIsOpen: z.literal(true).optional(),
  }),
} as const;
