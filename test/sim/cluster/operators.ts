import { type Ec2Transport, inProcessTransport } from '@understudy/cloud-sim';
import type { Command } from '@understudy/coordinator/testing';
import { type MemberId, type RequestKind, unreachable } from '@understudy/shared';
import type { Control } from '../faults/fault.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

export const OPERATOR = 'operator';
/** Longer than EC2's lag: what an operator did by then is seen by whoever asks. */
const SEEN_AFTER_MS = 5_000;
const ASK_AGAIN_MS = 10_000;
const START_TRIES = 600;

export interface Asking {
  readonly end: () => void;
  /** It is written down. */
  readonly isTaken: () => boolean;
}

/**
 * People with their own access to EC2. Their calls are EC2's own: they may be refused, and nobody
 * tells the coordinators.
 */
export class Operators {
  readonly #cluster: SimulatedCluster;
  readonly #send: Ec2Transport;
  /** When the stop of an instance that was well was granted. */
  readonly #stoppedAtMs = new Map<string, number>();
  readonly #stopped = new Set<string>();
  readonly #borrowed = new Set<string>();
  /** Borrowed for good. */
  readonly #kept = new Set<string>();
  readonly #recoverAsked = new Set<string>();
  /** When a start was granted. */
  readonly #startedAtMs = new Map<string, number>();

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    this.#send = inProcessTransport(cluster.cloud, { reader: OPERATOR });
  }

  stop(instanceId: string): void {
    const wasWell = this.#cluster.machines.of(instanceId)?.agentRuns === true;
    void this.#send('StopInstances', { InstanceIds: [instanceId] }).then(
      () => {
        this.#stopped.add(instanceId);
        if (wasWell) this.#stoppedAtMs.set(instanceId, this.#cluster.kernel.monotonicMs());
      },
      () => undefined,
    );
  }

  /** EC2's own advice for an instance that hangs in `stopping`. */
  forceStop(instanceId: string): void {
    this.#ask('StopInstances', { InstanceIds: [instanceId], Force: true });
  }

  reboot(instanceId: string): void {
    this.#ask('RebootInstances', { InstanceIds: [instanceId] });
  }

  /** Asked again for as long as EC2 says no: it may still be stopping, or its zone be out. */
  start(instanceId: string, triesLeft = START_TRIES): void {
    const { kernel } = this.#cluster;
    this.#stoppedAtMs.delete(instanceId);
    void this.#send('StartInstances', { InstanceIds: [instanceId] }).then(
      () => this.#startedAtMs.set(instanceId, kernel.monotonicMs()),
      () => {
        if (triesLeft > 0) kernel.setTimer(ASK_AGAIN_MS, () => this.start(instanceId, triesLeft - 1));
      },
    );
  }

  /** Onto an instance that is none of ours, until it is returned. */
  borrowAddress(allocationId: string): void {
    this.#putAside(allocationId, () => this.#borrowed.add(allocationId));
  }

  /** Onto an instance that is none of ours, where it stays. */
  keepAddress(allocationId: string): void {
    this.#putAside(allocationId, () => this.#kept.add(allocationId));
  }

  #putAside(allocationId: string, done: () => void): void {
    const input = {
      AllocationId: allocationId,
      InstanceId: this.#cluster.bystanderOf(allocationId),
      AllowReassociation: true,
    };
    void this.#send('AssociateAddress', input).then(done, () => undefined);
  }

  /**
   * By the way a command takes from the leader's HTTP on; asked again until it is taken, or until
   * `end`.
   */
  command(member: MemberId, kind: RequestKind, loss: string | null = null): Asking {
    const { hosts } = this.#cluster;
    const words = { by: OPERATOR, why: 'simulated', opId: null, leaveOpen: false };
    return this.#untilTaken(async () => {
      const leader = hosts.find((host) => host.leads && host.runs)?.life?.coordinator;
      const answer = await leader?.api.operate({ ...words, member, kind, loss });
      if (answer?.kind !== 'accepted') return false;
      if (answer.request.kind === 'recover') this.#recoverAsked.add(answer.request.opId);
      return true;
    });
  }

  /** A command that is about no recovery, asked of whoever leads until it is taken. */
  control(member: MemberId, kind: Control): Asking {
    const { hosts } = this.#cluster;
    return this.#untilTaken(async () => {
      const leader = hosts.find((host) => host.leads && host.runs);
      const answer = await leader?.life?.coordinator.controls.command({
        command: controlOf(kind, member, leader.id),
        caller: { identity: OPERATOR, from: '', requestId: kind },
        reason: 'simulated',
        idempotencyKey: `${kind} ${member}`,
      });
      return answer?.kind === 'done';
    });
  }

  #untilTaken(attempt: () => Promise<boolean>): Asking {
    const { kernel } = this.#cluster;
    let ended = false;
    let taken = false;
    const ask = async (): Promise<void> => {
      if (await attempt()) taken = true;
    };
    const again = (): void => {
      if (ended || taken) return;
      void ask();
      kernel.setTimer(ASK_AGAIN_MS, again);
    };
    again();
    return {
      end: () => {
        ended = true;
      },
      isTaken: () => taken,
    };
  }

  /** Somebody has asked for this recovery, which begins for nothing else. */
  haveAskedFor(opId: string): boolean {
    return this.#recoverAsked.has(opId);
  }

  /**
   * Off whatever has it, and back to EC2; tried again until it is gone, or until the answer is
   * called.
   */
  releaseAddress(allocationId: string): () => void {
    const { kernel, cloud } = this.#cluster;
    let ended = false;
    const attempt = async (): Promise<void> => {
      const { associationId } = cloud.core.region.addresses.get(allocationId) ?? {};
      if (associationId) await this.#send('DisassociateAddress', { AssociationId: associationId });
      await this.#send('ReleaseAddress', { AllocationId: allocationId });
    };
    const again = (): void => {
      if (ended || !this.#cluster.addressExists(allocationId)) return;
      void attempt().catch(() => undefined);
      kernel.setTimer(ASK_AGAIN_MS, again);
    };
    again();
    return () => {
      ended = true;
    };
  }

  /**
   * Given back to whoever is the member now. While a recovery is open that means to move it, it is
   * only let go of; one that knows nothing of it (it was elsewhere when the plan was made) is
   * waited for.
   */
  returnAddress(allocationId: string, member: MemberId): void {
    const { kernel, cloud } = this.#cluster;
    const isThere = this.#cluster.holderOf(allocationId) === this.#cluster.bystanderOf(allocationId);
    if (!isThere || this.#kept.has(allocationId)) return;
    const plan = this.#cluster.openPlanOf(member);
    const planned = plan?.addresses.some((one) => one.allocationId === allocationId);
    const { associationId } = cloud.core.region.addresses.get(allocationId) ?? {};
    if (planned) this.#ask('DisassociateAddress', { AssociationId: associationId });
    else if (!plan) this.give(allocationId, this.#cluster.activeInstanceOf(member));
    // Looked at again until it is away from there: EC2 may have said no, or somebody else may be
    // the member by then.
    kernel.setTimer(ASK_AGAIN_MS, () => this.returnAddress(allocationId, member));
  }

  give(allocationId: string, instanceId: string | null): void {
    if (instanceId === null || this.#kept.has(allocationId)) return;
    this.#ask('AssociateAddress', { AllocationId: allocationId, InstanceId: instanceId, AllowReassociation: true });
  }

  #ask(action: string, input: Record<string, unknown>): void {
    void this.#send(action, input).catch(() => undefined);
  }

  haveBorrowed(allocationId: string): boolean {
    return this.#borrowed.has(allocationId);
  }

  keeps(allocationId: string): boolean {
    return this.#kept.has(allocationId);
  }

  /**
   * It was well, an operator stopped it, EC2 has had time to show it, and nobody started it since.
   */
  keepDown(instanceId: string): boolean {
    const atMs = this.#stoppedAtMs.get(instanceId);
    return atMs !== undefined && this.#cluster.kernel.monotonicMs() - atMs > SEEN_AFTER_MS;
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
    return atMs !== undefined && this.#cluster.kernel.monotonicMs() - atMs < SEEN_AFTER_MS;
  }
}

function controlOf(kind: Control, member: MemberId, leaderId: string): Command {
  const scope = `member/${member}`;
  switch (kind) {
    case 'pause':
      return { kind, scope, untilWallMs: null, replaces: null };
    case 'resume':
      return { kind, scope, revision: null };
    case 'drain':
      return { kind, coordinatorId: leaderId, untilWallMs: null, override: true };
    case 'undrain':
      return { kind, coordinatorId: 'c1', revision: null };
    case 'transfer':
      return { kind, to: null };
    case 'override':
      return {
        ...{ kind: 'recover', member, by: null, opId: null, loss: null, leaveOpen: false, planToken: null },
        overrides: ['MassFailure', 'BudgetExhausted', 'GroupConcurrency', 'Cooldown', 'Flapping'],
      };
    default:
      return unreachable(kind);
  }
}
