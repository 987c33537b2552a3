import type { Endpoint, MemberId, MonotonicMs, ServiceProbe } from '@understudy/shared';

/** A look to make now. Give what became of it to `ObserverTable.serviceResult`. */
export interface ServiceOrder {
  /** `confirm`: it is silent, does its host live? `watch`: it is heard, do its services work? */
  readonly purpose: 'confirm' | 'watch';
  readonly member: MemberId;
  readonly probe: ServiceProbe;
  /** Where the member's heartbeats come from, and the probe's port. */
  readonly to: Endpoint;
  readonly timeoutMs: number;
  readonly plannedAtMs: MonotonicMs;
  /** Position in the group's list. */
  readonly index: number;
  /** Instance and list of probes it was planned for. */
  readonly epoch: number;
  /** Which suspicion it belongs to; null for `watch`. */
  readonly suspectSinceMs: MonotonicMs | null;
}

/** This observer's view of a member's services; see `ServiceOpinionSchema`. */
export interface ServiceOpinion {
  readonly state: 'passing' | 'failing';
  readonly probe: string;
  readonly reason: string;
  readonly sinceMs: MonotonicMs;
  readonly passedBefore: boolean;
  readonly warning: string | null;
}

/** How many looks may be begun now. */
export interface ProbeRoom {
  readonly confirm: number;
  readonly watch: number;
}
