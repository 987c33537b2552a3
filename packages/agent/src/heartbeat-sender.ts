import {
  type Ack,
  agentIdOf,
  type CheckReading,
  type Clock,
  type DatagramSocket,
  decodeAck,
  decodeProbe,
  encodeHeartbeatFor,
  type Endpoint,
  errorText,
  fullBucket,
  type Heartbeat,
  instanceHashOf,
  type Log,
  type MonotonicMs,
  peekFrame,
  type Random,
  type ServePromise,
  takeTokens,
  type Timer,
  type TokenBucket,
  writeHeartbeat,
} from '@understudy/shared';
import type { AgentKeys, SealingKey } from './agent-keys.ts';
import type { AgentConfig } from './config.ts';
import type { CoordinatorTargets } from './coordinator-targets.ts';
import { ackingCount, wantsAck } from './core/ack-requests.ts';
import type { ActivationState } from './core/activation.ts';
import type { Link } from './core/answers.ts';
import {
  acceptAck,
  type AckRefusal,
  ackSlots,
  beginEpoch,
  forgetAnswers,
  type Ledger,
  linkOf,
  newLedger,
  NO_CHALLENGE,
  takeSequence,
} from './core/ledger.ts';
import type { KeySlot } from './core/key-ring.ts';
import { paceMs } from './core/pace.ts';
import { beatDelayMs } from './core/schedule.ts';

export interface SenderParts {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly keys: AgentKeys;
  readonly socket: DatagramSocket;
  readonly targets: CoordinatorTargets;
  readonly instanceId: string;
  readonly bootEpoch: bigint;
  readonly firstSequence: bigint;
  /** Read at every heartbeat from tables, and never waited for. */
  readonly readings: () => readonly CheckReading[];
  readonly activation: () => ActivationState;
  readonly servePromise: () => ServePromise | null;
  /** Called before every heartbeat and every accepted datagram. */
  readonly onAwake: () => void;
  readonly onAck: (links: readonly Link[]) => void;
  /** Called when a coordinator knows a newer boot epoch than ours. */
  readonly onStale: (newestEpoch: bigint, coordinator: string) => void;
  /** What a fresh ack says about a second agent. */
  readonly onContested: (contested: boolean) => void;
}

/** Why a datagram was dropped. Counted, never thrown, never answered. */
export type DropReason = AckRefusal | 'not-ours' | 'bad-tag' | 'malformed' | 'probe-budget' | 'other-instance-probe';

const PROBE_REPLIES = { burst: 20, refillPerSecond: 10 };
const GOODBYE_ROUNDS_MAX = 3;
const GOODBYE_EVERY_MS = 100;
const DROPS_LOGGED_EVERY_MS = 60_000;
/**
 * A second key is tried with every third heartbeat. That is within a usual `suspectAfterMs`, and
 * costs a third more packets while a rotation is under way.
 */
const TRY_EVERY_BEATS = 3;

/**
 * Sends heartbeats on its own timer, answers probes, and takes acks. Nothing in here waits for a
 * check, a hook or a name.
 */
