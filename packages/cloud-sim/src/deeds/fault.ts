import * as z from 'zod';
import { type Fault, FAULT_KINDS } from '../core/faults.ts';
import { deed } from './deed.ts';

const FaultSchema: z.ZodType<Fault> = z.strictObject({
  id: z.string().min(1).max(128),
  action: z.string().min(1),
  match: z
    .strictObject({
      resourceId: z.string().exactOptional(),
      clientToken: z.string().exactOptional(),
      tag: z.strictObject({ key: z.string(), value: z.string().exactOptional() }).exactOptional(),
    })
    .exactOptional(),
  kind: z.enum(FAULT_KINDS),
  code: z.string().exactOptional(),
  httpStatus: z.number().int().min(400).max(599).exactOptional(),
  message: z.string().exactOptional(),
  delayMs: z.number().min(0).max(86_400_000).exactOptional(),
  times: z.number().int().min(1).max(1_000_000).exactOptional(),
  afterCalls: z.number().int().min(0).max(1_000_000).exactOptional(),
  ratio: z.number().min(0).max(1).exactOptional(),
});

/** Something that befalls calls from now on. */
export const fault = deed({
  name: 'fault',
  path: '/faults',
  value: FaultSchema,
  otherwise: 'a fault of that id exists',
  perform: ({ sim }, wanted) => {
    if (sim.faults().some(({ id }) => id === wanted.id)) return false;
    sim.addFault(wanted);
    return true;
  },
});
