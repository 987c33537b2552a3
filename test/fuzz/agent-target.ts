import { Agent, AgentConfigSchema, type AgentParts } from '@understudy/agent';
import {
  agentIdOf,
  type DatagramSocket,
  decodeHeartbeat,
  deriveAgentKey,
  type Endpoint,
  hmacOf,
  instanceHashOf,
  silentLog,
} from '@understudy/shared';
import { SeededRandom, SimClock } from '@understudy/shared/testing';
import { AckModel, type AgentIdentity } from './ack-model.ts';
import { MASTER } from './coordinator-target.ts';
import { roundTripFault } from './round-trip.ts';
import type { Finding, InvariantName, Step, Target } from './step.ts';

export const AGENT_MEMBER = 'db/m0' as const;
export const AGENT_INSTANCE = 'i-active-0';
export const COORDINATORS = [1, 2, 3].map((n): Endpoint => ({ address: `10.1.0.${n}`, port: 7_946 }));
export const AGENT_KEY = deriveAgentKey(MASTER, 1, AGENT_MEMBER);
const INTERVAL_MS = 1_000;
const JITTER = 0.1;

type DatagramStep = Extract<Step, { kind: 'datagram' }>;
const finding = (invariant: InvariantName, text: string): Finding => ({ invariant, text });

const QUIET = {
  writeFile: async () => {},
  removeFile: async () => {},
  tellTarget: async () => {},
  runHook: async () => {},
};

/** A whole agent, on a clock and a socket of its own. */
export class AgentTarget implements Target {
  readonly outcomes = new Map<string, number>();
  readonly clock = new SimClock();
  /** Heartbeats since they were last taken. */
  sent: { readonly bytes: Uint8Array; readonly to: Endpoint }[] = [];
  readonly #model: AckModel;
  readonly #agent: Agent;
  readonly #done: Promise<unknown>;
  #listener: (payload: Uint8Array, from: Endpoint) => void = () => undefined;
  #handling = false;
  #beatAtMs: number | null = null;
  #late: string | null = null;

  private constructor(seed: number) {
    const identity: AgentIdentity = {
      keyId: 1,
      key: AGENT_KEY,
      agentId: agentIdOf(AGENT_MEMBER),
      instanceHash: instanceHashOf(AGENT_INSTANCE),
    };
    this.#model = new AckModel(identity, 0);
    this.#agent = new Agent(this.#parts(seed));
    this.#done = this.#agent.run();
  }

  static async start(seed: number): Promise<AgentTarget> {
    const target = new AgentTarget(seed);
    await target.clock.advance(10);
    if (target.sent.length === 0) throw new Error('the agent did not begin to beat');
    return target;
  }

