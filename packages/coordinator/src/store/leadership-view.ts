import type { Term } from '@understudy/shared';

export interface KnownLeader {
  readonly coordinatorId: string;
  readonly term: number;
  readonly httpUrl: string;
}

export interface LeadershipView {
  /** Our own term, while we lead. */
  current(): Term | null;
  /** The leader, as far as the watch tells. */
  knownLeader(): KnownLeader | null;
  /** Called on every change of either. Returns the unsubscribe function. */
  onChange(listener: () => void): () => void;
}
