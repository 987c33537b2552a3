import {
  backoffMs,
  type CheckReading,
  type Clock,
  type DatagramSocket,
  errorText,
  type Log,
  type Mac,
  type Random,
  type ServePromise,
  type Timer,
} from '@understudy/shared';
import { AgentKeys } from './agent-keys.ts';
import { ActivationApplier, type ActivationOutputs } from './activation-applier.ts';
import type { KeyFiles } from './adapters/key-files.ts';
import type { StateStore } from './adapters/state-file.ts';
import { ABSENT, CheckBoard, type Checks } from './check-board.ts';
import { METADATA_PATHS, type MetadataSource } from './checks/metadata.ts';
import type { AgentConfig } from './config.ts';
import { withdrawalParts, withdrawMsOf } from './serve-times.ts';
import { CoordinatorTargets } from './coordinator-targets.ts';
import {
  type ActivationEvent,
  type ActivationState,
  incarnationOf,
  INITIAL_ACTIVATION,
  nextActivation,
} from './core/activation.ts';
import { decideAnswer, highestIncarnationOf, type Link } from './core/answers.ts';
import { ACKING_INTERVALS } from './core/ack-requests.ts';
import { decideBoot, firstSequence } from './core/boot.ts';
import type { AgentKey } from './core/key-ring.ts';
import type { LockHolder } from './core/lock-claim.ts';

import { mayPet, withdrawDeadline } from './core/watchdog.ts';
import { type AgentLock, EpochKeeper } from './epoch-keeper.ts';
import { HeartbeatSender } from './heartbeat-sender.ts';
import { type Watchdog, WatchdogKeeper } from './watchdog-keeper.ts';

/** What only the running agent can tell the checks. */
export interface CheckContext {
  readonly instanceId: string;
  readonly coordinators: () => { readonly acking: number; readonly known: number };
  readonly onIdentityLost: (found: string) => void;
}

export interface AgentParts {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The key of the configuration. A stored key takes precedence. */
  readonly configuredKey: AgentKey;
  /**
   * Where further keys come from and are kept. Null: there are none, and nothing is kept
   * (simulation).
   */
  readonly keyFiles: KeyFiles | null;
  readonly macOf: (key: Uint8Array) => Mac;
  readonly socket: DatagramSocket;
  readonly lookup: (host: string) => Promise<string>;
  readonly metadata: MetadataSource;
  readonly stateStore: StateStore;
  /** Null: no other agent is kept away (simulation). */
  readonly lock: AgentLock | null;
  readonly outputs: ActivationOutputs;
  /** What withdraws already, with these outputs: two would undo each other's work. Absent: none. */
  readonly applier?: ActivationApplier;
  /** Null: none is configured. */
  readonly watchdog: Watchdog | null;
  readonly makeChecks: (context: CheckContext) => Checks;
  /**
   * Time since the machine booted, pauses of the machine included (CLOCK_BOOTTIME). The monotonic
   * clock may stand still in those.
   */
  readonly uptimeMs: () => number;
}

/**
 * Why the agent ended. `identity-lost`: it is to be started again, on what is another instance now.
 * `lock-lost`: another agent speaks for this member.
 */
export type StopReason = 'asked' | 'identity-lost' | 'lock-lost';

const IDENTITY_RETRY = { baseMs: 500, capMs: 10_000 };
/** A disk that hangs must not keep the heartbeats from starting. */
const STATE_WRITE_LIMIT_MS = 5_000;
const COMMANDS_GRACE_MS = 6_000;
/**
 * With a serve lease no suspension of the machine above this is overlooked. A shorter one may come
 * from the granularity of the two clocks.
 */
const SUSPENDED_MS = 1_000;

