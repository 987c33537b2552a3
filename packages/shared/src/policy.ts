import * as z from 'zod';
import { detectFields } from './policy/detect.ts';
import { guardFields } from './policy/guard.ts';
import { recoverFields } from './policy/recover.ts';
import { serviceProbeFaults } from './service-probe.ts';

export type { ServeLeasePolicy } from './policy/recover.ts';

/** A section that has a name and no field yet, so that what it is for lands nowhere else. */
const empty = z.strictObject({});

/**
 * A section that is absent, or a field that is absent in one, has the default that is written at
 * its field.
 */
const sections = z.strictObject({
  /** When a member counts as failed. */
  detect: detectFields.prefault({}),
  /** Whether, and how often, a failed member is recovered. */
  guard: guardFields.prefault({}),
  /** How it is replaced, and what is kept of the old one. */
  recover: recoverFields.prefault({}),
  /** What follows a member to its replacement, besides its addresses. No field yet. */
  identity: empty.prefault({}),
  /** Snapshots that are made before anything fails. No field yet. */
  backup: empty.prefault({}),
  /** Replacements that are kept ready. No field yet. */
  standby: empty.prefault({}),
  /** Recoveries that are practised. No field yet. */
  drill: empty.prefault({}),
  /** Programs of the operator's that a recovery runs. No field yet. */
  hooks: empty.prefault({}),
  /** Who is told of what happens. No field yet. */
  notify: empty.prefault({}),
});

/**
 * How a recovery group is judged and recovered. Stored per group under `groups/<group>`. Durations
 * in ms. Rules between fields refuse with the full paths and both numbers.
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
