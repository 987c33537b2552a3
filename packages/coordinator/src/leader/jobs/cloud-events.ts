import {
  type Clock,
  errorText,
  isOperationError,
  type Keyspace,
  type Log,
  type MemberId,
  type MessageQueue,
  type MonotonicMs,
  type Problem,
  type QueueMessage,
  RecurringFailure,
  type Term,
} from '@understudy/shared';
import { type CloudEvent, readCloudEvent } from '../../hints/cloud-event.ts';
import { type LookRound, type WantedLook, WantedLooks } from '../../hints/wanted-looks.ts';
import type { ClusterState } from '../../store/cluster-state.ts';
import type { Assessor } from '../assessor.ts';
import { DeedHearing } from '../deed-hearing.ts';
import type { EvidencePoller } from '../ec2-evidence.ts';
import type { EventHearing } from '../event-hearing.ts';
import type { LeaderJob } from './leader-job.ts';

/** From one pass to the next: no event waits longer than a pass for its look. */
const EVERY_MS = 50;
const MESSAGES_PER_CALL = 10;
/** SQS answers at once when something comes. The first call of all does not wait. */
const WAIT_MS = 20_000;
/** While looks wait for their turn. */
const SHORT_WAIT_MS = 1_000;
/**
 * A message comes again after this time where it was not deleted: also what a leader had received
 * that is no more.
 */
const HIDDEN_FOR_MS = 30_000;
/** A queue that cannot be read is asked again after this time. */
const RETRY_MS = 5_000;

type Hint = Extract<CloudEvent, { kind: 'hint' }>;

export interface CloudEventsJobOptions {
  readonly queue: MessageQueue;
  readonly evidence: EvidencePoller;
  readonly assessor: Assessor;
  readonly view: ClusterState;
  readonly keys: Keyspace;
  readonly events: EventHearing;
  readonly clock: Clock;
  readonly log: Log;
}

/** The member that an instance is activated for, and its zone. */
type Whose = ReadonlyMap<string, { readonly member: MemberId; readonly az: string }>;

const NOBODY: Whose = new Map();
const TELL_AGAIN_MS = 60_000;

/**
 * Reads the queue of events. **S** A message is a hint: it makes us ask EC2 about the instances
 * that it names, where they are members', and nothing else. What EC2 answers is the evidence. A
 * message is deleted once the look that it asked for was taken, and what it says of a deed stands
 * in etcd.
 */
export class CloudEventsJob implements LeaderJob {
  readonly name = 'events';
  readonly everyMs = EVERY_MS;
  readonly #options: CloudEventsJobOptions;
  readonly #wanted = new WantedLooks();
  readonly #unreachable: RecurringFailure;
  readonly #looking = new Set<Promise<void>>();
  /** What broke beside a pass; the next one fails by it. */
  #broken: { readonly error: unknown } | null = null;
  #unreadableToldAtMs = Number.NEGATIVE_INFINITY;
  readonly #deeds: DeedHearing;
  #keeping: Promise<void> | null = null;

  constructor(options: CloudEventsJobOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#unreachable = new RecurringFailure({ clock, log, event: 'events.unreachable' });
    this.#deeds = new DeedHearing({ ...options, deeds: options.events.deeds });
  }

  beginTerm(): void {
    this.#wanted.clear();
    this.#deeds.clear();
    this.#options.events.trust.clear();
  }

  remarks(): readonly Problem[] {
    return this.#options.events.trust.problems(this.#options.clock.monotonicMs());
  }

  async run(term: Term): Promise<void> {
    const messages = await this.#receive(term.signal);
    const whose = messages.length > 0 ? this.#members() : NOBODY;
    const deletable = messages.flatMap((one) => this.#take(one, whose));
    for (const round of this.#wanted.take(this.#options.clock.monotonicMs())) this.#start(round, term.signal);
    this.#keepDeeds(term);
    await this.#delete(deletable, term.signal);
    const broken = this.#broken;
    this.#broken = null;
    if (broken) throw broken.error;
  }

  /** Beside the next pass: a zone that answers slowly keeps nobody from hearing of another. */
  #start(round: LookRound, signal: AbortSignal): void {
    const work = this.#look(round, signal)
      .catch((error: unknown) => {
        this.#broken = { error };
      })
      .finally(() => this.#looking.delete(work));
    this.#looking.add(work);
  }

  /** Beside the passes, one write at a time. What was not written comes again with its message. */
  #keepDeeds(term: Term): void {
    if (this.#keeping !== null) return;
    this.#keeping = this.#deeds
      .write(term)
      .then(({ settled, failed }) => {
        this.#wanted.failed(failed);
        return this.#delete(this.#wanted.looked(settled, this.#options.clock.monotonicMs()), term.signal);
      })
      .catch((error: unknown) => {
        this.#broken = { error };
      })
      .finally(() => {
        this.#keeping = null;
      });
  }

  async #receive(signal: AbortSignal): Promise<readonly QueueMessage[]> {
    const { queue, clock } = this.#options;
    const { trust } = this.#options.events;
    if (this.#wanted.isFull) {
      await clock.sleep(SHORT_WAIT_MS, signal).catch(() => undefined);
      return [];
    }
    const waitMs = trust.isReachable ? (this.#wanted.size > 0 ? SHORT_WAIT_MS : WAIT_MS) : 0;
    try {
      const wanted = { messagesMax: MESSAGES_PER_CALL, waitMs, hiddenForMs: HIDDEN_FOR_MS };
      const messages = await queue.receive(wanted, { signal });
      trust.queueAnswered();
      this.#unreachable.worked();
      return messages;
    } catch (error) {
      if (!isOperationError(error)) throw error;
      if (signal.aborted) return [];
      trust.queueFailed(errorText(error));
      this.#unreachable.failed(error);
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
      return [];
    }
  }

  /** Notes a message. Returns its handle where nothing is to be looked at. */
  #take(message: QueueMessage, whose: Whose): readonly string[] {
    const { clock, log } = this.#options;
    const { counts } = this.#options.events;
    const nowMs = clock.monotonicMs();
    this.#noteAge(message, nowMs);
    const event = readCloudEvent(message.body);
    if (event.kind === 'unreadable') {
      counts.drop('unreadable');
      this.#noteUnreadable(message, event.why);
      return [];
    }
    if (event.kind === 'unknown') {
      counts.drop('unknown');
      log.debug('event.unknown', { detailType: event.detailType });
      return [message.receiptHandle];
    }
    counts.came(event.type, event.key, nowMs);
    return this.#follow(message, event, whose, this.#noteDeed(event, whose, nowMs));
  }

  /** Returns what has to be written down before the message may go. */
  #noteDeed({ deed, instanceIds, isRefused }: Hint, whose: Whose, nowMs: MonotonicMs): readonly string[] {
    if (deed === null) return [];
    if (!isRefused) this.#options.events.deeds.noteRecent(instanceIds, deed, nowMs);
    return this.#deeds.note(deed, instanceIds, whose, nowMs);
  }

