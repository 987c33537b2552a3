import {
  type Ack,
  agentIdOf,
  coordinatorHashOf,
  type DatagramSocket,
  decodeHeartbeat,
  encodeAck,
  encodeProbe,
  type Endpoint,
  type Heartbeat,
  hmacOf,
  instanceHashOf,
  type Mac,
  parseKey,
  peekFrame,
  tagMatches,
} from '@understudy/shared';
import { RecordingLog, SeededRandom, SimClock, SimDatagramNetwork } from '@understudy/shared/testing';
import type { ActivationApplier, ActivationOutputs, WantedActivation } from './activation-applier.ts';
import type { KeyFiles } from './adapters/key-files.ts';
import type { StateStore } from './adapters/state-file.ts';
import { Agent, type AgentParts } from './agent.ts';
import type { Checks } from './check-board.ts';
import type { Check } from './checks/check.ts';
import type { MetadataAnswer } from './checks/metadata.ts';
import { AgentConfigSchema } from './config.ts';
import type { StoredState } from './core/boot.ts';
import type { Watchdog } from './watchdog-keeper.ts';
import type { AgentKey, StoredKeys } from './core/key-ring.ts';

export const MEMBER = 'shop/db-1';
export const INSTANCE_ID = 'i-0aaa';
export const KEY_HEX = '0b'.repeat(32);
export const MAC = hmacOf(parseKey(KEY_HEX, 'test'));
const PASS: Check = { run: async () => ({ status: 'pass', code: 'none' }) };

/** Plays a coordinator: it keeps what it hears and acks what `reply` says. */
export class TestCoordinator {
  readonly heard: Heartbeat[] = [];
  readonly rejected: Uint8Array[] = [];
  readonly socket: DatagramSocket;
  readonly #hash: number;
  /** The keys it holds, by id. */
  readonly macs: Map<number, Mac>;
  /** Content of the acks; null = none are sent. */
  reply: Partial<Ack> | null = { activation: 'standby' };
  /** Ack every heartbeat, or only those that ask for it. */
  ackAll = true;
  lastAck: Uint8Array | null = null;
  lastFrom: Endpoint | null = null;
  /** Called for every heartbeat, before it is acked. */
  onHeard: () => void = () => undefined;

  constructor(socket: DatagramSocket, id: string, mac: Mac = MAC) {
    this.socket = socket;
    this.#hash = coordinatorHashOf(id);
    this.macs = new Map([[1, mac]]);
    socket.onMessage((payload, from) => this.#receive(Uint8Array.from(payload), from));
  }

  get last(): Heartbeat | undefined {
    return this.heard.at(-1);
  }

  ackFor(heartbeat: Heartbeat, changes: Partial<Ack>, mac: Mac = this.#macOf(heartbeat.keyId)): Uint8Array {
    const ack: Ack = {
      keyId: heartbeat.keyId,
      leaderLive: true,
      agentId: heartbeat.agentId,
      instanceHash: heartbeat.instanceHash,
      bootEpoch: heartbeat.bootEpoch,
      sequence: heartbeat.sequence,
      challenge: 'c1'.repeat(8),
      coordinatorHash: this.#hash,
      opinion: 'alive',
      activation: 'unknown',
      incarnation: 1,
      holdsForMs: 0,
      term: 5n,
      newestEpoch: null,
      contested: false,
      heartbeatIntervalMs: null,
      ...changes,
    };
    return encodeAck(ack, mac);
  }

  #macOf(keyId: number): Mac {
    return this.macs.get(keyId) ?? (() => new Uint8Array(32));
  }

