import * as z from 'zod';

/** Each more multiplies the candidates, and every one of them may be asked. */
const NAMED_MAX = 20;

const name = z.string().min(1);

/**
 * What of a capacity reservation a launch uses: `open` (any that fits), `none`, `only` (no launch
 * without one), the id of one (`cr-…`), or the ARN of a group of them.
 */
export const reservationField = z
  .string()
  .regex(
    /^(?:open|none|only|cr-[0-9a-z]+|arn:aws[\w-]*:resource-groups:\S+)$/,
    'want open, none, only, cr-…, or the ARN of a resource group',
  );

/** Every combination of subnets and instance types, as candidates (`docs/placement.md`). */
export const placesFields = z.strictObject({
  /** Subnets to launch into, in order; their zones follow from them. Empty: the own one. */
  subnets: z.array(name).max(NAMED_MAX).default([]),
  /** Instance types, in order. Empty: the own one. */
  instanceTypes: z.array(name).max(NAMED_MAX).default([]),
  /**
   * `zones-first`: the first type in every subnet, then the next type. `types-first`: every type in
   * the first subnet, then the next subnet.
   */
  order: z.enum(['zones-first', 'types-first']).default('zones-first'),
  /** What of a capacity reservation all of them use. Absent: what the failed instance used. */
  capacityReservation: reservationField.optional(),
});
export type PlacesPolicy = z.infer<typeof placesFields>;
