import * as z from 'zod';
import { deed } from './deed.ts';

/** Limits of the account. */
export const quotas = deed({
  name: 'quotas',
  path: '/quotas',
  value: z.record(z.string(), z.number().int().min(0)),
  perform: ({ sim }, limits) => {
    sim.setQuotas(limits);
    return true;
  },
});