  async probe(to: Endpoint, instanceId: string, challenge: string, keyId = 1): Promise<void> {
    const frame = { keyId, agentId: agentIdOf(MEMBER), instanceHash: instanceHashOf(instanceId), challenge };
    await this.socket.send(encodeProbe({ ...frame, coordinatorHash: this.#hash }, this.#macOf(keyId)), to);
  }

  #receive(payload: Uint8Array, from: Endpoint): void {
    const mac = this.#macOf(peekFrame(payload)?.keyId ?? 0);
    const heartbeat = tagMatches(payload, mac) ? decodeHeartbeat(payload) : null;
    if (!heartbeat) {
      this.rejected.push(payload);
      return;
    }
    this.heard.push(heartbeat);
    this.onHeard();
    this.lastFrom = from;
    if (!this.reply || !(this.ackAll || heartbeat.flags.ackRequested)) return;
    this.lastAck = this.ackFor(heartbeat, this.reply);
    void this.socket.send(this.lastAck, from);
  }
}

/** A workload that writes down what it is told, and can be made to hang or fail. */
export class TestOutputs implements ActivationOutputs {
  readonly hooks: string[] = [];
  readonly files: (WantedActivation | 'removed')[] = [];
  readonly targets: boolean[] = [];
  readonly attempts: number[] = [];
  targetFailure: Error | null = null;
  hookFailures = 0;
  hookGate: Promise<void> | null = null;
  /** `onActivate` hangs until it is ended. */
  hangsUntilEnded = false;
  ended = 0;

  get powerOffs(): number {
    return this.attempts.length;
  }
  get serving(): boolean {
    return this.hooks.at(-1) === 'active';
  }
  async writeFile(wanted: WantedActivation): Promise<void> {
    this.files.push(wanted);
  }
  async removeFile(): Promise<void> {
    this.files.push('removed');
  }
  async tellTarget(serving: boolean): Promise<void> {
    this.targets.push(serving);
    if (this.targetFailure) throw this.targetFailure;
  }
  async runHook(wanted: WantedActivation, signal?: AbortSignal): Promise<void> {
    if (this.hangsUntilEnded && wanted.state === 'active' && signal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      this.ended++;
      throw new Error('ended');
    }
    if (this.hookGate) await this.hookGate;
    if (this.hookFailures > 0) {
      this.hookFailures--;
      throw new Error('planted');
    }
    this.hooks.push(wanted.state);
  }
  async powerOff(attempt: number): Promise<void> {
    this.attempts.push(attempt);
  }
}

export class TestStateStore implements StateStore {
  stored: StoredState | null;
  broken = false;
  constructor(stored: StoredState | null = null) {
    this.stored = stored;
  }
  async read(): Promise<StoredState | null> {
    return this.stored;
  }
  async write(state: StoredState): Promise<void> {
    if (this.broken) throw new Error('planted: read-only file system');
    this.stored = state;
  }
}

/** A disk with the member's keys, and the operator's next one. */
export class TestKeyFiles implements KeyFiles {
  stored: StoredKeys | null = null;
  next: AgentKey | null = null;
  refusal: string | null = null;
  writes = 0;
  broken = false;

  async readStored(): Promise<StoredKeys | null> {
    return this.stored;
  }
  async writeStored(keys: StoredKeys): Promise<void> {
    if (this.broken) throw new Error('planted: read-only file system');
    this.writes++;
    this.stored = keys;
  }
  async readOffered() {
    if (this.refusal !== null) throw new Error(this.refusal);
    return { next: this.next, configured: null };
  }
}

export interface FixtureOptions {
  readonly config?: Record<string, unknown>;
  readonly stored?: StoredState;
  readonly seed?: number;
  readonly checks?: Checks;
  readonly clock?: SimClock;
  readonly watchdog?: Watchdog;
  readonly coordinatorCount?: number;
  readonly keyFiles?: KeyFiles;
  readonly outputs?: TestOutputs;
  readonly applier?: ActivationApplier;
}

/**
 * An agent on a simulated clock and network, with as many coordinators as asked for (default 3).
 */
export function agentFixture(options: FixtureOptions = {}) {
  const clock = options.clock ?? new SimClock();
  const random = new SeededRandom(options.seed ?? 1);
  const network = new SimDatagramNetwork({ clock, random });
  const count = options.coordinatorCount ?? 3;
  const coordinators = Array.from(
    { length: count },
    (_, i) => new TestCoordinator(network.open(`10.0.0.${i + 1}`, 7946), `c${i + 1}`),
  );
  const config = AgentConfigSchema.parse({
    member: MEMBER,
    key: { id: 1, hex: KEY_HEX },
    coordinators: coordinators.map((_, i) => `10.0.0.${i + 1}:7946`),
    activation: { onActivate: ['on'], onDeactivate: ['off'] },
    ...options.config,
  });
  const outputs = options.outputs ?? new TestOutputs();
  const stateStore = new TestStateStore(options.stored ?? null);
  const log = new RecordingLog();
  const identity: { answer: MetadataAnswer } = { answer: { kind: 'found', text: INSTANCE_ID } };
  const machine = { sleptMs: 0 };
  let lost: (found: string) => void = () => undefined;
  const parts: AgentParts = {
    config,
    clock,
    random,
    log,
    configuredKey: { id: config.key.id, hex: KEY_HEX },
    keyFiles: options.keyFiles ?? null,
    macOf: hmacOf,
    socket: network.open('10.0.9.9'),
    lookup: async (host) => host,
    metadata: { get: async () => identity.answer },
    stateStore,
    lock: null,
    outputs,
    ...(options.applier ? { applier: options.applier } : {}),
    watchdog: options.watchdog ?? null,
    makeChecks: (context) => {
      lost = context.onIdentityLost;
      return { network: PASS, storage: PASS, metadata: PASS, ...options.checks };
    },
    uptimeMs: () => clock.monotonicMs() + machine.sleptMs,
  };
  const agent = new Agent(parts);
  return {
    agent,
    parts,
    clock,
    network,
    coordinators,
    outputs,
    stateStore,
    log,
    identity,
    machine,
    /** Reports another identity, as the metadata check would. */
    loseIdentity: () => lost('i-0other'),
    start() {
      const done = agent.run();
      return { done };
    },
  };
}

/**
 * A running agent, `ms` after its start. All coordinators tell it `active` when `active` is set.
 */
export async function running(
  options: FixtureOptions & { readonly active?: boolean; readonly holdsForMs?: number } = {},
  ms = 100,
) {
  const fixture = agentFixture(options);
  const { holdsForMs = 0 } = options;
  if (options.active)
    for (const coordinator of fixture.coordinators) coordinator.reply = { activation: 'active', holdsForMs };
  const { done } = fixture.start();
  await fixture.clock.advance(ms);
  const [c1, c2, c3] = fixture.coordinators;
  if (!c1 || !c2 || !c3) throw new Error('three coordinators wanted');
  const stop = async () => {
    fixture.agent.stop();
    return fixture.clock.runUntilSettled(done);
  };
  return { ...fixture, c1, c2, c3, done, stop };
}
