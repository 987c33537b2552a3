import * as z from 'zod';
import { deed } from './deed.ts';

/** Whether a licence configuration of that name exists. */
export const licenseConfiguration = deed({
  name: 'licenseConfiguration',
  path: '/license-configurations',
  value: z.strictObject({ name: z.string().min(1), exists: z.boolean() }),
  perform: ({ sim }, { name, exists }) => {
    sim.setLicenseConfiguration(name, exists);
    return true;
  },
});
