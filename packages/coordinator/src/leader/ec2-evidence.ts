import {
  type Clock,
  type Cloud,
  type CloudInstance,
  type ErrorCode,
  errorText,
  isOperationError,
  type Log,
  type MonotonicMs,
  type OperationError,
} from '@understudy/shared';
import type { CloudStatusReading } from '../judge/evidence.ts';
import { nextStatusReading } from '../judge/status-reading.ts';

/**
 * What EC2 last said about one instance; each part has the moment the question was asked (the
 * answer may be older, never newer).
 */
export interface InstanceEvidence {
  /** `instance: null`: EC2 answered without it (eventual consistency, or gone: proves nothing). */
  readonly cloud: { readonly readAtMs: MonotonicMs; readonly instance: CloudInstance | null } | null;
  readonly cloudStatus: CloudStatusReading | null;
}

const NOTHING_KNOWN: InstanceEvidence = { cloud: null, cloudStatus: null };

export interface EvidenceTarget {
  readonly instanceId: string;
  readonly az: string;
}

export interface EvidenceFailure {
  readonly az: string;
  readonly code: ErrorCode;
  readonly text: string;
  readonly sinceMs: MonotonicMs;
}

/**
 * Ids per call: the documented maximum of DescribeInstanceStatus' `InstanceIds`; filters take 200.
 */
const IDS_PER_CALL = 100;
/** An instance is asked about out of turn at most this often. */
const LOOK_EVERY_MS = 1_000;

function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));
}

/**
 * Asks EC2 about the members' instances: state and status checks, each AZ by itself, so that
 * trouble with one blinds only that one. Keeps the last answer per instance with its age; how old
 * is too old is the judge's decision. Only the leader asks.
 */
export class EvidencePoller {
  readonly #cloud: Cloud;
  readonly #clock: Clock;
  readonly #log: Log;
  /** The targets of the last pass only. */
  #known = new Map<string, InstanceEvidence>();
  readonly #failures = new Map<string, EvidenceFailure>();
  readonly #lookedAtMs = new Map<string, MonotonicMs>();

  readonly #onChange: (instanceId: string, state: string) => void;

  /** `onChange`: EC2 shows another state of the instance than it did before. */
  constructor(options: {
    readonly cloud: Cloud;
    readonly clock: Clock;
    readonly log: Log;
    readonly onChange?: (instanceId: string, state: string) => void;
  }) {
    this.#onChange = options.onChange ?? (() => undefined);
    this.#cloud = options.cloud;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  of(instanceId: string): InstanceEvidence {
    return this.#known.get(instanceId) ?? NOTHING_KNOWN;
  }

