import type { StoredState } from '@understudy/agent';
import type { SimEvent } from '@understudy/cloud-sim';

/**
 * What stands on the simulated volumes: of each root disk the agent's state file. A snapshot copies
 * it, a volume made from a snapshot has it again.
 */
export class Disks {
  readonly #onVolume = new Map<string, StoredState>();
  readonly #onSnapshot = new Map<string, StoredState>();

  read(volumeId: string): StoredState | null {
    return this.#onVolume.get(volumeId) ?? null;
  }

  write(volumeId: string, state: StoredState): void {
    this.#onVolume.set(volumeId, state);
  }

  /** Runs inside the request that caused the event, so that its point in time is the request's. */
  onEvent(event: SimEvent): void {
    if (event.kind !== 'transition') return;
    const { resourceKind, resourceId, from, to, detail } = event;
    if (resourceKind === 'volume' && from === null)
      copy(this.#onSnapshot, detail['snapshotId'], this.#onVolume, resourceId);
    if (resourceKind === 'volume' && to === null) this.#onVolume.delete(resourceId);
    if (resourceKind === 'snapshot' && from === null)
      copy(this.#onVolume, detail['volumeId'], this.#onSnapshot, resourceId);
    if (resourceKind === 'snapshot' && to === null) this.#onSnapshot.delete(resourceId);
  }
}

function copy(from: Map<string, StoredState>, source: unknown, into: Map<string, StoredState>, target: string): void {
  const content = typeof source === 'string' ? from.get(source) : undefined;
  if (content) into.set(target, content);
}
