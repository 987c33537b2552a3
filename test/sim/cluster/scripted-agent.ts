import {
  ACK_SLOT_COUNT,
  agentIdOf,
  type CheckReading,
  type Clock,
  type DatagramSocket,
  decodeAck,
  decodeProbe,
  deriveAgentKey,
  encodeHeartbeat,
  type Endpoint,
  hmacOf,
  instanceHashOf,
  type Mac,
  type MemberId,
  type ServePromise,
  type Timer,
} from '@understudy/shared';

const NO_CHALLENGE = '00'.repeat(8);
const PASS: CheckReading = { status: 'pass', code: 0, ageSeconds: 1 };
const ABSENT: CheckReading = { status: 'absent', code: 0, ageSeconds: 0 };
export const HEALTHY_CHECKS: readonly CheckReading[] = [PASS, PASS, PASS, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT];

/**
 * The least an agent does: heartbeats to all coordinators, echoing their challenges; answers
 * probes; remembers what acks said. A test decides what its heartbeats say.
 */
export class ScriptedAgent {
  readonly member: MemberId;
  readonly instanceId: string;
  /** Per coordinator endpoint: the last activation it was told. */
  readonly told = new Map<string, string>();
  /** Every activation it was ever told, by anybody. */
  readonly everTold = new Set<string>();
  /** What its heartbeats say of the checks. */
  checks: readonly CheckReading[] = HEALTHY_CHECKS;
  /** From the next heartbeat on. */
  intervalMs = 1_000;
  /** The serve lease its heartbeats promise. */
  servePromise: ServePromise | null = null;
  readonly #socket: DatagramSocket;
  readonly #clock: Clock;
  readonly #mac: Mac;
  readonly #coordinators: readonly Endpoint[];
  /** Per coordinator endpoint: what it asks to be echoed. */
  readonly challenges = new Map<string, string>();
  readonly #bootEpoch: bigint;
  #sequence = 0n;
  #timer: Timer | null = null;
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;

  constructor(options: {
    readonly member: MemberId;
    readonly instanceId: string;
    readonly master: Uint8Array;
    readonly socket: DatagramSocket;
    readonly clock: Clock;
    readonly coordinators: readonly Endpoint[];
  }) {
    this.member = options.member;
    this.instanceId = options.instanceId;
    this.#socket = options.socket;
    this.#clock = options.clock;
    this.#coordinators = options.coordinators;
    this.#mac = hmacOf(deriveAgentKey(options.master, 1, options.member));
    this.#bootEpoch = BigInt(Math.round(options.clock.wallMs()));
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#socket.onMessage((payload, from) => this.#receive(Uint8Array.from(payload), from));
  }

  start(): void {
    this.#beat();
  }

  /** Starts, and resolves once it is stopped, as the production agent's `run`. */
  run(): Promise<void> {
    this.start();
    return this.#ended;
  }

  /** As a crash does: nothing more is sent. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    this.#end();
    await this.#socket.close();
  }

  #beat(): void {
    this.#timer = this.#clock.setTimer(this.intervalMs, () => this.#beat());
    // As the real one: a heartbeat has one number, whoever gets it.
    this.#sequence += 1n;
    for (const to of this.#coordinators) this.#send(to, this.challenges.get(keyOf(to)) ?? NO_CHALLENGE, false);
  }

  #send(to: Endpoint, challenge: string, probeReply: boolean): void {
    const heartbeat = {
      keyId: 1,
      flags: { ackRequested: challenge === NO_CHALLENGE, probeReply, serving: false, goodbye: false },
      agentId: agentIdOf(this.member),
      instanceHash: instanceHashOf(this.instanceId),
      bootEpoch: this.#bootEpoch,
      sequence: this.#sequence,
      challenge,
      checks: this.checks,
      servePromise: this.servePromise,
      acks: [].slice(0, ACK_SLOT_COUNT),
    };
    this.#socket.send(encodeHeartbeat(heartbeat, this.#mac), to).catch(() => undefined);
  }

  #receive(payload: Uint8Array, from: Endpoint): void {
    const ack = decodeAck(payload);
    if (ack) {
      if (ack.instanceHash !== instanceHashOf(this.instanceId)) return;
      this.challenges.set(keyOf(from), ack.challenge);
      this.told.set(keyOf(from), ack.activation);
      this.everTold.add(ack.activation);
      return;
    }
    const probe = decodeProbe(payload);
    if (!probe) return;
    this.#sequence += 1n;
    this.#send(from, probe.challenge, true);
  }
}

const keyOf = (endpoint: Endpoint): string => `${endpoint.address}:${endpoint.port}`;