  #follow(message: QueueMessage, event: Hint, whose: Whose, tickets: readonly string[]): readonly string[] {
    const { log } = this.#options;
    const { counts, trust } = this.#options.events;
    const nowMs = this.#options.clock.monotonicMs();
    // **S** What is no member's is dropped before anything is asked about it.
    const ours = event.instanceIds.filter((id) => whose.has(id));
    if (ours.length === 0) {
      counts.drop(event.isRefused ? 'refused' : event.instanceIds.length > 0 ? 'nobodys' : 'no-look');
      if (tickets.length === 0) return [message.receiptHandle];
    }
    const { type, state, wantsStatus } = event;
    for (const instanceId of ours) {
      if (type === 'state-change' && state !== null) trust.told(instanceId, state, nowMs);
      log.debug('event.heard', { instanceId, type, claims: state });
    }
    const looks = ours.map(
      (instanceId): WantedLook => ({
        ...{
          instanceId,
          member: whose.get(instanceId)?.member ?? '/',
          az: whose.get(instanceId)?.az ?? '',
          wantsStatus,
        },
      }),
    );
    this.#wanted.add(message, looks, nowMs, tickets);
    return [];
  }

  /** One line a minute: whoever may write to the queue must not fill the log. */
  #noteUnreadable({ messageId, receiveCount }: QueueMessage, why: string): void {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#unreadableToldAtMs < TELL_AGAIN_MS) return;
    this.#unreadableToldAtMs = nowMs;
    log.warn('event.unreadable', { messageId, why, receives: receiveCount });
  }

  #noteAge({ sentAtWallMs, receiveCount }: QueueMessage, nowMs: MonotonicMs): void {
    const { counts, trust } = this.#options.events;
    const { clock } = this.#options;
    if (sentAtWallMs === null) return;
    const ageMs = Math.max(0, clock.wallMs() - sentAtWallMs);
    counts.ageMs = ageMs;
    // What comes again is old because it was not looked after.
    if (receiveCount === 1) trust.aged(ageMs, nowMs);
  }

  async #look({ az, looks }: LookRound, signal: AbortSignal): Promise<void> {
    const { evidence, assessor, clock, log } = this.#options;
    const { counts } = this.#options.events;
    const beganAtMs = clock.monotonicMs();
    const ids = looks.map((one) => one.instanceId);
    const answered = await evidence.hinted(az, looks, signal);
    counts.looks += ids.length;
    counts.failedLooks += ids.length - answered.length;
    counts.lookMs += (clock.monotonicMs() - beganAtMs) * ids.length;
    assessor.judgeSoon(looks.flatMap((one) => (answered.includes(one.instanceId) ? [one.member] : [])));
    for (const instanceId of answered) {
      const state = evidence.of(instanceId).cloud?.instance?.state ?? null;
      if (state !== 'running') log.info('event.looked', { instanceId, state });
    }
    this.#wanted.failed(ids.filter((id) => !answered.includes(id)));
    await this.#delete(this.#wanted.looked(answered, beganAtMs), signal);
  }

  /** What could not be deleted comes again, and is looked after again. */
  async #delete(handles: readonly string[], signal: AbortSignal): Promise<void> {
    const { queue, log } = this.#options;
    const gone = await Promise.allSettled(handles.map((handle) => queue.delete(handle, { signal })));
    const failed = gone.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    const broken = failed.find((error) => !isOperationError(error));
    if (broken !== undefined) throw broken;
    if (failed.length > 0 && !signal.aborted)
      log.debug('event.not_deleted', { count: failed.length, error: errorText(failed[0]) });
  }

  /** The table of this moment. It is as long as there are members: it is made once a pass. */
  #members(): Whose {
    const { activations, members } = this.#options.view.records;
    return new Map(
      [...activations.values()].map(({ record: { instanceId, member } }) => [
        instanceId,
        { member, az: members.get(member)?.record.az ?? '' },
      ]),
    );
  }
}
