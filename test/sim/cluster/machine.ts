import { type ActivationOutputs, Agent, AgentConfigSchema, type AgentParts, type Check } from '@understudy/agent';
import { deriveAgentKey, hmacOf, type MemberId } from '@understudy/shared';
import { ProcessClock } from '../kernel/process-clock.ts';
import { checksumMac } from './checksum-tags.ts';
import type { NetworkNode } from '@understudy/shared/testing';
import { MachineWatchdog } from './machine-watchdog.ts';
import { EnrollingAgent } from './enrolling-agent.ts';
import { ProcessSocket } from './process-socket.ts';
import { ForwardedLog } from './forwarded-log.ts';
import { ScriptedAgent } from './scripted-agent.ts';
import { Workload } from './workload.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

const PASSING: Check = { run: () => Promise.resolve({ status: 'pass', code: 'none' }) };
/**
 * Fulfils what {@link SimulatedCluster} asks for in its policy. 60 s less the watchdog's 30 leave
 * 30: 6 before anything is told, 20 for the hook and 4 to kill it.
 */
const SERVE = { leaseMs: 20_000, stopWithinMs: 60_000, watchdog: { timeoutMs: 10_000 } };
const LEASED_HOOK_MS = 20_000;
/** From power on to the agent's first line. */
const BOOT_MS = [2_000, 12_000] as const;

export interface MachineIdentity {
  readonly instanceId: string;
  readonly member: MemberId;
  readonly az: string;
  readonly rootVolumeId: string;
  /** Where its datagrams come from. Null: from an address that EC2 knows nothing of. */
  readonly address: string | null;
}

type MachineAgent = Agent | EnrollingAgent | ScriptedAgent;

interface AgentLife {
  readonly agent: MachineAgent;
  readonly clock: ProcessClock;
  readonly socket: ProcessSocket;
}

/** What one member's machine needs to speak: the same for every instance of it. */
export function speechOf(cluster: SimulatedCluster, member: MemberId) {
  const key = deriveAgentKey(cluster.master, 1, member);
  const leased = cluster.keepsLease(member);
  const config = AgentConfigSchema.parse({
    ...(leased ? { serve: SERVE } : {}),
    member,
    key: { id: 1, hex: Buffer.from(key).toString('hex') },
    coordinators: cluster.endpoints.map(({ address, port }) => `${address}:${port}`),
    activation: { onActivate: ['on'], onDeactivate: ['off'], ...(leased ? { timeoutMs: LEASED_HOOK_MS } : {}) },
  });
  return {
    config,
    configuredKey: { id: 1, hex: Buffer.from(key).toString('hex') },
    keyFiles: null,
    macOf: cluster.parts.signs === 'hmac' ? hmacOf : checksumMac,
  };
}

/** Hooks of an agent that has none. */
const UNHEEDED: ActivationOutputs = {
  writeFile: () => Promise.resolve(),
  removeFile: () => Promise.resolve(),
  tellTarget: () => Promise.resolve(),
  runHook: () => Promise.resolve(),
  powerOff: () => Promise.resolve(),
};

/**
 * A powered instance: its workload and, beside it, the production agent. From power on to power
 * off; the next power on is another one.
 */
export class Machine {
  readonly identity: MachineIdentity;
  readonly node: NetworkNode;
  readonly workload: Workload;
  readonly #watchdog: MachineWatchdog | null;
  readonly #cluster: SimulatedCluster;
  readonly #clock: ProcessClock;
  readonly #name: string;
  #agent: AgentLife | null = null;
  #agentLives = 0;
  #seconds = 0;
  #on = true;
  /** Nothing on it will ever start. */
  isStillborn = false;

