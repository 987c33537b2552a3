import * as z from 'zod';
import { deed } from './deed.ts';

/** Makes a customer's key, enabled. */
export const kmsKey = deed({
  name: 'kmsKey',
  path: '/kms/keys',
  value: z.strictObject({
    alias: z
      .string()
      .regex(/^alias\/[\w/-]+$/)
      .exactOptional(),
    multiRegion: z.boolean().exactOptional(),
  }),
  perform: ({ sim }, wanted) => ({ ok: true, key: sim.createKmsKey(wanted) }),
});
