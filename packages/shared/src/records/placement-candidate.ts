import * as z from 'zod';

export const PlacementCandidateSchema = z.strictObject({
  subnetId: z.string(),
  az: z.string(),
  instanceType: z.string(),
  /** `open`, `none`, `only`, an id or an ARN. Absent: as the failed instance, in its own zone. */
  capacityReservation: z.string().optional(),
});
export type PlacementCandidate = z.infer<typeof PlacementCandidateSchema>;

/** A primary private address that follows its member, within its subnet. */
export const followingAddress = z.strictObject({
  address: z.string(),
  subnetId: z.string(),
  /**
   * Places of the policy that cannot have it: asked after the others once it is given up. Absent:
   * there are none.
   */
  otherwise: z.array(PlacementCandidateSchema).optional(),
  /** A person has given it up: launches go with any address. Absent: nobody has. */
  givenUp: z.literal(true).optional(),
});
