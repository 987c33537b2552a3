import * as z from 'zod';

/** What begins while a member is only suspect (`docs/prepare.md`). */
export const prepareField = z.enum(['nothing', 'reads', 'trial']).optional();
