import { duration } from '@understudy/shared';
import * as z from 'zod';
import { isLatencyName } from '../core/latency.ts';
import { deed } from './deed.ts';

const boundMs = duration(z.number().min(0).max(86_400_000));
const RangeSchema = z.tuple([boundMs, boundMs]).refine(([min, max]) => min <= max, { error: 'minimum above maximum' });

/** Rows of the latency table from now on, in ms at speed 1. Null: as at the start. */
export const latency = deed({
  name: 'latency',
  path: '/latency',
  value: z.record(z.string().refine(isLatencyName, { error: 'unknown latency' }), RangeSchema.nullable()),
  perform: ({ sim }, rows) => {
    sim.setLatency(rows);
    return true;
  },
});
