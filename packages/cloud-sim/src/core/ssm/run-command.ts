import type { LatencyName } from '../latency.ts';
import { DOES_NOTHING, type Guest, hasEnded, type SimInvocation } from './command.ts';
import { PING_EVERY_MS, type SimNode } from './nodes.ts';

/** What Run Command needs of the Region around it. */
export interface CommandWorld {
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  /** Whether the machine runs, and has not crashed. */
  readonly isUp: (instanceId: string) => boolean;
  /** 0 to 1. */
  readonly draw: () => number;
  readonly sampleMs: (name: LatencyName) => number;
  readonly later: (delayMs: number, run: () => void) => void;
  /** Divides durations. */
  readonly speed: number;
}

export interface NewCommand {
  readonly instanceId: string;
  readonly comment: string;
  readonly lines: readonly string[];
  readonly deliveryMs: number;
  readonly executionMs: number;
}

/**
 * Run Command and the agents it talks to. A command is executed as often as it was sent, also
 * late: an agent that was away takes what is left for it, and one that stood still runs what it
 * had fetched, whatever the service has said of it meanwhile.
 */
export class RunCommand {
  readonly nodes = new Map<string, SimNode>();
  readonly invocations: SimInvocation[] = [];
  /** Scripts that have begun, in order: the truth, whatever the service tells. */
  readonly executions: { readonly commandId: string; readonly instanceId: string; readonly atWallMs: number }[] = [];
  guest: Guest = DOES_NOTHING;
  /** The share of deliveries that reach the agent twice. */
  duplicated = 0;
  readonly #world: CommandWorld;
  readonly #held = new Map<string, (() => void)[]>();
  #serial = 0;

  constructor(world: CommandWorld) {
    this.#world = world;
  }

