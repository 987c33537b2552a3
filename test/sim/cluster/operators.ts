import { type Ec2Transport, inProcessTransport } from '@understudy/cloud-sim';
import type { MemberId } from '@understudy/shared';
import type { World } from './world.ts';

export const OPERATOR = 'operator';
/** Longer than EC2's lag: what an operator did by then is seen by whoever asks. */
const SEEN_AFTER_MS = 5_000;

/** People with their own access to EC2. Their calls are EC2's own: they may be refused, and nobody tells the coordinators. */
export class Operators {
  readonly #world: World;
  readonly #send: Ec2Transport;
  /** When the stop of an instance that was well was granted. */
  readonly #stoppedAtMs = new Map<string, number>();
  readonly #stopped = new Set<string>();
  readonly #borrowed = new Set<string>();
  /** When a start was granted. */
  readonly #startedAtMs = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
    this.#send = inProcessTransport(world.cloud, { reader: OPERATOR });
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

  /** Onto an instance that is none of ours. */
  borrowAddress(allocationId: string): void {
    const input = { AllocationId: allocationId, InstanceId: this.#world.bystander, AllowReassociation: true };
    void this.#send('AssociateAddress', input).then(
      () => this.#borrowed.add(allocationId),
      () => undefined,
    );
  }

  /** Given back to whoever is the member now; while a recovery is open, only let go of: the recovery puts it where it belongs. */
  returnAddress(allocationId: string, member: MemberId): void {
    if (this.#world.holderOf(allocationId) !== this.#world.bystander) return;
    const { keys, kv, cloud } = this.#world;
    const active = this.#world.activeInstanceOf(member);
    const { associationId } = cloud.core.world.addresses.get(allocationId) ?? {};
    const open = kv.state.get(keys.intent(member)) !== null;
    const work =
      open || active === null
        ? this.#send('DisassociateAddress', { AssociationId: associationId })
        : this.#send('AssociateAddress', { AllocationId: allocationId, InstanceId: active, AllowReassociation: true });
    void work.catch(() => undefined);
  }

  haveBorrowed(allocationId: string): boolean {
    return this.#borrowed.has(allocationId);
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