/** Wires the parts, and holds what the process believes about its activation. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #applier: ActivationApplier;
  readonly #targets: CoordinatorTargets;
  readonly #keys: AgentKeys;
  readonly #stopping = new AbortController();
  readonly #watchdog: WatchdogKeeper | null;
  #board: CheckBoard | null = null;
  #sender: HeartbeatSender | null = null;
  #state: ActivationState = INITIAL_ACTIVATION;
  #instanceId: string | null = null;
  #highestIncarnation = 0;
  #leaseTimer: Timer | null = null;
  /** When the workload has to be withdrawn at the latest. Null while it may serve, or never did. */
  #withdrawByMs: number | null = null;
  /** True once this process itself has achieved a state of the workload, and not inherited it. */
  #knowsWorkload = false;
  /**
   * When this process was last awake, by a clock that counts the machine's suspensions and by the
   * monotonic clock.
   */
  #awakeAtMs: number;
  #awakeMonotonicMs: number;
  #stopReason: StopReason = 'asked';
  /** When an ack last said that a second agent speaks. Null: that is settled. */
  #contestedAtMs: number | null = null;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    const powerOffWhenStuck = parts.config.activation.onStuck === 'poweroff';
    this.#applier = parts.applier ?? new ActivationApplier({ ...parts, powerOffWhenStuck });
    this.#applier.beforeActivating = () => this.#noticePause();
    this.#targets = new CoordinatorTargets(parts.config.coordinators, parts);
    this.#watchdog = parts.watchdog && this.#keeperOf(parts.watchdog);
    const { member, key, heartbeat } = parts.config;
    this.#keys = new AgentKeys({
      ...parts,
      member,
      configured: parts.configuredKey,
      files: parts.keyFiles,
      targetCount: this.#targets.count,
      silentAfterMs: ACKING_INTERVALS * heartbeat.intervalMs,
      reloadEveryMs: key.reloadEveryMs,
    });
    this.#awakeAtMs = parts.uptimeMs();
    this.#awakeMonotonicMs = parts.clock.monotonicMs();
  }

  get activation(): ActivationState {
    return this.#state;
  }

  get sender(): HeartbeatSender | null {
    return this.#sender;
  }

  get keys(): AgentKeys {
    return this.#keys;
  }

  /** Runs until {@link stop}. Resolves when everything has been put away. */
  async run(): Promise<StopReason> {
    const { signal } = this.#stopping;
    const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    // This comes first, even before we know our own instance: nothing serves that an ack of this
    // process has not named.
    this.#applier.want({ state: 'standby', incarnation: 0, instanceId: null });
    this.#watchdog?.start();
    if (!signal.aborted) {
      await this.#start().catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      await ended;
    }
    await this.#end();
    return this.#stopReason;
  }

  /** Idempotent. */
  stop(reason: StopReason = 'asked'): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopReason = reason;
    this.#stopping.abort(new Error('stopping'));
  }

  async #start(): Promise<void> {
    const { config, clock, log } = this.#parts;
    const instanceId = await this.#learnIdentity();
    this.#instanceId = instanceId;
    const [boot] = await Promise.all([this.#begin(instanceId), this.#beginKeys()]);
    log.info('agent.started', { member: config.member, instanceId, bootEpoch: String(boot.bootEpoch) });
    this.#applier.want({ state: 'standby', incarnation: 0, instanceId });
    await this.#targets.start();
    if (this.#stopping.signal.aborted) return;
    this.#awake();
    const epochs = this.#epochKeeper(instanceId, boot.bootEpoch);
    this.#sender = new HeartbeatSender({
      ...this.#parts,
      bootEpoch: boot.bootEpoch,
      keys: this.#keys,
      targets: this.#targets,
      instanceId,
      firstSequence: firstSequence(clock.wallMs()),
      readings: () => this.#readings(),
      activation: () => this.#state,
      servePromise: () => this.#servePromise(),
      onAwake: () => this.#noticePause(),
      onAck: (links) => this.#weigh(links),
      onStale: (newestEpoch, coordinator) => epochs.told(newestEpoch, coordinator),
      onContested: (contested) => this.#noteContested(contested),
    });
    this.#startChecks(this.#sender, instanceId);
    this.#sender.start();
  }

  #epochKeeper(instanceId: string, bootEpoch: bigint): EpochKeeper {
    const parts = {
      ...this.#parts,
      writeLimitMs: STATE_WRITE_LIMIT_MS,
      use: (epoch: bigint) => this.#sender?.takeEpoch(epoch),
      yieldTo: (holder: LockHolder) => this.#yieldTo(holder),
    };
    return new EpochKeeper(parts, instanceId, bootEpoch);
  }

  #yieldTo({ pid, where }: LockHolder): void {
    const remedy = 'that agent speaks for this member now; this one ends. Run one agent per member';
    this.#parts.log.error('agent.lock.lost', { pid, lock: where, remedy });
    this.stop('lock-lost');
  }

  /**
   * A second agent told file, target and hook its own state. Once it has been gone for a while, we
   * tell them again what we know.
   */
  #noteContested(contested: boolean): void {
    const { clock, log } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (contested) this.#contestedAtMs = nowMs;
    if (this.#contestedAtMs === null || nowMs - this.#contestedAtMs < UNCONTESTED_MS) return;
    this.#contestedAtMs = null;
    log.info('agent.alone', { activation: this.#state.kind });
    this.#applier.tellAgain();
  }

  /**
   * Heartbeats name the instance, so there are none before the metadata service has told its id.
   * Tries for ever, at most 10 s apart.
   */
  async #learnIdentity(): Promise<string> {
    const { metadata, clock, random, log } = this.#parts;
    for (let attempt = 0; ; attempt++) {
      const answer = await metadata.get(METADATA_PATHS.instanceId, this.#stopping.signal);
      const text = answer.kind === 'found' ? answer.text.trim() : '';
      if (text !== '') return text;
      const waitMs = Math.round(backoffMs(attempt, IDENTITY_RETRY, random.next()));
      log.warn('agent.identity.waiting', { answer, retryInMs: waitMs });
      await clock.sleep(waitMs, this.#stopping.signal);
    }
  }

  /**
   * The new boot epoch. It is on disk before the first heartbeat carries it, if the disk lets us.
   */
  async #begin(instanceId: string): Promise<{ readonly bootEpoch: bigint }> {
    const { stateStore, outputs, clock, log } = this.#parts;
    const found = await this.#within(STATE_WRITE_LIMIT_MS, stateStore.read());
    const previous = found === LATE ? null : found;
    const { bootEpoch, restoredDisk } = decideBoot(previous, instanceId, clock.wallMs());
    if (restoredDisk) {
      // This is so in every replacement.
      log.info('agent.disk.restored', { was: previous?.instanceId, is: instanceId });
      await outputs.removeFile().catch((error: unknown) => log.warn('activation.file.stale', { error: String(error) }));
    }
    const stored = await this.#within(
      STATE_WRITE_LIMIT_MS,
      stateStore.write({ instanceId, bootEpoch }).then(
        () => true,
        (error: unknown) => {
          log.error('agent.state.unwritten', { error: errorText(error) });
          return false;
        },
      ),
    );
    if (stored === LATE) log.error('agent.state.unwritten', { error: `no end after ${STATE_WRITE_LIMIT_MS} ms` });
    return { bootEpoch };
  }

  /**
   * Heartbeats wait for the disk, but not for one that hangs: the keys it hands over later are
   * tried then.
   */
  async #beginKeys(): Promise<void> {
    const { keyFiles, log } = this.#parts;
    if (!keyFiles) return this.#keys.begin(null);
    const reading = keyFiles.readStored();
    const stored = await this.#within(STATE_WRITE_LIMIT_MS, reading);
    this.#keys.begin(stored === LATE ? null : stored);
    if (stored !== LATE) return;
    log.error('keys.late', { error: `no end after ${STATE_WRITE_LIMIT_MS} ms` });
    void reading.then((late) => late && this.#keys.offerStored(late));
  }

  async #within<T>(limitMs: number, work: Promise<T>): Promise<T | typeof LATE> {
    const done = new AbortController();
    const limit = this.#parts.clock.sleep(limitMs, done.signal).then(
      (): typeof LATE => LATE,
      (): typeof LATE => LATE,
    );
    try {
      return await Promise.race([work, limit]);
    } finally {
      done.abort();
    }
  }

  #startChecks(sender: HeartbeatSender, instanceId: string): void {
    const checks = this.#parts.makeChecks({
      instanceId,
      coordinators: () => sender.coordinators(),
      onIdentityLost: (found) => this.#loseIdentity(found),
    });
    this.#board = new CheckBoard({ ...this.#parts, config: this.#parts.config.checks, checks });
    this.#board.start();
  }

  #readings(): readonly CheckReading[] {
    const { onActivate, onDeactivate, systemdTarget } = this.#parts.config.activation;
    const told = onActivate !== undefined || onDeactivate !== undefined || systemdTarget !== undefined;
    return this.#board?.readings(told ? this.#applier.reading() : ABSENT) ?? [];
  }

  /** Called after a fresh ack: decides what the coordinators say, all together. */
  #weigh(links: readonly Link[]): void {
    this.#highestIncarnation = highestIncarnationOf(links, this.#highestIncarnation);
    const answer = decideAnswer(links, this.#highestIncarnation, this.#parts.clock.monotonicMs());
    if (!answer || answer.activation === 'unknown') return this.#step({ kind: 'unknown' });
    this.#step({ kind: answer.activation, answer });
  }

  #step(event: ActivationEvent): void {
    const { config, clock, log } = this.#parts;
    const before = this.#state;
    const { state, effects } = nextActivation(before, event, config.serve, clock.monotonicMs());
    this.#state = state;
    const limits = { withdrawMs: withdrawMsOf(config), nowMs: clock.monotonicMs() };
    this.#withdrawByMs = withdrawDeadline(before, event.kind, state, this.#withdrawByMs, limits);
    if (state.kind !== before.kind) {
      log.info('activation.changed', {
        from: before.kind,
        to: state.kind,
        because: event.kind,
        incarnation: incarnationOf(state),
      });
    }
    for (const effect of effects) {
      if (effect.kind === 'apply') {
        this.#applier.want({ state: effect.state, incarnation: effect.incarnation, instanceId: this.#instanceId });
      } else
        void this.#applier.powerOff(Math.min(config.activation.timeoutMs + COMMANDS_GRACE_MS, limits.withdrawMs / 2));
    }
    this.#watchLease();
  }

  #watchLease(): void {
    this.#leaseTimer?.cancel();
    this.#leaseTimer = null;
    if (this.#state.kind !== 'active' || this.#state.leaseUntilMs === null) return;
    const leftMs = this.#state.leaseUntilMs - this.#parts.clock.monotonicMs();
    this.#leaseTimer = this.#parts.clock.setTimer(leftMs, () => this.#noticeLeaseEnd());
  }

  /**
   * A timer may fire a little early, and a lease may have been renewed. So this asks the state, not
   * the timer.
   */
  #noticeLeaseEnd(): void {
    if (this.#state.kind !== 'active' || this.#state.leaseUntilMs === null) return;
    if (this.#parts.clock.monotonicMs() >= this.#state.leaseUntilMs) this.#step({ kind: 'leaseExpired' });
    else this.#watchLease();
  }

  /**
   * Called before every heartbeat, accepted datagram and activation. It notices a pause of ours and
   * the end of the lease.
   */
  #noticePause(): void {
    const { awayMs, suspendedMs } = this.#awake();
    this.#noticeLeaseEnd();
    const { activation, serve } = this.#parts.config;
    // A lease is counted on the monotonic clock, which stands still while the machine is suspended.
    const distrusted = serve.leaseMs > 0 && suspendedMs >= SUSPENDED_MS;
    if (awayMs < activation.distrustAfterPauseMs && !distrusted) return;
    this.#parts.log.warn('agent.resumed', { awayMs: Math.round(awayMs) });
    this.#sender?.forgetAnswers();
    this.#step({ kind: 'resumed' });
  }

  /** How long nobody asked, and for how much of that the whole machine was suspended. */
  #awake(): { readonly awayMs: number; readonly suspendedMs: number } {
    const upMs = this.#parts.uptimeMs();
    const monotonicMs = this.#parts.clock.monotonicMs();
    const awayMs = upMs - this.#awakeAtMs;
    const suspendedMs = awayMs - (monotonicMs - this.#awakeMonotonicMs);
    this.#awakeAtMs = upMs;
    this.#awakeMonotonicMs = monotonicMs;
    return { awayMs, suspendedMs };
  }

  /**
   * What every heartbeat promises. The watchdog's part is in it only while the watchdog is armed.
   */
  #servePromise(): ServePromise | null {
    const { serve } = this.#parts.config;
    // Before that, a workload that a predecessor left running may still serve, and nothing is known
    // of when it ends.
    this.#knowsWorkload ||= this.#applier.workload !== 'unknown';
    if (serve.leaseMs === 0 || !this.#knowsWorkload) return null;
    return { stopWithinSeconds: serve.stopWithinMs / 1_000, watchdog: this.#watchdog?.armed ?? false };
  }

  #keeperOf(watchdog: Watchdog): WatchdogKeeper {
    const { clock, log, config } = this.#parts;
    return new WatchdogKeeper({
      watchdog,
      clock,
      log,
      timeoutMs: config.serve.watchdog?.timeoutMs ?? 0,
      mayArm: () => this.#mayPet(null),
      mayPet: () => this.#mayPet(this.#withdrawByMs),
    });
  }

  #mayPet(withdrawByMs: number | null): boolean {
    this.#noticePause();
    const { workload } = this.#applier;
    return mayPet({ activation: this.#state, workload, withdrawByMs }, this.#parts.clock.monotonicMs());
  }

  #loseIdentity(found: string): void {
    this.#parts.log.warn('agent.identity.lost', { was: this.#instanceId, is: found });
    this.#step({ kind: 'identityLost' });
    this.stop('identity-lost');
  }

  /**
   * Withdraws first, with heartbeats going on; then says goodbye; then puts everything away. The
   * hook's own deadline bounds it.
   */
  async #end(): Promise<void> {
    const { config, log, socket } = this.#parts;
    log.info('agent.stopping', { reason: this.#stopReason });
    this.#step({ kind: 'stop' });
    const { hook = 0, target = 0 } = withdrawalParts(config.activation);
    const underWayMs = config.activation.timeoutMs;
    const withdrawn = await this.#applier.settled(underWayMs + hook + target + COMMANDS_GRACE_MS);
    if (!withdrawn) log.error('activation.not-withdrawn');
    this.#watchdog?.stop(withdrawn && this.#applier.workload === 'withdrawn');
    await this.#applier.close();
    this.#board?.stop();
    this.#targets.stop();
    this.#keys.stop();
    if (this.#stopReason === 'asked') await this.#sender?.sayGoodbye();
    this.#leaseTimer?.cancel();
    await socket.close();
    log.info('agent.stopped');
  }
}

const LATE = Symbol('late');
/**
 * The contest is over when no ack has spoken of a second agent for this long. An agent that fell
 * behind sends one every second. In ms.
 */
const UNCONTESTED_MS = 10_000;
