import { type Ec2Transport, inProcessTransport } from '@understudy/cloud-sim';
import type { World } from './world.ts';

/** Longer than EC2's lag: what an operator did by then is seen by whoever asks. */
const SEEN_AFTER_MS = 5_000;

/** People with their own access to EC2. Their calls are EC2's own: they may be refused, and nobody tells the coordinators. */
export class Operators {
  readonly #world: World;
  readonly #send: Ec2Transport;
  /** When the stop of an instance that was well was granted. */
  readonly #stoppedAtMs = new Map<string, number>();
  readonly #stopped = new Set<string>();
  /** When a start was granted. */
  readonly #startedAtMs = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    this.#send = inProcessTransport(world.cloud, { reader: 'operator' });
  }

  stop(instanceId: string): void {
    const wasWell = this.#world.machines.of(instanceId)?.agentRuns === true;
    void this.#send('StopInstances', { InstanceIds: [instanceId] }).then(
      () => {
        this.#stopped.add(instanceId);
        if (wasWell) this.#stoppedAtMs.set(instanceId, this.#world.kernel.monotonicMs());
      },
      () => undefined,
    );
  }

  /** EC2's own advice for an instance that hangs in `stopping`. */
  forceStop(instanceId: string): void {
    void this.#send('StopInstances', { InstanceIds: [instanceId], Force: true }).catch(() => undefined);
  }

  start(instanceId: string): void {
    this.#stoppedAtMs.delete(instanceId);
    void this.#send('StartInstances', { InstanceIds: [instanceId] }).then(
      () => this.#startedAtMs.set(instanceId, this.#world.kernel.monotonicMs()),
      () => undefined,
    );
  }

  /** It was well, an operator stopped it, EC2 has had time to show it, and nobody started it since. */
  keepDown(instanceId: string): boolean {
    const atMs = this.#stoppedAtMs.get(instanceId);
    return atMs !== undefined && this.#world.kernel.monotonicMs() - atMs > SEEN_AFTER_MS;
  }

  haveStopped(instanceId: string): boolean {
    return this.#stopped.has(instanceId);
  }

  haveStarted(instanceId: string): boolean {
    return this.#startedAtMs.has(instanceId);
  }

  /** So lately that not every look can show it. */
  startedLately(instanceId: string): boolean {
    const atMs = this.#startedAtMs.get(instanceId);
    return atMs !== undefined && this.#world.kernel.monotonicMs() - atMs < SEEN_AFTER_MS;
  }
}
