import { Ec2Error } from './ec2-error.ts';

/**
 * Resource types that an organisation's policy wants tagged when they are made, by the action that
 * makes them.
 */
const MADE_BY: Readonly<Record<string, readonly string[]>> = {
  CreateSnapshot: ['snapshot'],
  CreateSnapshots: ['snapshot'],
  RegisterImage: ['image'],
  CreateNetworkInterface: ['network-interface'],
  CreateVolume: ['volume'],
  CopyVolumes: ['volume'],
  RunInstances: ['instance', 'volume'],
};

interface Specification {
  readonly ResourceType?: string;
  readonly Tags?: readonly { readonly Key?: string }[];
}

/**
 * Refuses as a service control policy with `aws:RequestTag` conditions does.
 * @throws UnauthorizedOperation
 */
export function requireTags(keys: ReadonlySet<string>, action: string, input: Readonly<Record<string, unknown>>): void {
  const made = MADE_BY[action];
  if (keys.size === 0 || made === undefined) return;
  const given = (input['TagSpecifications'] ?? []) as readonly Specification[];
  for (const type of made) {
    const tags = given.find((one) => one.ResourceType === type)?.Tags ?? [];
    const missing = [...keys].find((key) => !tags.some((tag) => tag.Key === key));
    if (missing === undefined) continue;
    throw new Ec2Error(
      'UnauthorizedOperation',
      `You are not authorized to perform this operation with an explicit deny in a service control policy: ${type} without tag ${missing}.`,
    );
  }
}
