import * as z from 'zod';
import { duration, durationMs } from '../duration-field.ts';
import { placesFields, reservationField } from './places.ts';
import { prepareField, prepareFields } from './prepare.ts';
import { ladderFields } from './ladder.ts';
import { seedImagesField } from './seed-images.ts';
import { volumesFields } from './volumes.ts';

/**
 * EC2 allows 50 user tags per resource. Two are kept for the marks of a recovery, and a resource
 * has tags of its own.
 */
const POLICY_TAGS_MAX = 20;

const policyTags = z
  .record(
    z
      .string()
      .min(1)
      .max(127)
      .refine((key) => !/^aws:/i.test(key), 'keys that begin with aws: are reserved for AWS')
      .refine((key) => !/^understudy:/i.test(key), 'keys that begin with understudy: are ours'),
    z.string().max(255),
  )
  .refine((tags) => Object.keys(tags).length <= POLICY_TAGS_MAX, `at most ${POLICY_TAGS_MAX} tags`);

const placement = z.strictObject({
  /** Subnet to launch into; its AZ follows from it. */
  subnetId: z.string().min(1),
  /** Absent: the failed instance's type. */
  instanceType: z.string().min(1).optional(),
  /**
   * What of a capacity reservation the launch uses there: `open`, `none`, `only`, the id of one
   * (`cr-…`), or the ARN of a group of them. Absent: what the failed instance used, in its own
   * zone.
   */
  capacityReservation: reservationField.optional(),
});

/**
 * Opts in to counting on the members' serve leases. Without it, an old instance that EC2 cannot be
 * seen to stop holds the recovery for a person. With it the recovery goes on once the lease has
 * certainly run out. It rests on the member's own clock and watchdog, not on an observation
 * (`docs/serve-lease.md`).
 */
const serveLease = z.strictObject({
  /**
   * Longest `serve.stopWithinMs` of an agent that is counted on. Shorter = a fence that cannot be
   * proven is waited out sooner; longer = workloads may take longer to stop.
   */
  stopWithinMs: duration(z.number().int().min(1_000).max(3_600_000)),
  /**
   * Count only on agents with an armed watchdog. Without one, an agent that is itself paused or
   * killed does not stop its workload.
   */
  requireWatchdog: z.boolean().default(true),
  /**
   * EC2 gets at least this long to show the old instance stopped. Shorter = sooner back in service;
   * longer = the observed fence in more cases.
   */
  fenceAfterMs: durationMs(120_000, 0, 86_400_000),
});
export type ServeLeasePolicy = z.infer<typeof serveLease>;

