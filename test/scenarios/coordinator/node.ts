import type { Ec2Transport } from '@understudy/cloud-sim';
import type { Build, Coordinator } from '@understudy/coordinator/testing';
import type { RecoveryRunner } from '@understudy/recovery';
import type { Clock } from '@understudy/shared';
import { RecordingLog, type SimKvClient } from '@understudy/shared/testing';
import type { CoordinatorHost } from '../../sim/cluster/coordinator-host.ts';
import type { ProcessClock } from '../../sim/kernel/process-clock.ts';

const STOPS_WITHIN_MS = 60_000;

export interface NodeOptions {
  readonly runner?: RecoveryRunner;
  /** What stands between every coordinator and EC2. */
  readonly between?: (transport: Ec2Transport, clock: Clock) => Ec2Transport;
  /** From a change in etcd to its event; may be another for each coordinator. Default 1. */
  readonly watchLatencyMs?: number | (() => number);
}

/** One life of a coordinator, and what it has logged. */
export class Node {
  readonly id: string;
  readonly log: RecordingLog;
  readonly coordinator: Coordinator;
  readonly clock: ProcessClock;
  readonly kv: SimKvClient;
  /** Errors that a production process ends on. */
  readonly fatal: readonly unknown[];
  readonly #host: CoordinatorHost;
  #stopped = false;

  /** Starts the coordinator of that host, of this build or another. */
  constructor(host: CoordinatorHost, clock: Clock, options: NodeOptions, build?: Build) {
    const { runner, between, watchLatencyMs = 1 } = options;
    this.#host = host;
    this.id = host.id;
    this.log = new RecordingLog([], { coordinator: host.id });
    const life = host.start({
      ...{ build, runner, log: this.log, between: between && ((transport) => between(transport, clock)) },
      watchLatencyMs: typeof watchLatencyMs === 'function' ? watchLatencyMs() : watchLatencyMs,
    });
    this.coordinator = life.coordinator;
    this.clock = life.clock;
    this.kv = life.client;
    this.fatal = life.fatal;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  get leads(): boolean {
    return !this.#stopped && this.coordinator.leadership.current() !== null;
  }

  /** SIGKILL. */
  kill(): void {
    this.#stopped = true;
    this.#host.crash();
  }

  /** SIGTERM. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#host.stop(STOPS_WITHIN_MS);
  }
}

export const leaderOf = (nodes: readonly Node[]): Node | null => nodes.find((node) => node.leads) ?? null;

export function mustLead(nodes: readonly Node[]): Node {
  const node = leaderOf(nodes);
  if (!node) throw new Error('nobody leads');
  return node;
}
