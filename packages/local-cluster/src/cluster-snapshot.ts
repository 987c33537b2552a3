import {
  type Clock,
  harmless,
  type MemberView,
  type OpenRecoveryView,
  type RecoveriesView,
  type StatusView,
} from '@understudy/shared';
import type { CoordinatorClient } from '@understudy/shared/node';

/** What the coordinators tell of the cluster at one moment. */
export interface ClusterSnapshot {
  readonly atWallMs: number;
  readonly status: StatusView;
  readonly members: readonly MemberView[];
  readonly recoveries: RecoveriesView;
}

/**
 * Reads a snapshot from the leader where one is known, else from anybody. `null` when nobody
 * answers.
 */
export async function readSnapshot(
  clock: Clock,
  client: CoordinatorClient,
  clientOf: (url: string) => CoordinatorClient,
): Promise<ClusterSnapshot | null> {
  try {
    const first = await client.status();
    const leaderUrl = first.coordinators.find((each) => each.leader)?.httpUrl;
    const source = leaderUrl === undefined ? client : clientOf(leaderUrl);
    const [members, recoveries] = await Promise.all([source.members(), source.recoveries()]).catch(() =>
      Promise.all([client.members(), client.recoveries()]),
    );
    // Whatever is said of a snapshot is said on a terminal.
    return harmless({ atWallMs: clock.wallMs(), status: first, members, recoveries });
  } catch {
    return null;
  }
}

export const openRecovery = (snapshot: ClusterSnapshot, member: string): OpenRecoveryView | undefined =>
  snapshot.recoveries.open.find((each) => each.member === member);

export const finishedRecovery = (snapshot: ClusterSnapshot, member: string) =>
  snapshot.recoveries.history.find(
    (each) => each.member === member && (each.outcome === 'replaced' || each.outcome === 'mended'),
  );

/**
 * Reads snapshots on a cadence, hands each to `onSnapshot`, and can wait until one satisfies a
 * condition.
 */
export class SnapshotPoller {
  readonly #clock: Clock;
  readonly #read: () => Promise<ClusterSnapshot | null>;
  readonly #onSnapshot: (snapshot: ClusterSnapshot, previous: ClusterSnapshot | null) => void;
  readonly #stopped = new AbortController();
  #latest: ClusterSnapshot | null = null;
  #loop: Promise<void> | null = null;

  constructor(options: {
    clock: Clock;
    read: () => Promise<ClusterSnapshot | null>;
    onSnapshot: (snapshot: ClusterSnapshot, previous: ClusterSnapshot | null) => void;
  }) {
    this.#clock = options.clock;
    this.#read = options.read;
    this.#onSnapshot = options.onSnapshot;
  }

  get latest(): ClusterSnapshot | null {
    return this.#latest;
  }

  start(everyMs: number): void {
    this.#loop = this.#run(everyMs);
  }

  async #run(everyMs: number): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const snapshot = await this.#read();
      if (snapshot) {
        this.#onSnapshot(snapshot, this.#latest);
        this.#latest = snapshot;
      }
      await this.#clock.sleep(everyMs, this.#stopped.signal).catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('nobody polls any more'));
    await this.#loop;
  }

  /**
   * The first snapshot from now on that `holds`. @throws Error naming `what` after `limitMs`, or
   * the signal's reason.
   */
  async until(
    what: string,
    holds: (snapshot: ClusterSnapshot) => boolean,
    options: { limitMs: number; signal: AbortSignal },
  ): Promise<ClusterSnapshot> {
    const startedAtMs = this.#clock.monotonicMs();
    for (;;) {
      const snapshot = this.#latest;
      if (snapshot && holds(snapshot)) return snapshot;
      if (this.#clock.monotonicMs() - startedAtMs > options.limitMs)
        throw new Error(`waited ${options.limitMs / 1_000} s in vain for: ${what}`);
      await this.#clock.sleep(50, options.signal);
    }
  }
}
