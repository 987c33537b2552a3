import { type ErrorCode, type LaunchPlan, TAG } from '@understudy/shared';
import type { Finding } from './finding.ts';
import type { LaunchTrial, PlanInput } from './plan-input.ts';
import { tagSpecification } from './launch-tags.ts';
import { baseFor } from './fidelity/carried.ts';
import type { References } from './references.ts';

export const NOT_TRIED: LaunchTrial = { kind: 'unknown' };

/**
 * Never the op of a recovery, and no member: nothing that takes the request for a real one can take
 * its outcome for a replacement.
 */
const TRIAL_MARKS = { [TAG.op]: 'dry-run', [TAG.attempt]: '0' };

/**
 * The first launch of the plan, with the failed instance's own image and without its disks. Null:
 * that image cannot be seen, so a refusal would say nothing. It is for `DryRun` only.
 */
export function trialRequestOf(input: PlanInput, plan: LaunchPlan): Record<string, unknown> | null {
  const [candidate] = plan.candidates;
  if (input.image === null || candidate === undefined) return null;
  return {
    ...baseFor(plan.launchBase, candidate),
    MinCount: 1,
    MaxCount: 1,
    ImageId: input.image.imageId,
    InstanceType: candidate.instanceType,
    SubnetId: candidate.subnetId,
    SecurityGroupIds: plan.securityGroupIds,
    TagSpecifications: ['instance', 'volume'].map((type) =>
      tagSpecification(type, { ...plan.policy.recover.tags, ...TRIAL_MARKS }),
    ),
  };
}

/** What a failed trial means. Shortage and failures that pass say nothing. */
export function trialOutcome(code: ErrorCode, upstreamCode: string | undefined, text: string): LaunchTrial {
  if (code === 'CLOUD_DENIED') return { kind: 'denied', text, names: null };
  const isRefused = code === 'CLOUD_REJECTED' || code === 'CLOUD_NOT_FOUND' || upstreamCode === 'Unsupported';
  return isRefused ? { kind: 'refused', text, names: namedIn(text) } : NOT_TRIED;
}

function namedIn(text: string): 'instanceProfile' | 'licences' | null {
  if (/iam\s?instance\s?profile/i.test(text)) return 'instanceProfile';
  return /licen[cs]e/i.test(text) ? 'licences' : null;
}

/** The references with what only a trial can tell. */
export function referencesAfter(references: References, trial: LaunchTrial): References {
  if (trial.kind === 'ok') return { ...references, instanceProfile: 'present', licences: 'present' };
  if (trial.kind !== 'refused' || trial.names === null) return references;
  return { ...references, [trial.names]: 'gone' };
}

/** Readiness problems that do not refuse a recovery: EC2 may say otherwise when it matters. */
export function trialProblems(trial: LaunchTrial): readonly Finding[] {
  if (trial.kind === 'denied')
    return [
      {
        code: 'LaunchDenied',
        text: `EC2 would deny the launch of a replacement (dry run); compare the coordinator's role with understudy iam-policy: ${trial.text}`,
      },
    ];
  if (trial.kind !== 'refused' || trial.names !== null) return [];
  return [{ code: 'LaunchRefused', text: `EC2 would refuse the launch of a replacement (dry run): ${trial.text}` }];
}
