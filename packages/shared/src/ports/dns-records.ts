import type { CloudCallOptions } from './cloud.ts';

/** A record set of a hosted zone. */
export interface DnsRecordSet {
  /** Normalised (`normalisedDnsName`). */
  readonly name: string;
  readonly type: string;
  /** Tells the sets of one name and type apart where traffic is routed among them. Null: simple. */
  readonly setIdentifier: string | null;
  /** Empty: an alias. */
  readonly values: readonly string[];
  /** All of it, in Route 53's words: a DELETE has to repeat every member. */
  readonly exact: Readonly<Record<string, unknown>>;
}

/** Takes away exactly `old` and puts `fresh` in its place, or does nothing at all. */
export interface RecordSwap {
  readonly zoneId: string;
  /** As {@link DnsRecordSet.exact}. */
  readonly old: Readonly<Record<string, unknown>>;
  readonly fresh: Readonly<Record<string, unknown>>;
  /** Shown with the change, for people. */
  readonly comment: string;
}

export type DnsChangeStatus = 'PENDING' | 'INSYNC';

/**
 * What we need of Route 53. There is one implementation (`dnsRecordsOver`) over a transport, which
 * is either the SDK's client over HTTP or cloud-sim's core in process. One contract suite tests
 * both. Every call is sent once.
 *
 * What is not Route 53's own answer is CLOUD_UNAVAILABLE, or CLOUD_OUTCOME_UNKNOWN of a change
 * (S18).
 */
export interface DnsRecords {
  /**
   * The sets of this name and type, those with identifiers among them. Shown as they are after the
   * newest change, also while it is PENDING.
   * @throws CLOUD_NOT_FOUND (no such zone), CLOUD_DENIED, CLOUD_THROTTLED, CLOUD_UNAVAILABLE
   */
  describeRecords(
    zoneId: string,
    named: { readonly name: string; readonly type: string },
    options?: CloudCallOptions,
  ): Promise<readonly DnsRecordSet[]>;
  /** Every set of the zone, page by page. @throws as {@link describeRecords} */
  describeZone(zoneId: string, options?: CloudCallOptions): Promise<readonly DnsRecordSet[]>;
  /**
   * A compare-and-set: DELETE of the exact old set and CREATE of the new one in one batch. There is
   * no token: after a lost reply only a look says whether it was applied. Never an UPSERT.
   * @throws CLOUD_CONFLICT (the set is not the old one any more, or the name is protected),
   * CLOUD_THROTTLED (also while the zone processes another change), CLOUD_OUTCOME_UNKNOWN
   */
  swapRecord(swap: RecordSwap, options?: CloudCallOptions): Promise<{ readonly changeId: string }>;
  /** @throws CLOUD_NOT_FOUND (Route 53 has forgotten the change), CLOUD_UNAVAILABLE */
  describeChange(changeId: string, options?: CloudCallOptions): Promise<DnsChangeStatus>;
}
