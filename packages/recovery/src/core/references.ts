import { type CloudInstance, type CloudRoute, type GroupPolicy, rawListOf, rawOf, textOf } from '@understudy/shared';
import type { Finding } from './finding.ts';
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
  /** Of these two only a launch that is tried (DryRun) tells. */
  readonly instanceProfile: Existence;
  readonly licences: Existence;
  /** Routes of the VPC that lead to the instance or to one of its interfaces; null: not known. */
  readonly routes: readonly CloudRoute[] | null;
  /** Of the attached volumes. */
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

/**
 * What a policy may leave out of a launch when it is gone. A key pair is always left out: its
 * public key is on the root disk.
 */
type Dispensable = GroupPolicy['recover']['leaveOutWhenGone'][number];

interface Reference {
  readonly kind: Dispensable;
  readonly code: string;
  /** Members of RunInstances, or of its Placement, that name it. */
  readonly members: readonly string[];
  readonly existence: (references: References) => Existence;
  readonly words: (named: Named) => string;
}

const GONE: readonly Reference[] = [
  {
    kind: 'placement-group',
    code: 'PlacementGroup',
    members: ['GroupId', 'GroupName', 'PartitionNumber'],
    existence: (references) => references.placementGroup,
    words: (named) => `placement group ${named.placementGroup?.groupName ?? named.placementGroup?.groupId ?? ''}`,
  },
  {
    kind: 'capacity-reservation',
    code: 'CapacityReservation',
    members: ['CapacityReservationSpecification'],
    existence: (references) => references.capacityReservation,
    words: (named) => `capacity reservation ${named.capacityReservationId ?? ''}`,
  },
  {
    kind: 'instance-profile',
    code: 'InstanceProfile',
    members: ['IamInstanceProfile'],
    existence: (references) => references.instanceProfile,
    words: (named) => `instance profile ${named.instanceProfileArn ?? ''}`,
  },
  {
    kind: 'licence',
    code: 'Licence',
    members: ['LicenseSpecifications'],
    existence: (references) => references.licences,
    words: (named) => `licence configuration ${named.licenceArns.join(', ')}`,
  },
];

type Asked = { readonly recover: Pick<GroupPolicy['recover'], 'leaveOutWhenGone'> };

const goneOf = (references: References): readonly Reference[] =>
  GONE.filter((one) => one.existence(references) === 'gone');

/**
 * A launch that names what is gone would be refused every time: no recovery, unless the policy
 * leaves it out.
 */
export function missingProblems(instance: CloudInstance, references: References, policy: Asked): readonly Finding[] {
  const named = namedBy(instance);
  return goneOf(references)
    .filter((one) => !policy.recover.leaveOutWhenGone.includes(one.kind))
    .map((one) => ({
      code: `${one.code}Gone`,
      text: `${one.words(named)}, which the instance was launched with, does not exist or cannot be used any more. Make it anew, or add ${one.kind} to recover.leaveOutWhenGone in the group's policy`,
    }));
}

/** What is left out of the launch because it is gone. */
export function missingLosses(instance: CloudInstance, references: References, policy: Asked): readonly Finding[] {
  const named = namedBy(instance);
  const key: Finding[] =
    references.keyPair === 'gone'
      ? [
          {
            code: 'KeyPairGone',
            text: `key pair ${named.keyName ?? ''} does not exist any more: the launch does not name it; its public key is on the root disk`,
          },
        ]
      : [];
  const others = goneOf(references)
    .filter((one) => policy.recover.leaveOutWhenGone.includes(one.kind))
    .map((one) => ({ code: `${one.code}LeftOut`, text: `${one.words(named)} is gone; the policy leaves it out` }));
  return [...key, ...others];
}

/** `launchBase` without what is gone; the plan was blocked before, if that may not be. */
export function withoutMissing(
  base: Readonly<Record<string, unknown>>,
  references: References,
): Record<string, unknown> {
  const gone = new Set(goneOf(references).flatMap((one) => one.members));
  if (references.keyPair === 'gone') gone.add('KeyName');
  const keep = (record: object) => Object.fromEntries(Object.entries(record).filter(([name]) => !gone.has(name)));
  return { ...keep(base), Placement: keep(rawOf(base.Placement)) };
}

/** Routes that will lead nowhere, each as table and destination. */
export function routeLosses({ routes }: References, instance: CloudInstance): readonly Finding[] {
  if (routes === null)
    return [
      { code: 'RoutesUnknown', text: 'EC2 did not tell the route tables: routes to the old instance stay behind' },
    ];
  const interfaces = new Set(instance.networkInterfaces.map((one) => one.networkInterfaceId));
  const own = routes.filter(
    (route) => route.instanceId === instance.instanceId || interfaces.has(route.networkInterfaceId ?? ''),
  );
  if (own.length === 0) return [];
  const named = own.slice(0, 10).map((route) => `${route.destination} in ${route.routeTableId}`);
  const more = own.length > named.length ? ` and ${own.length - named.length} more` : '';
  return [
    {
      code: 'RoutesNotMoved',
      text: `routes lead to the old instance and are not moved: ${named.join(', ')}${more}. Replace them (ReplaceRoute) with the new interface`,
    },
  ];
}
