import * as z from 'zod';
import { detectFields } from './policy/detect.ts';
import { withProfileTimes } from './policy/detection-profile.ts';
import { guardFields } from './policy/guard.ts';
import { hookFields } from './policy/hooks.ts';
import { identityFields } from './policy/identity.ts';
import { objectivesFields } from './policy/objectives.ts';
import { recoverFields } from './policy/recover.ts';
import { serviceProbeFaults } from './service-probe.ts';

export type { CarriedIdentity } from './policy/identity.ts';
export { HOOK_MOMENTS, type HookMoment, type PolicyHook } from './policy/hooks.ts';
export type { Objectives } from './policy/objectives.ts';
export type { ServeLeasePolicy } from './policy/recover.ts';
export type { PlacesPolicy } from './policy/places.ts';
export { zonesCalledLost } from './policy/guard.ts';
export { VOLUME_PATHS, type VolumePathName, type VolumesPolicy } from './policy/volumes.ts';

/** A section that has a name and no field yet, so that a setting for it cannot land elsewhere. */
const empty = z.strictObject({});

/**
 * Every section of a policy. An absent section, or an absent field of one, has the default that is
 * written at its field.
 */
const sections = z.strictObject({
  /** When a member counts as failed. */
  detect: z.preprocess(withProfileTimes, detectFields).prefault({}),
  /** Whether, and how often, a failed member is recovered. */
  guard: guardFields.prefault({}),
  /** How it is replaced, and what is kept of the old one. */
  recover: recoverFields.prefault({}),
  /** What follows a member to its replacement. */
  identity: identityFields.prefault({}),
  /** Snapshots that are made before anything fails. There is no field yet. */
  backup: empty.prefault({}),
  /** Replacements that are kept ready. There is no field yet. */
  standby: empty.prefault({}),
  /** Recoveries that are practised. There is no field yet. */
  drill: empty.prefault({}),
  /** The operator's programs and webhooks around a recovery. */
  hooks: hookFields.prefault({}),
  /** Who is told of what happens. There is no field yet. */
  notify: empty.prefault({}),
  /** What a failure may cost at most; told beforehand where it is missed. Absent: nothing is. */
  objectives: objectivesFields.optional(),
});

/**
 * How a recovery group is judged and recovered. It is stored per group under `groups/<group>`.
 * Durations are in ms. Rules between fields refuse with the full paths and both numbers.
 */
export const GroupPolicySchema = sections.superRefine((policy, context) => {
  const { guard, recover } = policy;
  for (const message of serviceProbeFaults(policy.detect))
    context.addIssue({ code: 'custom', message, path: ['detect', 'serviceProbes'] });
  if (guard.whenZoneLost === 'recover' && recover.placements.length === 0)
    context.addIssue({
      code: 'custom',
      path: ['guard', 'whenZoneLost'],
      message: `guard.whenZoneLost = recover with ${recover.placements.length} recover.placements, at least 1 is needed: without any the only place is the subnet in the lost zone`,
    });
});

export type GroupPolicy = z.infer<typeof GroupPolicySchema>;

export const DEFAULT_POLICY: GroupPolicy = GroupPolicySchema.parse({});
