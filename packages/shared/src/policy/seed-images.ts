import * as z from 'zod';

/**
 * Images of which a seed of `reattach` may be launched where neither EC2 nor our record names one
 * that is there (`docs/reattach.md`): the first that makes the same kind of machine. A seed boots
 * with the member's rights and network, without its user data, and is stopped at once; so these
 * have to be images that may run there, and no image of a member's own disks.
 */
export const seedImagesField = z
  .array(z.string().regex(/^ami-[0-9a-f]{8,17}$/, 'want the id of an image (ami-…)'))
  .max(20)
  .optional();