  #parts(seed: number): AgentParts {
    const socket: DatagramSocket = {
      localPort: 7_000,
      send: async (payload, to) => this.#noteSent(Uint8Array.from(payload), to),
      onMessage: (listener) => {
        this.#listener = listener;
      },
      close: async () => undefined,
    };
    return {
      config: AgentConfigSchema.parse({
        member: AGENT_MEMBER,
        key: { id: 1, hex: Buffer.from(AGENT_KEY).toString('hex') },
        coordinators: COORDINATORS.map(({ address, port }) => `${address}:${port}`),
        heartbeat: { intervalMs: INTERVAL_MS, jitterRatio: JITTER },
        activation: { onDeactivate: ['off'] },
        serve: { leaseMs: seed % 2 === 0 ? 0 : 30_000 },
      }),
      clock: this.clock,
      random: new SeededRandom(seed),
      log: silentLog,
      configuredKey: { id: 1, hex: Buffer.from(AGENT_KEY).toString('hex') },
      keyFiles: null,
      macOf: hmacOf,
      socket,
      lookup: async (host) => host,
      metadata: { get: async () => ({ kind: 'found', text: AGENT_INSTANCE }) },
      lock: null,
      stateStore: { read: async () => null, write: async () => undefined },
      outputs: { ...QUIET, powerOff: async () => undefined },
      watchdog: null,
      makeChecks: () => ({}),
      uptimeMs: () => this.clock.monotonicMs(),
    };
  }

  #noteSent(bytes: Uint8Array, to: Endpoint): void {
    const nowMs = this.clock.monotonicMs();
    this.sent.push({ bytes, to });
    this.#model.noteSent(bytes, nowMs);
    if (this.#handling) return;
    const gapMs = nowMs - (this.#beatAtMs ?? nowMs);
    if (gapMs > INTERVAL_MS * (1 + JITTER)) this.#late ??= `a heartbeat ${Math.round(gapMs)} ms after the one before`;
    this.#beatAtMs = nowMs;
  }

  take(step: Step): Finding | null | Promise<Finding | null> {
    if (step.kind === 'time') return this.#advance(step.atMs);
    try {
      return this.#receive(step);
    } catch (error) {
      return finding('never-throws', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }

  async #advance(atMs: number): Promise<Finding | null> {
    await this.clock.advance(Math.max(0, atMs - this.clock.monotonicMs()));
    const silentMs = atMs - (this.#beatAtMs ?? 0);
    if (silentMs > INTERVAL_MS * (1 + JITTER)) this.#late ??= `no heartbeat for ${Math.round(silentMs)} ms`;
    return this.#late === null ? null : finding('heartbeats-on-time', this.#late);
  }

  #receive(step: DatagramStep): Finding | null {
    const { bytes, from, what } = step;
    const { sender } = this.#agent;
    if (!sender) throw new Error('the agent has no sender');
    const before = { links: sender.links, activation: this.#agent.activation, drops: new Map(sender.drops) };
    const sentBefore = this.sent.length;
    const expected = this.#model.receive(bytes, this.clock.monotonicMs());
    this.#handling = true;
    this.#listener(bytes, from);
    this.#handling = false;
    const replies = this.sent.slice(sentBefore);
    const changed = sender.links !== before.links || this.#agent.activation !== before.activation;
    const dropped = [...sender.drops].filter(([reason, count]) => count !== (before.drops.get(reason) ?? 0));
    const [reason] = dropped[0] ?? [];
    const outcome = reason ?? (replies.length > 0 ? 'probe-reply' : sender.links !== before.links ? 'ack' : 'nothing');
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    if (outcome !== expected) return this.#otherwise(step, outcome, expected);
    if (changed && outcome !== 'ack') return finding('rejected-changes-nothing', `${what} (${outcome})`);
    return this.#judgeReplies(step, outcome, replies) ?? this.#judgeCounters() ?? roundTripFault(bytes);
  }

  #otherwise({ bytes, what }: DatagramStep, outcome: string, expected: string): Finding {
    const counts = outcome === 'ack' || outcome === 'probe-reply';
    if (counts && !this.#model.authentic(bytes))
      return finding('nothing-forged-counts', `${what}: ${outcome} without a right tag`);
    return finding('outcome', `${what}: ${outcome}, want ${expected}`);
  }

  #judgeReplies({ bytes, from, what }: DatagramStep, outcome: string, replies: AgentTarget['sent']): Finding | null {
    if (replies.length === 0) return null;
    if (outcome !== 'probe-reply') return finding('no-reply-to-strangers', `${what} (${outcome}) was answered`);
    const [reply, second] = replies;
    if (second || !reply || reply.to !== from) return finding('reply-genuine', `${what}: not one answer to its sender`);
    if (reply.bytes.length > bytes.length)
      return finding('reply-not-larger', `${what}: ${reply.bytes.length} for ${bytes.length} bytes`);
    const flags = decodeHeartbeat(reply.bytes)?.flags;
    return flags?.probeReply && this.#model.authentic(reply.bytes)
      ? null
      : finding('reply-genuine', `${what}: no reply`);
  }

  #judgeCounters(): Finding | null {
    const dropped = [...(this.#agent.sender?.drops.values() ?? [])].reduce((sum, count) => sum + count, 0);
    const kept = (this.outcomes.get('ack') ?? 0) + (this.outcomes.get('probe-reply') ?? 0);
    const taken = [...this.outcomes.values()].reduce((sum, count) => sum + count, 0);
    return dropped + kept === taken ? null : finding('counters', `${dropped} dropped + ${kept} kept of ${taken}`);
  }

  async end(): Promise<Finding | null> {
    this.#agent.stop();
    for (let left = 200; left > 0; left--) await this.clock.advance(100);
    await this.#done;
    return null;
  }
}
