import { type SeedInstance, seedInstance } from '@understudy/cloud-sim';
import type { Build } from '@understudy/coordinator/testing';
import { keyspace, type MemberId, opIdOf } from '@understudy/shared';
import { joinedChanges } from '@understudy/shared/testing';
import { expect } from 'vitest';
import { launchesByOperation } from '../../sim/cluster/launches.ts';
import type { ScriptedAgent } from '../../sim/cluster/scripted-agent.ts';
import { type ClusterParts, SimulatedCluster } from '../../sim/cluster/simulated-cluster.ts';
import { leaderOf, mustLead, Node, type NodeOptions } from './node.ts';
import { expectReplaced } from './outcomes.ts';

export const KEYS = keyspace();

export interface ScenarioClusterOptions extends ClusterParts, NodeOptions {
  readonly seed?: number;
  readonly coordinators?: number;
  /** Default 3.5.30. */
  readonly etcdVersions?: readonly string[];
}

/**
 * The simulation's cluster as a scenario speaks of it. Region, etcd, network, time, coordinators,
 * machines and what is read of them are the {@link SimulatedCluster}'s. These choices differ.
 * - Agents are scripted unless `agents` says otherwise, because scenarios set what heartbeats say.
 * - Datagrams are signed with HMAC, because scenarios change keys and forge datagrams.
 * - The policy is the product's, without a boot grace, because scenarios measure its own times.
 * - Every coordinator keeps its log, debug lines included, because scenarios read it.
 * - Nobody listens to the cluster: the invariants of the simulation expect its policy and load.
 */
export class ScenarioCluster extends SimulatedCluster {
  readonly clock = this.kernel;
  readonly sim = this.cloud;
  readonly nodes: Node[] = [];
  readonly #options: NodeOptions;

  constructor(options: ScenarioClusterOptions = {}) {
    const { seed = 1, coordinators = 3, policy, ...parts } = options;
    super(
      { seed, coordinators, members: 0 },
      { agents: 'scripted', signs: 'hmac', ...parts, policy: joinedChanges({ guard: { bootGraceMs: 0 } }, policy) },
    );
    this.#options = options;
    this.kv.versions = options.etcdVersions ?? this.kv.versions;
  }

  readonly until: typeof this.kernel.until = (...all) => this.kernel.until(...all);
  readonly activation = (member: MemberId) => this.records.activation(member);
  readonly intent = (member: MemberId) => this.records.intent(member);
  readonly hold = (member: MemberId) => this.records.hold(member);
  readonly history = (member: MemberId) => this.records.history(member);
  readonly leader = () => leaderOf(this.nodes);
  readonly mustLead = () => mustLead(this.nodes);
  readonly kill = (node: Node) => node.kill();
  readonly stop = (node: Node) => node.stop();
  /** A member that has been running for long, with its agent. */
  readonly seed = (member: MemberId, over: SeedInstance = {}) =>
    seedInstance(this.cloud, { member, userData: 'x', ...over });
  readonly pause = (scope: string) =>
    this.put(KEYS.pause(scope), { scope, who: 'ann', why: 'maintenance', sinceWallMs: 0, untilWallMs: null });
  readonly launchedFor = (oldInstanceId: string) => [
    ...new Set(launchesByOperation(this.cloud).get(opIdOf(oldInstanceId))),
  ];
  readonly expectReplaced = (member: MemberId, oldInstanceId: string) => expectReplaced(this, member, oldInstanceId);

  get agents(): ReadonlyMap<string, ScriptedAgent> {
    return this.machines.scriptedAgents;
  }

  /** Starts coordinator `index` (again), of this build or another. */
  start(index: number, build?: Build): Node {
    const [host] = this.hosts.slice(index);
    if (!host) throw new Error(`there is no coordinator ${index}`);
    const node = new Node(host, this.clock, this.#options, build);
    this.nodes.push(node);
    return node;
  }

  /** All coordinators up, warm, one of them leading, every member enrolled and heard. */
  async up(): Promise<void> {
    for (const index of this.hosts.keys()) this.start(index);
    await this.clock.advance(40_000);
    expect(this.leader()).not.toBeNull();
  }

  /** The guest dies; EC2 goes on saying `running`. */
  crash(instanceId: string): void {
    expect(this.cloud.crashInstance(instanceId)).toBe(true);
    expect(this.machines.of(instanceId)).toBeUndefined();
  }

  /** Only the agent falls silent; its instance is fine. */
  async silence(instanceId: string): Promise<void> {
    const machine = this.machines.mustRun(instanceId);
    machine.crashAgent();
    await this.clock.advance(0);
    expect(machine.agentRuns).toBe(false);
  }

  /** An agent speaks there again. */
  speak(instanceId: string): void {
    const machine = this.machines.mustRun(instanceId);
    machine.startAgent();
    expect(machine.agentRuns).toBe(true);
  }

  /** Beside the one that runs there already. */
  startSecondAgent(member: MemberId, instanceId: string): ScriptedAgent {
    return this.machines.mustRun(instanceId).startScriptedBeside(member);
  }

  get launches(): number {
    return [...launchesByOperation(this.cloud).values()].flat().length;
  }

  expectHealthy(): void {
    for (const node of this.nodes) expect(node.fatal).toEqual([]);
  }
}
