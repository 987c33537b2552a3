import { type CloudInstance, type CloudRoute, rawListOf, rawOf, textOf } from '@understudy/shared';
import { type KeyFacts, NO_KEY_FACTS } from './volume-keys.ts';

/**
 * `unknown`: it was not asked about, or EC2 did not answer; a refusal by permissions says nothing
 * about what is there.
 */
export type Existence = 'present' | 'gone' | 'unknown';

/** Whether what the instance names is still there, as far as EC2 can be asked. */
export interface References {
  readonly keyPair: Existence;
  readonly placementGroup: Existence;
  readonly capacityReservation: Existence;
  /** Only a launch that is tried (DryRun) tells of this one and of the licences. */
  readonly instanceProfile: Existence;
  readonly licences: Existence;
  /** Routes of the VPC that lead to the instance or to one of its interfaces; null: not known. */
  readonly routes: readonly CloudRoute[] | null;
  /** The keys of the attached volumes. */
  readonly keys: KeyFacts;
}

export const UNKNOWN_REFERENCES: References = {
  keyPair: 'unknown',
  placementGroup: 'unknown',
  capacityReservation: 'unknown',
  instanceProfile: 'unknown',
  licences: 'unknown',
  routes: null,
  keys: NO_KEY_FACTS,
};

/** The names, as the instance shows them; null: it names none. */
export interface Named {
  readonly keyName: string | null;
  readonly placementGroup: { readonly groupId: string | null; readonly groupName: string | null } | null;
  readonly capacityReservationId: string | null;
  readonly instanceProfileArn: string | null;
  readonly licenceArns: readonly string[];
}

export function namedBy({ keyName, iamInstanceProfileArn, raw }: CloudInstance): Named {
  const placement = rawOf(raw.Placement);
  const [groupId, groupName] = [textOf(placement.GroupId), textOf(placement.GroupName)];
  const target = rawOf(rawOf(raw.CapacityReservationSpecification).CapacityReservationTarget);
  return {
    keyName,
    placementGroup: groupId === null && groupName === null ? null : { groupId, groupName },
    capacityReservationId: textOf(target.CapacityReservationId),
    instanceProfileArn: iamInstanceProfileArn,
    licenceArns: rawListOf(raw.Licenses).flatMap((one) => textOf(one.LicenseConfigurationArn) ?? []),
  };
}

/** An attribute that is the name of something which may be deleted, and how that is known. */
export interface NameInUse {
  /** The question to EC2 that tells it. */
  readonly asked: string;
  readonly existence: (references: References) => Existence;
}