  /** AZs whose last question failed. */
  failures(): readonly EvidenceFailure[] {
    return [...this.#failures.values()];
  }

  /** Answers of an earlier term are not this term's evidence. */
  beginTerm(): void {
    this.#known.clear();
    this.#failures.clear();
    this.#lookedAtMs.clear();
  }

  /**
   * Everything, once. Resolves when every AZ has answered or failed; failures are kept, not thrown.
   * `statesFreshForMs`: a state that was read so lately is not asked for again.
   */
  async pass(targets: readonly EvidenceTarget[], signal: AbortSignal, statesFreshForMs = 0): Promise<void> {
    const wanted = new Set(targets.map((one) => one.instanceId));
    for (const instanceId of this.#known.keys()) if (!wanted.has(instanceId)) this.#known.delete(instanceId);
    for (const instanceId of this.#lookedAtMs.keys()) if (!wanted.has(instanceId)) this.#lookedAtMs.delete(instanceId);
    const byZone = Map.groupBy(targets, (one) => one.az);
    for (const az of this.#failures.keys()) if (!byZone.has(az)) this.#failures.delete(az);
    await Promise.all([...byZone].map(([az, inZone]) => this.#ask(az, inZone, signal, statesFreshForMs)));
  }

  /**
   * Out of turn, for instances of one zone that an event names. Returns those that EC2 has answered
   * for; a failure is kept, not thrown.
   */
  async hinted(
    az: string,
    targets: readonly { readonly instanceId: string; readonly wantsStatus: boolean }[],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const ids = targets.map((one) => one.instanceId);
    const ofStatus = targets.filter((one) => one.wantsStatus).map((one) => one.instanceId);
    const work = [this.#askState(ids, signal), ...(ofStatus.length > 0 ? [this.#askStatus(ofStatus, signal)] : [])];
    const failed = (await Promise.allSettled(work)).flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    this.#noteEnd(az, failed, signal);
    return failed.length > 0 ? [] : ids;
  }

  /**
   * Out of turn, for members that became suspect. What was asked about within the last second is
   * left out.
   */
  async look(targets: readonly EvidenceTarget[], signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const due = targets.filter(
      ({ instanceId }) => nowMs - (this.#lookedAtMs.get(instanceId) ?? Number.NEGATIVE_INFINITY) >= LOOK_EVERY_MS,
    );
    for (const { instanceId } of due) this.#lookedAtMs.set(instanceId, nowMs);
    const byZone = Map.groupBy(due, (one) => one.az);
    await Promise.all([...byZone].map(([az, inZone]) => this.#ask(az, inZone, signal)));
  }

  async #ask(az: string, targets: readonly EvidenceTarget[], signal: AbortSignal, statesFreshForMs = 0): Promise<void> {
    const ids = targets.map((one) => one.instanceId);
    const failed: unknown[] = [];
    // Each question for itself: what one part of them is not answered does not keep the others from
    // being asked.
    for (const chunk of chunksOf(ids, IDS_PER_CALL)) {
      const stale = chunk.filter((id) => this.#isOlder(id, statesFreshForMs));
      const states = stale.length > 0 ? [this.#askState(stale, signal)] : [];
      const answers = await Promise.allSettled([...states, this.#askStatus(chunk, signal)]);
      failed.push(...answers.flatMap((one) => (one.status === 'rejected' ? [one.reason] : [])));
      if (signal.aborted) return;
    }
    this.#noteEnd(az, failed, signal);
  }

  #isOlder(instanceId: string, freshForMs: number): boolean {
    const readAtMs = this.of(instanceId).cloud?.readAtMs ?? Number.NEGATIVE_INFINITY;
    return this.#clock.monotonicMs() - readAtMs >= freshForMs;
  }

  /** @throws what is no refusal, and no outage, of EC2's: a bug */
  #noteEnd(az: string, failed: readonly unknown[], signal: AbortSignal): void {
    if (signal.aborted) return;
    const broken = failed.find((error) => !isOperationError(error));
    if (broken !== undefined) throw broken;
    const [error] = failed.filter(isOperationError);
    if (error) this.#noteFailure(az, error);
    else if (this.#failures.delete(az)) this.#log.info('evidence.recovered', { az });
  }

  #noteFailure(az: string, error: OperationError): void {
    const { code } = error;
    const before = this.#failures.get(az);
    if (before?.code !== code) this.#log.warn('evidence.failed', { az, code, error: errorText(error) });
    const sinceMs = before?.sinceMs ?? this.#clock.monotonicMs();
    this.#failures.set(az, { az, code, text: errorText(error), sinceMs });
  }

  async #askState(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const askedAtMs = this.#clock.monotonicMs();
    const answers = await this.#cloud.describeInstances({ 'instance-id': ids }, { signal, urgency: 'chore' });
    const found = new Map(answers.map((one) => [one.instanceId, one]));
    for (const instanceId of ids) {
      const before = this.of(instanceId);
      if ((before.cloud?.readAtMs ?? Number.NEGATIVE_INFINITY) > askedAtMs) continue;
      const cloud = { readAtMs: askedAtMs, instance: found.get(instanceId) ?? null };
      const [old, now] = [before.cloud?.instance?.state, cloud.instance?.state];
      if (old !== undefined && now !== undefined && old !== now) this.#onChange(instanceId, now);
      this.#known.set(instanceId, { ...before, cloud });
    }
  }

  async #askStatus(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const askedAtMs = this.#clock.monotonicMs();
    for (const status of await this.#cloud.describeInstanceStatus(ids, { signal, urgency: 'chore' })) {
      const before = this.of(status.instanceId);
      if ((before.cloudStatus?.readAtMs ?? Number.NEGATIVE_INFINITY) > askedAtMs) continue;
      const cloudStatus = nextStatusReading(before.cloudStatus, status, askedAtMs);
      this.#known.set(status.instanceId, { ...before, cloudStatus });
    }
  }
}
