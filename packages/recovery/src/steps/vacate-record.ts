import * as z from 'zod';

/**
 * Ends the fenced predecessor, so that its primary private address is free for a launch. In a file
 * of its own, because other steps read it.
 */
export const VACATE = {
  name: 'vacate',
  per: 'recovery',
  request: z.strictObject({
    instanceId: z.string(),
    /** Its primary interface, which has the address and goes with it. */
    networkInterfaceId: z.string(),
    address: z.string(),
    subnetId: z.string(),
    /** The recovery is abandoned: what was not asked to end is put back. Absent: it is not. */
    calledOff: z.literal(true).optional(),
  }),
  /** Numbers of the *TerminateInstances* calls that were certainly refused. */
  noted: z.strictObject({ refused: z.array(z.number().int()) }),
  /**
   * `terminated`: seen so, and its interface seen gone. `left`: the address was given up, and
   * nothing has asked it to end. `asked`: the address was given up, and it may still end.
   */
  result: z.strictObject({
    how: z.enum(['terminated', 'left', 'asked']),
    /** A Stop that ended a late start of ours may still land. Absent: none can. */
    stopIsOpen: z.literal(true).optional(),
  }),
} as const;
