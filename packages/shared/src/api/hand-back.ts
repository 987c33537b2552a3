import * as z from 'zod';

/** The logical resource of a CloudFormation stack, as `aws:cloudformation:…` tags name it. */
const StackResourceSchema = z.object({ stack: z.string(), logicalId: z.string() });

export const HandBackResourceSchema = z.object({
  kind: z.enum(['instance', 'volume', 'interface', 'address']),
  /** Its id before the recovery. */
  was: z.string(),
  /** What takes its place. Null: not known, or nothing does. */
  is: z.string().nullable(),
  /**
   * `kept`: the same resource, on the same instance. `moved`: the same resource, on the other
   * instance. `replaced`: another one. `left`: nothing takes its place. `unknown`: it could not be
   * seen any more which one does.
   */
  fate: z.enum(['kept', 'moved', 'replaced', 'left', 'unknown']),
  /** Device name of a volume, device index of an interface, public address of an address. */
  place: z.string().nullable(),
  /** Id of what attaches it now: `eni-attach-…`, `eipassoc-…`. Null: there is none, or unknown. */
  attachment: z.string().nullable(),
  /** Where its tags say that a stack made it. Null: they do not, or could not be read. */
  madeBy: StackResourceSchema.nullable(),
});
export type HandBackResource = z.infer<typeof HandBackResourceSchema>;

/** A property that code which makes the instance may name, and that is another one now. */
export const HandBackDriftSchema = z.object({
  /** CloudFormation's name of it. */
  property: z.string(),
  /** Terraform's name of it in `aws_instance`. */
  argument: z.string(),
  was: z.unknown(),
  is: z.unknown(),
  /** A change of it in the code would replace the instance. */
  replaces: z.boolean(),
});
export type HandBackDrift = z.infer<typeof HandBackDriftSchema>;

/**
 * What infrastructure code names, and what took its place in recoveries (`docs/handback.md`).
 * Nothing of it is carried out here.
 */
export const HandBackViewSchema = z.object({
  member: z.string(),
  /** The recoveries that it is about, the first one first. */
  recoveries: z.array(
    z.object({
      opId: z.string(),
      outcome: z.string(),
      strategy: z.string(),
      endedAtWallMs: z.number(),
      was: z.string(),
      is: z.string().nullable(),
    }),
  ),
  /** Earlier ones that are on the books, and are not among them, the first one first. */
  earlier: z.array(z.object({ opId: z.string(), was: z.string() })),
  /** Where the old instance was seen. `nowhere`: only the records of the recovery tell of it. */
  seenIn: z.enum(['ec2', 'inventory', 'nowhere']),
  /** False: what the code names is what is there; nothing is to be taken over. */
  isDue: z.boolean(),
  resources: z.array(HandBackResourceSchema),
  drift: z.array(HandBackDriftSchema),
  /** Tags of the old instance that its successor cannot have, as only AWS writes them. */
  lostTags: z.record(z.string(), z.string()),
  notes: z.array(z.object({ code: z.string(), text: z.string() })),
});
export type HandBackView = z.infer<typeof HandBackViewSchema>;
