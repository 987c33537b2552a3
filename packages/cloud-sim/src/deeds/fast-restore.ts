import * as z from 'zod';
import { deed } from './deed.ts';

/** Whether volumes that are made of a snapshot in a zone come initialized. */
export const fastRestore = deed({
  name: 'fastRestore',
  path: '/fast-restores',
  value: z.strictObject({ az: z.string(), snapshotId: z.string(), enabled: z.boolean() }),
  perform: ({ sim }, { az, snapshotId, enabled }) => {
    sim.setFastRestore(az, snapshotId, enabled);
    return true;
  },
});
