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

/** Something that was seen elsewhere than where its recovery put it. */
export const MovedFlipSchema = z.strictObject({
  /** Who had it, in words. */
  holder: z.string(),
  seenAtWallMs: z.number(),
  /** Calls that were about to put it back. */
  tries: z.number().int().min(0),
  /** Seen back since. Absent: not yet. */
  backAtWallMs: z.number().optional(),
  /** Why it is left to a person. Absent: it is not. */
  left: z.string().optional(),
});
export type MovedFlip = z.infer<typeof MovedFlipSchema>;

/** One thing of a member's identity, where a recovery has put it, and what became of it since. */
export const MovedItemSchema = z.strictObject({
  /** The step that has moved it, and its item: `address` of `eipalloc-…`. */
  move: z.string(),
  item: z.string(),
  /** Where it was put, as the move understands it. */
  place: z.record(z.string(), z.unknown()),
  /** Seen elsewhere since. Absent: never. */
  flip: MovedFlipSchema.optional(),
});
export type MovedItem = z.infer<typeof MovedItemSchema>;