  /** An agent of this instance registers, and tells of itself from now on. */
  register(instanceId: string): SimNode {
    const existing = this.nodes.get(instanceId);
    if (existing) return existing;
    const lastPingAt = { lastPingAtMs: this.#world.nowMs(), lastPingAtWallMs: this.#world.wallMs() };
    const node = { instanceId, ...lastPingAt, isCutOff: false, isFrozen: false };
    this.nodes.set(instanceId, node);
    this.#pingLater(node);
    return node;
  }

  #pingLater(node: SimNode): void {
    this.#world.later(PING_EVERY_MS / this.#world.speed, () => {
      if (this.isReached(node.instanceId) && !node.isFrozen) this.#ping(node);
      this.#pingLater(node);
    });
  }

  #ping(node: SimNode): void {
    node.lastPingAtMs = this.#world.nowMs();
    node.lastPingAtWallMs = this.#world.wallMs();
  }

  isReached(instanceId: string): boolean {
    const node = this.nodes.get(instanceId);
    return node !== undefined && !node.isCutOff && this.#world.isUp(instanceId);
  }

  cutOff(instanceId: string, on: boolean): void {
    const node = this.register(instanceId);
    node.isCutOff = on;
    if (!on) this.#ping(node);
  }

  /** Stands still with what it has fetched; or goes on, and runs all of that now. */
  freeze(instanceId: string, on: boolean): void {
    this.register(instanceId).isFrozen = on;
    if (on) return;
    const held = this.#held.get(instanceId) ?? [];
    this.#held.delete(instanceId);
    for (const run of held) run();
  }

  send(wanted: NewCommand, commandId: string): SimInvocation {
    const { nowMs, wallMs, sampleMs, speed } = this.#world;
    const deliveryEndsAtMs = nowMs() + wanted.deliveryMs / speed;
    const executionTimeoutMs = wanted.executionMs / speed;
    const invocation: SimInvocation = {
      ...{ commandId, instanceId: wanted.instanceId, comment: wanted.comment, lines: wanted.lines },
      ...{ requestedAtMs: nowMs(), requestedAtWallMs: wallMs(), deliveryEndsAtMs, executionTimeoutMs },
      ...{ expiresAtMs: deliveryEndsAtMs + executionTimeoutMs, shownAtMs: nowMs() + sampleMs('ssm.shown') },
      ...{ status: 'Pending' as const, begunAtWallMs: null, endedAtWallMs: null, result: null },
    };
    this.invocations.push(invocation);
    this.#deliverLater(invocation, sampleMs('ssm.delivery'));
    return invocation;
  }

  newId(): string {
    return `00000000-0000-4000-9000-${String(++this.#serial).padStart(12, '0')}`;
  }

  /** What has not reached the agent is taken back; what has is told to end, without a promise. */
  cancel(invocation: SimInvocation): void {
    if (hasEnded(invocation)) return;
    if (invocation.status === 'Pending' || invocation.status === 'Delayed') return this.#end(invocation, 'Cancelled');
    invocation.status = 'Cancelling';
    this.#world.later(this.#world.sampleMs('ssm.cancel'), () => {
      const { instanceId } = invocation;
      const isHeard = this.isReached(instanceId) && this.nodes.get(instanceId)?.isFrozen === false;
      if (isHeard && !hasEnded(invocation)) this.#end(invocation, 'Cancelled');
    });
  }

  #end(invocation: SimInvocation, status: SimInvocation['status']): void {
    invocation.status = status;
    invocation.endedAtWallMs = this.#world.wallMs();
  }

  #deliverLater(invocation: SimInvocation, delayMs: number): void {
    this.#world.later(delayMs, () => this.#deliver(invocation));
  }

  /** Tried again until its time is over (status Delayed). */
  #deliver(invocation: SimInvocation): void {
    const { nowMs, sampleMs, draw } = this.#world;
    if (invocation.status !== 'Pending' && invocation.status !== 'Delayed') return;
    if (nowMs() >= invocation.deliveryEndsAtMs) return this.#end(invocation, 'Delivery Timed Out');
    if (!this.isReached(invocation.instanceId)) {
      invocation.status = 'Delayed';
      const leftMs = invocation.deliveryEndsAtMs - nowMs();
      return this.#deliverLater(invocation, Math.min(leftMs, sampleMs('ssm.delivery-again')));
    }
    invocation.status = 'In Progress';
    this.#world.later(invocation.expiresAtMs - nowMs(), () => this.#expire(invocation));
    const times = draw() < this.duplicated ? 2 : 1;
    for (let time = 0; time < times; time += 1) this.#receive(invocation);
  }

  /** Marked whenever the agent's last word is missing, and no proof that nothing has run. */
  #expire(invocation: SimInvocation): void {
    if (!hasEnded(invocation)) this.#end(invocation, 'Delivery Timed Out');
  }

  #receive(invocation: SimInvocation): void {
    const { instanceId } = invocation;
    const run = (): void => this.#execute(invocation);
    if (!this.nodes.get(instanceId)?.isFrozen) return run();
    this.#held.set(instanceId, [...(this.#held.get(instanceId) ?? []), run]);
  }

  #execute(invocation: SimInvocation): void {
    const { wallMs, later, speed } = this.#world;
    const { commandId, instanceId, executionTimeoutMs } = invocation;
    this.executions.push({ commandId, instanceId, atWallMs: wallMs() });
    const result = this.guest(instanceId, invocation.lines);
    if (!hasEnded(invocation)) invocation.begunAtWallMs ??= wallMs();
    const tookMs = result.tookMs / speed;
    later(Math.min(tookMs, executionTimeoutMs), () => {
      // An agent that went down in between says nothing.
      if (hasEnded(invocation) || !this.isReached(instanceId)) return;
      if (tookMs > executionTimeoutMs) return this.#end(invocation, 'Execution Timed Out');
      invocation.result = result;
      this.#end(invocation, result.exitCode === 0 ? 'Success' : 'Failed');
    });
  }
}
