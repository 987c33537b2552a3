import type { CloudEvent } from '@understudy/local-cluster';

/**
 * Time the cloud itself needed for one replacement, along the longest chain of actions that have to
 * follow one another: stop → snapshots → image → launch → boot, the settle time that was asked for,
 * and moving the address. Where disks move, the new instance is stopped and started once more; what
 * their attachments take is not in the cloud's log and not in this. A perfect engine could not have
 * saved any of it.
 */
export function criticalPathMs(
  events: readonly CloudEvent[],
  recovery: {
    oldInstanceId: string;
    newInstanceId: string;
    startedAtWallMs: number;
    endedAtWallMs: number;
    settleMs: number;
    movesAddress: boolean;
  },
): number {
  const during = events.filter(
    (each) => each.wallMs >= recovery.startedAtWallMs - 1_000 && each.wallMs <= recovery.endedAtWallMs + 1_000,
  );
  const stays = stayDurations(during);
  const longest = (kind: string, state: string, id?: string) =>
    Math.max(
      0,
      ...stays
        .filter(
          (stay) => stay.resourceKind === kind && stay.state === state && (id === undefined || stay.resourceId === id),
        )
        .map((stay) => stay.ms),
    );
  const allOf = (id: string, state: string) =>
    stays.reduce((sum, stay) => sum + (stay.resourceId === id && stay.state === state ? stay.ms : 0), 0);
  const call = (action: string) =>
    Math.max(
      0,
      ...during
        .filter((each) => each.kind === 'call' && each.action === action && each.outcome === 'ok')
        .map((each) => (each.kind === 'call' ? each.durationMs : 0)),
    );
  return (
    call('StopInstances') +
    longest('instance', 'stopping', recovery.oldInstanceId) +
    call('CreateSnapshots') +
    longest('snapshot', 'pending') +
    call('RegisterImage') +
    longest('image', 'pending') +
    call('RunInstances') +
    allOf(recovery.newInstanceId, 'pending') +
    allOf(recovery.newInstanceId, 'stopping') +
    recovery.settleMs +
    (recovery.movesAddress ? call('DisassociateAddress') + call('AssociateAddress') : 0)
  );
}

interface Stay {
  readonly resourceKind: string;
  readonly resourceId: string;
  readonly state: string;
  readonly ms: number;
}

/** How long each resource stayed in each state it left again. */
function stayDurations(events: readonly CloudEvent[]): Stay[] {
  const entered = new Map<string, { state: string; wallMs: number }>();
  const stays: Stay[] = [];
  for (const event of events) {
    if (event.kind !== 'transition') continue;
    const since = entered.get(event.resourceId);
    if (since)
      stays.push({
        resourceKind: event.resourceKind,
        resourceId: event.resourceId,
        state: since.state,
        ms: event.wallMs - since.wallMs,
      });
    if (event.to !== null) entered.set(event.resourceId, { state: event.to, wallMs: event.wallMs });
  }
  return stays;
}
