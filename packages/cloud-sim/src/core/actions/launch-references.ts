import type { RunInstancesRequest } from '@aws-sdk/client-ec2';
import { Ec2Error } from '../ec2-error.ts';
import { need } from '../lookup.ts';
import { ACCOUNT_ID, type Call, type Region } from '../region.ts';
import { needKeyPair, putKeyPair } from './key-pairs.ts';
import { needPlacementGroup, putPlacementGroup } from './placement-groups.ts';

type Profile = NonNullable<RunInstancesRequest['IamInstanceProfile']>;

const profileNameOf = (profile: Profile): string =>
  profile.Name ?? profile.Arn?.split(':instance-profile/').at(-1) ?? '';

/** The text is EC2's own. IAM has no code of its own there. */
function requireProfile(region: Region, profile: Profile): void {
  const isForeign =
    profile.Arn !== undefined && !profile.Arn.startsWith(`arn:aws:iam::${ACCOUNT_ID}:instance-profile/`);
  if (!isForeign && region.instanceProfiles.has(profileNameOf(profile))) return;
  const [parameter, word] = profile.Name === undefined ? ['arn', 'ARN'] : ['name', 'name'];
  const value = profile.Name ?? profile.Arn ?? '';
  throw new Ec2Error(
    'InvalidParameterValue',
    `Value (${value}) for parameter iamInstanceProfile.${parameter} is invalid. Invalid IAM Instance Profile ${word}`,
  );
}

const licensesOf = (input: RunInstancesRequest): readonly string[] =>
  (input.LicenseSpecifications ?? []).map((one) => one.LicenseConfigurationArn ?? '');

/**
 * While seeding, a machine that was launched long ago proves that the things it names were there.
 */
function makeMissing(region: Region, call: Call, input: RunInstancesRequest): void {
  const group = input.Placement?.GroupName;
  if (input.KeyName && !region.keyPairs.has(input.KeyName)) putKeyPair(region, call, input.KeyName);
  if (group && !region.placementGroups.has(group)) putPlacementGroup(region, call, group);
  if (input.IamInstanceProfile) region.instanceProfiles.add(profileNameOf(input.IamInstanceProfile));
  for (const arn of licensesOf(input)) region.licenseConfigurations.add(arn);
}

/**
 * Checks that the things a launch names exist. The codes for a profile and for a licence are the
 * general ones with EC2's text (reported by users; not in the list of error codes).
 * @throws InvalidKeyPair.NotFound, InvalidPlacementGroup.Unknown,
 * InvalidCapacityReservationId.NotFound, InvalidCapacityReservationState, InvalidParameterValue
 */
export function requireReferences(region: Region, call: Call, input: RunInstancesRequest): void {
  if (call.instant) makeMissing(region, call, input);
  if (input.KeyName) needKeyPair(region, call, input.KeyName);
  const group = input.Placement?.GroupId ?? input.Placement?.GroupName;
  if (group) needPlacementGroup(region, call, group);
  const target = input.CapacityReservationSpecification?.CapacityReservationTarget?.CapacityReservationId;
  if (target !== undefined) {
    const { id, state } = need(call, region.capacityReservations, 'capacityReservation', target);
    if (state !== 'active')
      throw new Ec2Error('InvalidCapacityReservationState', `The capacity reservation ${id} is ${state}.`);
  }
  if (input.IamInstanceProfile) requireProfile(region, input.IamInstanceProfile);
  const unknown = licensesOf(input).find((arn) => !region.licenseConfigurations.has(arn));
  if (unknown !== undefined)
    throw new Ec2Error('InvalidParameterValue', `Value (${unknown}) for parameter licenseConfigurationArn is invalid.`);
}