  constructor(cluster: SimulatedCluster, identity: MachineIdentity, number: number) {
    this.#cluster = cluster;
    this.identity = identity;
    this.#name = `${identity.instanceId}.${number}`;
    this.node = {
      name: identity.member,
      role: 'agent',
      az: identity.az,
      address: identity.address ?? `10.2.${(number >> 8) & 255}.${number & 255}`,
    };
    this.#clock = new ProcessClock(cluster.kernel);
    this.workload = new Workload(this.#clock, cluster.streamOf(`${this.#name}/workload`), () => this.#tellServing());
    const watchdog =
      cluster.parts.agents === 'scripted' ? null : cluster.speechOf(identity.member).config.serve.watchdog;
    this.#watchdog = watchdog ? new MachineWatchdog(this.#clock, watchdog.timeoutMs, () => this.reset()) : null;
  }

  get isOn(): boolean {
    return this.#on;
  }

  get isPaused(): boolean {
    return this.#clock.isPaused;
  }

  /** A process that is there and runs. */
  get agentRuns(): boolean {
    const life = this.#agent;
    const isSilent = life?.agent instanceof EnrollingAgent && !life.agent.hasKey;
    return this.#on && life !== null && !isSilent && !this.#clock.isPaused && !life.clock.isPaused;
  }

  get serves(): boolean {
    const serving = this.workload.serving || this.#cluster.parts.agents === 'scripted';
    return this.#on && serving && !this.#clock.isPaused;
  }

  /**
   * The operating system comes up and starts the agent; at once when the machine has been there for
   * long.
   */
  boot(atOnce: boolean): void {
    const random = this.#cluster.streamOf(`${this.#name}/boot`);
    const [minMs, maxMs] = BOOT_MS;
    if (atOnce) this.startAgent();
    else this.#clock.setTimer(minMs + random.next() * (maxMs - minMs), () => this.startAgent());
  }

  startAgent(): void {
    if (!this.#on || this.#agent || this.isStillborn) return;
    this.#agentLives += 1;
    // The machine's clock with an end of its own: a crashed agent must not hear its timers any
    // more.
    const clock = new ProcessClock(this.#clock);
    const socket = new ProcessSocket(this.#cluster.network.open(this.node), clock);
    const agent = this.#makeAgent(clock, socket);
    this.#agent = { agent, clock, socket };
    void agent.run().then(
      () => this.#agentEnded(agent),
      (error: unknown) => this.#cluster.kernel.fail(error),
    );
    this.#cluster.healthChanged();
  }

  #makeAgent(clock: ProcessClock, socket: ProcessSocket): MachineAgent {
    const { member } = this.identity;
    if (this.#cluster.parts.agents === 'scripted') return this.#scripted(member, clock, socket);
    const parts = this.#partsOf(`agent-${this.#agentLives}`, clock, socket);
    return this.#cluster.enrols(member) ? this.#enrolling(parts, clock) : new Agent(parts);
  }

  /** Its root disk keeps the key that a coordinator has acknowledged, as the state of the agent. */
  #enrolling(parts: AgentParts, clock: ProcessClock): EnrollingAgent {
    const { member, instanceId, rootVolumeId } = this.identity;
    const { disks, enrolment } = this.#cluster;
    if (enrolment === null) throw new Error('nobody enrols here');
    const key = parts.configuredKey;
    const cache = {
      read: () => Promise.resolve(disks.read(rootVolumeId) === null ? null : key),
      write: () => Promise.resolve(),
    };
    const onKey = () => this.#cluster.healthChanged();
    return new EnrollingAgent(parts, enrolment.fetchFor(member, instanceId, clock), cache, onKey);
  }

  #scripted(member: MemberId, clock: ProcessClock, socket: ProcessSocket): ScriptedAgent {
    const { endpoints: coordinators } = this.#cluster;
    const { instanceId } = this.identity;
    return new ScriptedAgent({ member, instanceId, master: this.#cluster.master, socket, clock, coordinators });
  }

  /** The scripted agent that runs here; null: none does, or it is the production agent. */
  get scriptedAgent(): ScriptedAgent | null {
    return this.#agent?.agent instanceof ScriptedAgent ? this.#agent.agent : null;
  }

  /** Starts a scripted agent beside the machine's own, for this member or for another's. */
  startScriptedBeside(member: MemberId): ScriptedAgent {
    const clock = new ProcessClock(this.#clock);
    const agent = this.#scripted(member, clock, new ProcessSocket(this.#cluster.network.open(this.node), clock));
    agent.start();
    return agent;
  }

  #partsOf(stream: string, clock: ProcessClock, socket: ProcessSocket): AgentParts {
    const { identity } = this;
    const { disks, kernel } = this.#cluster;
    return {
      ...this.#cluster.speechOf(identity.member),
      clock,
      random: this.#cluster.streamOf(`${this.#name}/${stream}`),
      log: new ForwardedLog((level, event, fields) => this.#cluster.logged(identity.instanceId, level, event, fields)),
      socket,
      lookup: (host) => Promise.resolve(host),
      metadata: { get: () => Promise.resolve({ kind: 'found', text: identity.instanceId }) },
      lock: null,
      stateStore: {
        read: () => Promise.resolve(disks.read(identity.rootVolumeId)),
        write: (state) => Promise.resolve(disks.write(identity.rootVolumeId, state)),
      },
      outputs: this.workload,
      watchdog: this.#watchdog,
      makeChecks: () => ({ network: PASSING, storage: PASSING, metadata: PASSING }),
      uptimeMs: () => kernel.monotonicMs(),
    };
  }

  /**
   * Another agent of the same member, as a person starts one by hand: its own state directory, no
   * lock in common, no hooks. Ended like a killed process by what is returned. Null: the machine is
   * off.
   */
  startSecondAgent(): (() => void) | null {
    if (!this.#on || this.isStillborn) return null;
    const clock = new ProcessClock(this.#clock);
    const socket = new ProcessSocket(this.#cluster.network.open(this.node), clock);
    const agent = new Agent({
      ...this.#partsOf(`second-agent-${++this.#seconds}`, clock, socket),
      stateStore: { read: () => Promise.resolve(null), write: () => Promise.resolve() },
      outputs: UNHEEDED,
      watchdog: null,
    });
    void agent.run().catch((error: unknown) => this.#cluster.kernel.fail(error));
    return () => {
      clock.end();
      void socket.close();
    };
  }

  #agentEnded(agent: MachineAgent): void {
    if (this.#agent?.agent === agent) this.#agent = null;
    this.#cluster.healthChanged();
  }

  /** SIGKILL of the agent; the workload goes on. */
  crashAgent(): void {
    const life = this.#agent;
    if (!life) return;
    this.#agent = null;
    life.clock.end();
    this.#watchdog?.release();
    void life.socket.close();
    this.#cluster.healthChanged();
  }

  /** The hypervisor takes the machine off the CPU; nothing of it knows. */
  pause(): void {
    this.#clock.pause();
    this.#tellServing();
    this.#cluster.healthChanged();
  }

  resume(): void {
    this.#clock.resume();
    this.#watchdog?.catchUp();
    this.#tellServing();
    this.#cluster.healthChanged();
  }

  /**
   * SIGSTOP of the agent: its workload goes on and nobody looks after it. Null: there is none that
   * runs.
   */
  pauseAgent(): (() => void) | null {
    const life = this.#agent;
    if (!life || life.clock.isPaused) return null;
    life.clock.pause();
    this.#cluster.healthChanged();
    return () => {
      life.clock.resume();
      this.#cluster.healthChanged();
    };
  }

  /** The watchdog was not petted: as if somebody had pressed the button. EC2 sees nothing of it. */
  reset(): void {
    if (!this.#on) return;
    this.crashAgent();
    this.workload.die();
    this.#cluster.tell({ kind: 'reset', instanceId: this.identity.instanceId });
    this.boot(false);
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  setRate(rate: number): void {
    this.#clock.setRate(rate);
  }

  stepWall(byMs: number): void {
    this.#clock.stepWall(byMs);
  }

  /** The guest is asked to shut down: systemd stops the agent, which withdraws and says goodbye. */
  shutDown(): void {
    void this.#agent?.agent.stop();
  }

  powerOff(): void {
    if (!this.#on) return;
    this.crashAgent();
    this.#on = false;
    this.#clock.end();
    this.#tellServing();
    this.#cluster.healthChanged();
  }

  #tellServing(): void {
    const { member, instanceId } = this.identity;
    this.#cluster.tell({ kind: 'serving', member, instanceId, serving: this.serves });
  }
}
