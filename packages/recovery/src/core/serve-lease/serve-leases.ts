import type { MemberId, ServePromise } from '@understudy/shared';
import type { LeaseStanding } from './serve-lease.ts';

/** What a leader needs to know to count on a serve lease. See `recovery/src/core/serve-lease`. */
export interface ServeLeases {
  /** Longest time any live coordinator's answer holds. Null while one of them does not say. */
  answersHoldMs(): number | null;
  /** Says whether the instance's lease would count if it fell silent now. */
  standing(member: MemberId, instanceId: string): LeaseStanding;
  /** The promise in the instance's last heartbeat. */
  promise(member: MemberId, instanceId: string): ServePromise | null;
}
