import {
  type Clock,
  harmless,
  type MemberView,
  type OpenRecoveryView,
  type RecoveriesView,
  type StatusView,
} from '@understudy/shared';
import type { CoordinatorClient } from '../coordinator-client.ts';

/** What the audience sees at one moment, as the coordinators tell it. */
export interface Scene {
  readonly atWallMs: number;
  readonly status: StatusView;
  readonly members: readonly MemberView[];
  readonly recoveries: RecoveriesView;
}

/** Reads a scene from the leader where one is known, else from anybody. `null` when nobody answers. */
export async function readScene(
  clock: Clock,
  client: CoordinatorClient,
  clientOf: (url: string) => CoordinatorClient,
): Promise<Scene | null> {
  try {
    const first = await client.status();
    const leaderUrl = first.coordinators.find((each) => each.leader)?.httpUrl;
    const source = leaderUrl === undefined ? client : clientOf(leaderUrl);
    const [members, recoveries] = await Promise.all([source.members(), source.recoveries()]).catch(() =>
      Promise.all([client.members(), client.recoveries()]),
    );
    // Whatever is said of a scene is said on a terminal.
    return harmless({ atWallMs: clock.wallMs(), status: first, members, recoveries });
  } catch {
    return null;
  }
}

export const openRecovery = (scene: Scene, member: string): OpenRecoveryView | undefined =>
  scene.recoveries.open.find((each) => each.member === member);

export const finishedRecovery = (scene: Scene, member: string) =>
  scene.recoveries.history.find((each) => each.member === member && each.outcome === 'replaced');

/** A director's eye on the stage: reads scenes on a cadence, hands each to `onScene`, and can wait until one satisfies a condition. */
export class SceneWatch {
  readonly #clock: Clock;
  readonly #read: () => Promise<Scene | null>;
  readonly #onScene: (scene: Scene, previous: Scene | null) => void;
  readonly #stopped = new AbortController();
  #latest: Scene | null = null;
  #loop: Promise<void> | null = null;

  constructor(options: {
    clock: Clock;
    read: () => Promise<Scene | null>;
    onScene: (scene: Scene, previous: Scene | null) => void;
  }) {
    this.#clock = options.clock;
    this.#read = options.read;
    this.#onScene = options.onScene;
  }

  get latest(): Scene | null {
    return this.#latest;
  }

  start(everyMs: number): void {
    this.#loop = this.#run(everyMs);
  }

  async #run(everyMs: number): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const scene = await this.#read();
      if (scene) {
        this.#onScene(scene, this.#latest);
        this.#latest = scene;
      }
      await this.#clock.sleep(everyMs, this.#stopped.signal).catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the demo is over'));
    await this.#loop;
  }

  /** The first scene from now on that `holds`. @throws Error naming `what` after `limitMs`, or the signal's reason. */
  async until(
    what: string,
    holds: (scene: Scene) => boolean,
    options: { limitMs: number; signal: AbortSignal },
  ): Promise<Scene> {
    const startedAtMs = this.#clock.monotonicMs();
    for (;;) {
      const scene = this.#latest;
      if (scene && holds(scene)) return scene;
      if (this.#clock.monotonicMs() - startedAtMs > options.limitMs)
        throw new Error(`waited ${options.limitMs / 1_000} s in vain for: ${what}`);
      await this.#clock.sleep(50, options.signal);
    }
  }
}
