import * as z from 'zod';
import { deed } from './deed.ts';

/** Marketplace codes of an image's root disk. */
export const productCodes = deed({
  name: 'productCodes',
  path: '/product-codes',
  value: z.strictObject({ imageId: z.string(), codes: z.array(z.string().min(1)).max(10) }),
  otherwise: 'no such image',
  perform: ({ sim }, { imageId, codes }) => sim.setProductCodes(imageId, codes),
});
