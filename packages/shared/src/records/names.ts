import * as z from 'zod';

/** What the replacement has in the place of an address of the failed instance. */
export const RecordAddressSchema = z.enum(['private-ip', 'public-ip']);

/** A record set that names the failed instance, as frozen in the plan. */
export const PlannedRecordSetSchema = z.strictObject({
  zoneId: z.string(),
  /** Normalised. */
  name: z.string(),
  type: z.string(),
  /** Null: a simple record. */
  setIdentifier: z.string().nullable(),
  /**
   * Values that may be replaced: addresses of the failed instance, and of those that earlier
   * recoveries of the member retired without moving the record.
   */
  values: z.array(z.strictObject({ value: z.string(), becomes: RecordAddressSchema })).min(1),
  /** All of the set when the plan was made, in Route 53's words. */
  exact: z.record(z.string(), z.unknown()),
});
export type PlannedRecord = z.infer<typeof PlannedRecordSetSchema>;

export const PlannedTargetSchema = z.strictObject({
  /** Id of an instance, or an address, that may be taken out. */
  id: z.string(),
  port: z.number().int(),
  /** Null: the group takes it from the target. */
  az: z.string().nullable(),
});
export type PlannedTarget = z.infer<typeof PlannedTargetSchema>;

/** A target group in which the failed instance is registered, as frozen in the plan. */
export const PlannedTargetsSchema = z.strictObject({
  targetGroupArn: z.string(),
  /** `ip`: by the primary private address. */
  targetType: z.enum(['instance', 'ip']),
  /** All its registrations, and what earlier recoveries of the member left there. */
  targets: z.array(PlannedTargetSchema).min(1),
  /** Zones in which its balancer takes traffic. Null: it has no balancer. */
  zones: z.array(z.string()).nullable(),
});
export type PlannedTargets = z.infer<typeof PlannedTargetsSchema>;
