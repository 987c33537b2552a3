/** An instance on which an agent of Systems Manager was seen. */
export interface SimNode {
  readonly instanceId: string;
  lastPingAtMs: number;
  lastPingAtWallMs: number;
  /** Its way to the service is cut, while the machine runs on. */
  isCutOff: boolean;
  /** It has fetched what there is for it, and stands still: what it holds it runs later. */
  isFrozen: boolean;
}

/** "Every five minutes" (agent's `HealthFrequencyMinutes`). */
export const PING_EVERY_MS = 300_000;
/** Online has been seen to outlive an outage of eight minutes. AWS gives no figure. */
export const ONLINE_FOR_MS = 600_000;

export const pingStatusOf = ({ lastPingAtMs }: SimNode, nowMs: number, speed: number): 'Online' | 'ConnectionLost' =>
  nowMs - lastPingAtMs <= ONLINE_FOR_MS / speed ? 'Online' : 'ConnectionLost';