export class HeartbeatSender {
  readonly #parts: SenderParts;
  readonly #agentId: string;
  readonly #instanceHash: string;
  readonly #hashOfTarget = new Map<number, number>();
  readonly #drops = new Map<DropReason, number>();
  readonly #sendFailing = new Set<number>();
  #ledger: Ledger;
  #beatCount = 0;
  #probeReplies: TokenBucket;
  #timer: Timer | null = null;
  #dropsLoggedAtMs = Number.NEGATIVE_INFINITY;
  #closing = false;
  #beatAtMs: MonotonicMs;
  #paceMs: number;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#agentId = agentIdOf(parts.config.member);
    this.#instanceHash = instanceHashOf(parts.instanceId);
    this.#ledger = newLedger(parts.bootEpoch, parts.firstSequence);
    this.#beatAtMs = parts.clock.monotonicMs();
    this.#paceMs = parts.config.heartbeat.intervalMs;
    this.#probeReplies = fullBucket(PROBE_REPLIES, this.#beatAtMs);
  }

  /** When the loop last woke to send, whatever became of the datagrams. */
  get beatAtMs(): MonotonicMs {
    return this.#beatAtMs;
  }

  /** Dropped datagrams by reason, for tests and logs. */
  get drops(): ReadonlyMap<DropReason, number> {
    return this.#drops;
  }

  get links(): readonly Link[] {
    return this.#ledger.links;
  }

  start(): void {
    this.#parts.socket.onMessage((payload, from) => this.#receive(payload, from));
    this.#beat();
  }

  /** How many of the known coordinators have acknowledged something recently. */
  coordinators(): { readonly acking: number; readonly known: number } {
    const { clock, config, targets } = this.#parts;
    const acking = ackingCount(this.#ledger.links, config.heartbeat.intervalMs, clock.monotonicMs());
    return { acking: Math.min(acking, targets.count), known: targets.count };
  }

  /**
   * Forgets answers after a pause that the clock may not have counted. Only answers to what is
   * asked from now on are taken.
   */
  forgetAnswers(): void {
    this.#ledger = forgetAnswers(this.#ledger);
  }

  /** Begins another boot epoch, and sends a heartbeat that says so. */
  takeEpoch(bootEpoch: bigint): void {
    this.#ledger = beginEpoch(this.#ledger, bootEpoch);
    this.beatNow();
  }

  /** Sends one heartbeat out of turn, asking for acks: after a pause, or when something changed. */
  beatNow(): void {
    if (!this.#closing) this.#sendAll({ goodbye: false, askAll: true });
  }

  /**
   * Stops the beat and says goodbye, up to three times 100 ms apart, until every coordinator that
   * ever acked has acked that.
   */
  async sayGoodbye(): Promise<void> {
    this.#closing = true;
    this.#timer?.cancel();
    const first = this.#ledger.nextSequence;
    for (let round = 0; round < GOODBYE_ROUNDS_MAX; round++) {
      this.#sendAll({ goodbye: true, askAll: true });
      await this.#parts.clock.sleep(GOODBYE_EVERY_MS);
      if (this.#ledger.links.every((link) => link.highestAcked >= first)) return;
    }
  }

  #beat(): void {
    const { clock, config, random, onAwake } = this.#parts;
    if (this.#closing) return;
    this.#takePace();
    const waitMs = beatDelayMs(this.#paceMs, config.heartbeat.jitterRatio, random.next());
    this.#timer = clock.setTimer(waitMs, () => this.#beat());
    onAwake();
    this.#sendAll({ goodbye: false, askAll: false });
    this.#beatAtMs = clock.monotonicMs();
  }

  #takePace(): void {
    const { clock, config, log } = this.#parts;
    const { intervalMs } = config.heartbeat;
    const wantedMs = paceMs(this.#ledger.links, intervalMs, clock.monotonicMs());
    if (wantedMs === this.#paceMs) return;
    log.info('heartbeat.pace', { intervalMs: wantedMs, configuredMs: intervalMs });
    this.#paceMs = wantedMs;
  }

  /**
   * Heartbeats that try a key go first. A coordinator that holds it then acknowledges that one; one
   * that does not drops it and acknowledges the other, as always. (Acks are at least 100 ms apart;
   * the other way round the trial would go unanswered.)
   */
  #sendAll(options: { readonly goodbye: boolean; readonly askAll: boolean }): void {
    const { clock, config, targets, activation, keys } = this.#parts;
    const nowMs = clock.monotonicMs();
    const tries = options.goodbye || this.#beatCount++ % TRY_EVERY_BEATS === 0;
    const to = targets.endpoints().flatMap((endpoint, index) => {
      if (!endpoint) return [];
      const link = linkOf(this.#ledger, this.#hashOfTarget.get(index));
      const { main, alsoTry } = keys.sealing(index, nowMs);
      // Nothing is known of a coordinator that has not acknowledged anything since we started, so
      // it gets both each time.
      return [{ index, endpoint, link, main, tried: tries || !link ? alsoTry : null }];
    });
    if (to.some(({ tried }) => tried !== null)) {
      const trial = this.#write(this.#take());
      const flags = { ackRequested: true, probeReply: false, goodbye: options.goodbye };
      for (const { index, endpoint, link, tried } of to)
        if (tried) this.#send(index, endpoint, this.#seal(trial, tried, link?.challenge ?? NO_CHALLENGE, flags));
    }
    const written = this.#write(this.#take());
    for (const { index, endpoint, link, main } of to) {
      const asked =
        options.askAll || wantsAck(link, activation(), config.serve.leaseMs, config.heartbeat.intervalMs, nowMs);
      const flags = { ackRequested: asked, probeReply: false, goodbye: options.goodbye };
      this.#send(index, endpoint, this.#seal(written, main, link?.challenge ?? NO_CHALLENGE, flags));
    }
  }

  #take(): bigint {
    const taken = takeSequence(this.#ledger, this.#parts.clock.monotonicMs());
    this.#ledger = taken.ledger;
    return taken.sequence;
  }

  /** The content of this heartbeat, the same for every receiver. */
  #write(sequence: bigint): Uint8Array {
    const { readings, servePromise } = this.#parts;
    return writeHeartbeat({
      agentId: this.#agentId,
      instanceHash: this.#instanceHash,
      bootEpoch: this.#ledger.bootEpoch,
      sequence,
      checks: readings(),
      servePromise: servePromise(),
      acks: ackSlots(this.#ledger),
    });
  }

  #seal(
    written: Uint8Array,
    { id, mac }: SealingKey,
    challenge: string,
    flags: Omit<Heartbeat['flags'], 'serving'>,
  ): Uint8Array {
    const serving = this.#parts.activation().kind === 'active';
    return encodeHeartbeatFor(written, { keyId: id, flags: { ...flags, serving }, challenge }, mac);
  }

  /**
   * Best effort. A path that fails is logged once when that starts and once when it ends. `index`
   * -1: a probe's sender.
   */
  #send(index: number, to: Endpoint, payload: Uint8Array): void {
    const { socket, log, targets } = this.#parts;
    socket.send(payload, to).then(
      () => {
        if (this.#sendFailing.delete(index)) log.info('heartbeat.send.again', { coordinator: targets.name(index) });
      },
      (error: unknown) => {
        if (index < 0 || this.#sendFailing.has(index)) return;
        this.#sendFailing.add(index);
        log.warn('heartbeat.send.failed', { coordinator: targets.name(index), error: errorText(error) });
      },
    );
  }

  #receive(payload: Uint8Array, from: Endpoint): void {
    const { keys, onAwake } = this.#parts;
    const head = peekFrame(payload);
    if (!head || head.agentId !== this.#agentId) return this.#drop('not-ours');
    const opened = keys.open(payload, head.keyId);
    if (typeof opened === 'string') return this.#drop(opened);
    onAwake();
    if (head.type === 'probe') return this.#answerProbe(payload, from, opened.key);
    const ack = head.type === 'ack' ? decodeAck(payload) : null;
    if (!ack) return this.#drop('malformed');
    this.#takeAck(ack, from, opened.slot);
  }

  #takeAck(ack: Ack, from: Endpoint, slot: KeySlot): void {
    const { clock, targets, keys, log, onAck, onStale, onContested } = this.#parts;
    const nowMs = clock.monotonicMs();
    const outcome = acceptAck(this.#ledger, this.#instanceHash, ack, nowMs);
    if (outcome.kind === 'refused') return this.#drop(outcome.reason);
    const index = targets.indexOf(from);
    const known = linkOf(this.#ledger, ack.coordinatorHash) !== undefined;
    this.#ledger = outcome.ledger;
    if (index >= 0) this.#hashOfTarget.set(index, ack.coordinatorHash);
    if (!known)
      log.info('coordinator.acked', { coordinator: index < 0 ? `${from.address}:${from.port}` : targets.name(index) });
    keys.noteAcked(index, slot, targets.name(index), nowMs);
    onContested(ack.contested || ack.newestEpoch !== null);
    onAck(outcome.ledger.links);
    if (ack.newestEpoch !== null) onStale(ack.newestEpoch, targets.name(index));
  }

  /**
   * A probe is answered at once with a heartbeat of the same size, to where it came from. Its
   * challenge is echoed in this reply only: a replayed probe must not spoil the challenge of the
   * regular heartbeats. The answer is sealed under the probe's own key, which its sender certainly
   * holds.
   */
  #answerProbe(payload: Uint8Array, from: Endpoint, key: SealingKey): void {
    const probe = decodeProbe(payload);
    if (!probe) return this.#drop('malformed');
    if (probe.instanceHash !== this.#instanceHash) return this.#drop('other-instance-probe');
    const left = takeTokens(this.#probeReplies, PROBE_REPLIES, this.#parts.clock.monotonicMs());
    if (!left) return this.#drop('probe-budget');
    this.#probeReplies = left;
    const flags = { ackRequested: false, probeReply: true, goodbye: this.#closing };
    this.#send(-1, from, this.#seal(this.#write(this.#take()), key, probe.challenge, flags));
  }

  #drop(reason: DropReason): void {
    const { clock, log } = this.#parts;
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#dropsLoggedAtMs < DROPS_LOGGED_EVERY_MS) return;
    this.#dropsLoggedAtMs = nowMs;
    log.warn('datagrams.dropped', { counts: Object.fromEntries(this.#drops) });
  }
}
