import type { MemberId, ServePromise } from '@understudy/shared';
import type { LeaseStanding } from './serve-lease.ts';

/** What a leader needs to know to count on a serve lease; see `recovery/src/core/serve-lease`. */
export interface ServeLeases {
  /** Longest time any live coordinator's answer holds; null while one of them does not say. */
  answersHoldMs(): number | null;
  /** Would the instance's lease count, if it fell silent now? */
  standing(member: MemberId, instanceId: string): LeaseStanding;
  /** What the instance's last heartbeat promised. */
  promise(member: MemberId, instanceId: string): ServePromise | null;
}