/** How a member of the group is replaced, and what is kept of the old one. Durations in ms. */
export const recoverFields = z.strictObject({
  /**
   * How a member comes back where no `ladder` is named. A group that names one way only means a
   * ladder of that one.
   */
  strategy: z.enum(['snapshot-and-replace', 'reattach']).default('snapshot-and-replace'),
  /** Several ways, tried one after the other. `{}`: the default ladder (`docs/ladder.md`). */
  ladder: ladderFields.optional(),
  /**
   * What begins while a member is only suspect. Nothing of it changes or costs anything. `reads`:
   * what its plan needs is read from EC2. `trial`: its launch is tried, too (DryRun, which takes a
   * token of RunInstances). `nothing`: a plan is begun once the member is dead.
   * Absent: `nothing`.
   */
  prepareWhileSuspect: prepareField,
  /** What is made at EC2 meanwhile. Absent: nothing. */
  prepare: prepareFields.optional(),
  /**
   * Fence: skip the guest's shutdown (fast) or let it run (slower, cleaner). Falls back where EC2
   * rejects it.
   */
  fenceSkipOsShutdown: z.boolean().default(true),
  /** The recovery is held when the fence is not proven within this time. */
  fenceTimeoutMs: durationMs(600_000, 5_000, 86_400_000),
  /**
   * What to do when the fence cannot be proven. Null = hold; otherwise wait out the serve lease of
   * members that keep one.
   */
  serveLease: serveLease.nullable().default(null),
  /** Where to launch, in order. Empty: the failed instance's own subnet and type. */
  placements: z.array(placement).max(50).default([]),
  /**
   * Further candidates behind those of `placements`: every combination of subnets and types.
   * Absent: none.
   */
  places: placesFields.optional(),
  /**
   * How long a call that EC2 refuses in passing (rates, limits, no capacity, its own faults) is
   * tried again, with growing pauses, before only a person can go on. Default 86 400 000 (24 h), 0
   * to 604 800 000. Shorter = a person is asked sooner; longer = a shortage of a day ends by
   * itself, and a replacement may begin to serve when nobody expects it any more.
   */
  retryRefusedForMs: durationMs(86_400_000, 0, 604_800_000),
  /**
   * A step of a recovery that fails for this long without a success is shown as a hold, while it
   * goes on trying. Default 180 000, 1 000 to 86 400 000. Shorter = told sooner; longer = fewer
   * holds that pass by themselves.
   */
  holdFailingAfterMs: durationMs(180_000, 1_000, 86_400_000),
  /**
   * Replacements that may be launched and fail (die, do not verify) before holding. An attempt that
   * launches nothing does not count.
   */
  maxLaunchAttempts: z.number().int().min(1).max(20).default(3),
  /** A snapshot set that takes longer than this is a hold, not an error. */
  captureTimeoutMs: durationMs(14_400_000, 10_000, 86_400_000),
  /**
   * A replacement that does not run by then counts as failed. Shorter = the next attempt begins
   * sooner; longer = instance types that start slowly are waited for.
   */
  launchTimeoutMs: durationMs(300_000, 5_000, 3_600_000),
  /** The replacement's own heartbeats must pass for this long before it is activated. */
  settleMs: durationMs(3_000, 0, 600_000),
  /** A replacement that has not settled by then is fenced and the next attempt begins. */
  verifyTimeoutMs: durationMs(600_000, 5_000, 7_200_000),
  /**
   * Also wait for EC2's own status checks to say ok (adds minutes). `impaired` always fails
   * verification.
   */
  requireStatusChecks: z.boolean().default(false),
  /**
   * What to do about user data that formats or wipes disks when a new instance boots for the first
   * time, which would destroy the restored data. `refuse`: no recovery, and a readiness problem
   * that names it. `neutralise`: the replacement's user data gets a last part that takes
   * `disk_setup` and `fs_setup` back; refused where that is not enough. `allow`: the data is safe
   * all the same, e.g. because the command looks at the disk first; it is only listed as a loss.
   */
  firstBootFormatting: z.enum(['refuse', 'neutralise', 'allow']).default('refuse'),
  /**
   * Tags put on everything a recovery makes: snapshots, image, network interface, instance,
   * volumes. They are for organisations that refuse resources without tags. Where a resource
   * succeeds one of the failed instance, the tag that one has with the same key takes precedence.
   */
  tags: policyTags.default({}),
  /**
   * Things that the failed instance names and a replacement may be launched without when they are
   * gone. Any other missing thing refuses the recovery instead, with a readiness problem. A key
   * pair that is gone is always left out.
   */
  leaveOutWhenGone: z
    .array(z.enum(['placement-group', 'capacity-reservation', 'instance-profile', 'licence']))
    .max(4)
    .default([]),
  /** Keep the old instance stopped for this long before it is terminated (forensics, undo). */
  retainForMs: durationMs(86_400_000, 0, 2_592_000_000),
  /** Keep snapshots and image of a recovery for this long. */
  retainCaptureForMs: durationMs(604_800_000, 0, 31_536_000_000),
  /**
   * Data volumes of the replaced instance that EC2 keeps when it is terminated
   * (`DeleteOnTermination: false`) are deleted after this long, and not before the instance is
   * gone. Null = never: they are marked and listed (`understudy leftovers`), and a person decides.
   * Shorter = no storage paid for twice; longer, or null = the failed machine's own disks can still
   * be looked into.
   */
  retainVolumesForMs: duration(z.number().int().min(0).max(31_536_000_000)).nullable().default(null),
  /** How its disks get to the replacement. */
  volumes: volumesFields.prefault({}),
  /** Images that a seed may be launched from. Absent: none but what is known of the member. */
  seedImages: seedImagesField,
});
