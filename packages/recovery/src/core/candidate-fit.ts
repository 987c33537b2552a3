import type { CloudInstanceType } from '@understudy/shared';
import type { Finding } from './finding.ts';

/** What EC2 says of the instance types that a policy names. */
export interface TypeFacts {
  /**
   * Null: EC2 knows no such type. A type that is missing was not asked about, or the question was
   * refused.
   */
  readonly types: ReadonlyMap<string, CloudInstanceType | null>;
  /** Zones by type. A type that is missing means the same as in `types`. */
  readonly offeredIn: ReadonlyMap<string, ReadonlySet<string>>;
}

export const NO_TYPE_FACTS: TypeFacts = { types: new Map(), offeredIn: new Map() };

/** What every replacement of this instance brings with it, in any place. */
export interface Baggage {
  readonly architecture: string | null;
  readonly virtualizationType: string | null;
  readonly bootMode: string | null;
  readonly enaSupport: boolean;
  readonly hasTpm: boolean;
  readonly volumeCount: number;
  /** `Linux/UNIX` …, and `default`, `dedicated` or `host`. Null: EC2 does not say. */
  readonly platform: string | null;
  readonly tenancy: string | null;
}

interface Wish {
  readonly subnetId: string;
  readonly instanceType: string;
}

/**
 * True when the list does not have the value. An empty list means that EC2 does not say, which
 * leaves no candidate out.
 */
const lacks = (list: readonly string[], value: string | null): boolean =>
  value !== null && list.length > 0 && !list.includes(value);

/**
 * Why a launch of this type in this zone must fail, whatever the capacity. Null: nothing in EC2's
 * own tables speaks against it. What is not known never speaks against a candidate.
 */
export function misfitOf(wish: Wish, az: string, baggage: Baggage, facts: TypeFacts): Finding | null {
  const { instanceType } = wish;
  const type = facts.types.get(instanceType);
  if (type === null) return { code: 'PlacementTypeUnknown', text: `EC2 knows no instance type ${instanceType}` };
  if (facts.offeredIn.get(instanceType)?.has(az) === false)
    return { code: 'PlacementNotOffered', text: `${instanceType} is not offered in ${az} (subnet ${wish.subnetId})` };
  return type === undefined ? null : misfitOfType(type, baggage);
}

function misfitOfType(type: CloudInstanceType, baggage: Baggage): Finding | null {
  const { architecture, virtualizationType, bootMode, enaSupport, hasTpm, volumeCount } = baggage;
  const misfit = (code: string, text: string): Finding => ({ code, text: `${type.instanceType} ${text}` });
  if (lacks(type.architectures, architecture))
    return misfit('PlacementArchitecture', `is ${type.architectures.join(', ')}; the disks are of ${architecture}`);
  if (lacks(type.virtualizationTypes, virtualizationType))
    return misfit('PlacementVirtualization', `takes ${type.virtualizationTypes.join(', ')}, not ${virtualizationType}`);
  // uefi-preferred boots either way.
  if (bootMode !== 'uefi-preferred' && lacks(type.bootModes, bootMode))
    return misfit('PlacementBootMode', `boots by ${type.bootModes.join(', ')}; the disks boot by ${bootMode}`);
  if (type.enaSupport === 'required' && !enaSupport)
    return misfit('PlacementEna', 'needs the ENA driver, for which the image is not marked');
  if (hasTpm && type.nitroTpmSupport === 'unsupported') return misfit('PlacementTpm', 'has no NitroTPM');
  if (lacks(type.rootDeviceTypes, 'ebs')) return misfit('PlacementNoEbsRoot', 'does not boot from EBS');
  if (lacks(type.usageClasses, 'on-demand')) return misfit('PlacementNotOnDemand', 'is not sold on demand');
  const room = roomForVolumes(type);
  return room !== null && volumeCount > room
    ? misfit('PlacementTooManyVolumes', `takes ${room} volumes; there are ${volumeCount}`)
    : null;
}

/** One network interface, the permit, is always there. */
function roomForVolumes({ maxAttachments, attachmentLimit, instanceStoreDisks }: CloudInstanceType): number | null {
  if (maxAttachments === null) return null;
  return attachmentLimit === 'shared' ? Math.max(0, maxAttachments - 1 - instanceStoreDisks) : maxAttachments;
}
