import * as z from 'zod';

/** An interface of an instance of this member from which something may be taken. */
export const InterfaceHolderSchema = z.strictObject({
  instanceId: z.string(),
  networkInterfaceId: z.string(),
});
export type InterfaceHolder = z.infer<typeof InterfaceHolderSchema>;

/** An address or prefix that is assigned to an interface, and moves to the replacement's. */
export const PlannedAssignedSchema = z.strictObject({
  /** A kind of `AssignedKind`. */
  kind: z.enum(['secondary-ip', 'ipv6-address', 'ipv4-prefix', 'ipv6-prefix']),
  address: z.string(),
  /** It exists in this subnet only. */
  subnetId: z.string(),
  /** Where it was when the plan was made, and where earlier recoveries may have left it. */
  holders: z.array(InterfaceHolderSchema),
});
export type PlannedAssigned = z.infer<typeof PlannedAssignedSchema>;

/** A further network interface that moves whole, with everything that is on it. */
export const PlannedInterfaceSchema = z.strictObject({
  networkInterfaceId: z.string(),
  /** It exists in this zone only. */
  az: z.string(),
  deviceIndex: z.number().int(),
  networkCardIndex: z.number().int(),
  deleteOnTermination: z.boolean(),
  /** Its attachment to the failed instance when the plan was made. Null: EC2 did not name it. */
  attachmentId: z.string().nullable(),
  /** Earlier retired instances of this member it may be detached from too. Absent: none. */
  owedFrom: z.array(z.string()).optional(),
});
export type PlannedInterface = z.infer<typeof PlannedInterfaceSchema>;

/** Where an Elastic IP goes, if not to the primary address of the replacement. */
export const AddressTargetSchema = z.strictObject({
  /** A further interface, moved before it. Null: the replacement's primary one. */
  networkInterfaceId: z.string().nullable(),
  privateIp: z.string(),
});
export type AddressTarget = z.infer<typeof AddressTargetSchema>;
