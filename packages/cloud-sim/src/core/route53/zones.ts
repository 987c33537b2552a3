import type { ResourceRecordSet } from '@aws-sdk/client-route-53';
import { normalisedDnsName } from '@understudy/shared';
import { Ec2Error } from '../ec2-error.ts';
import { Route53Rate } from './rate.ts';

/** A name and a type that nobody may change. */
export const protectionKey = (name: string, type: string): string => `${normalisedDnsName(name)} ${type}`;

/** Sets of one name and type are told apart by their identifier. */
export const recordKey = ({ Name = '', Type, SetIdentifier }: Partial<ResourceRecordSet>): string =>
  `${normalisedDnsName(Name)} ${Type ?? ''} ${SetIdentifier ?? ''}`;

export interface SimZone {
  readonly id: string;
  /** Normalised. */
  readonly name: string;
  /** A zone that only these VPCs see. Empty: a public one. */
  readonly vpcIds: readonly string[];
  readonly records: ReadonlyMap<string, ResourceRecordSet>;
  readonly protections: ReadonlySet<string>;
  /** A change is being processed until then; another is refused. */
  readonly busyUntilMs: number;
}

export interface SimDnsChange {
  readonly id: string;
  readonly zoneId: string;
  readonly comment: string | null;
  readonly submittedAtWallMs: number;
  readonly insyncAtMs: number;
}

export interface NewZone {
  readonly name: string;
  readonly vpcIds?: readonly string[];
}

const CHANGES_KEPT = 1_000;

/** The hosted zones of the account. Changes are shown at once, and take effect when INSYNC. */
export class DnsZones {
  readonly rate: Route53Rate;
  /** Refusals of a batch come in the older form, which its API reference still shows. */
  refusesInMessages = false;
  readonly #zones = new Map<string, SimZone>();
  readonly #changes = new Map<string, SimDnsChange>();
  #made = 0;
  #noted = 0;

  constructor(speed: number) {
    this.rate = new Route53Rate(speed);
  }

  make({ name, vpcIds = [] }: NewZone): SimZone {
    const id = `Z${String(++this.#made).padStart(10, '0')}SIM`;
    const zone = { id, name: normalisedDnsName(name), vpcIds, protections: new Set<string>(), busyUntilMs: 0 };
    return this.put({ ...zone, records: new Map() });
  }

  put(zone: SimZone): SimZone {
    this.#zones.set(zone.id, zone);
    return zone;
  }

  all(): readonly SimZone[] {
    return [...this.#zones.values()];
  }

  get(id: string): SimZone | undefined {
    return this.#zones.get(id);
  }

  /** @throws NoSuchHostedZone */
  require(id: string): SimZone {
    const zone = this.get(id.replace(/^\/?hostedzone\//, ''));
    if (zone) return zone;
    throw new Ec2Error('NoSuchHostedZone', `No hosted zone found with ID: ${id}`, 404);
  }

  /** As it was long ago: no checks, no lock, in sync. */
  setRecord(zoneId: string, record: ResourceRecordSet): void {
    const zone = this.require(zoneId);
    const kept = { ...record, Name: normalisedDnsName(record.Name ?? '') };
    this.put({ ...zone, records: new Map(zone.records).set(recordKey(kept), kept) });
  }

  protect(zoneId: string, name: string, type: string, on: boolean): void {
    const zone = this.require(zoneId);
    const protections = new Set(zone.protections);
    if (on) protections.add(protectionKey(name, type));
    else protections.delete(protectionKey(name, type));
    this.put({ ...zone, protections });
  }

  note(change: Omit<SimDnsChange, 'id'>): SimDnsChange {
    const id = `C${String(++this.#noted).padStart(13, '0')}SIM`;
    const noted = { ...change, id };
    this.#changes.set(id, noted);
    if (this.#changes.size > CHANGES_KEPT) this.#changes.delete(this.#changes.keys().next().value ?? '');
    return noted;
  }

  change(id: string): SimDnsChange | undefined {
    return this.#changes.get(id.replace(/^\/?change\//, ''));
  }
}
