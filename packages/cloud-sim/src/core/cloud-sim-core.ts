import { isAction, perform } from './actions/index.ts';
import { finishTermination, enter } from './actions/lifecycle.ts';
import type { Authorize } from './authorization/access-request.ts';
import { keyRequests } from './authorization/access-requests.ts';
import { requireRights } from './authorization/require-rights.ts';
import { buildDefaultResources, type DefaultResources } from './default-resources.ts';
import { Ec2Error } from './ec2-error.ts';
import type { SimCaller, SimEvent } from './event-log.ts';
import type { Fault } from './faults.ts';
import type { SimInstanceEvent, StatusCheck } from './model.ts';
import { requireTags } from './required-tags.ts';
import { scheduledChange } from './event-bus/bus-event.ts';
import { ACCOUNT_ID, type Call, Region, type RegionOptions } from './region.ts';

export interface CallMoment {
  /** Monotonic; never decreasing. */
  readonly nowMs: number;
  readonly wallMs: number;
  /** Name of the reader. Two readers may see different states within the consistency lag. */
  readonly reader?: string;
  readonly caller?: SimCaller;
  /** When the caller sent it. For the event log. */
  readonly sentAtMs?: number;
}

export interface CallError {
  readonly code: string;
  readonly message: string;
  readonly httpStatus: number;
  /** An older form of the answer, which some services still give. Absent: the usual one. */
  readonly form?: 'messages';
  /** The code of an older protocol that goes along, where a service has one. */
  readonly queryCode?: string;
}

export type CallResult =
  | { readonly output: Record<string, unknown> }
  | { readonly error: CallError }
  /**
   * No reply will come (a timeout fault). The caller cannot know whether the request took effect.
   */
  | { readonly lost: { readonly executed: boolean; readonly hangMs: number } }
  /** A reply comes, and it is not EC2's. */
  | { readonly foreign: { readonly executed: boolean } };

type Input = Readonly<Record<string, unknown>>;

/** Who uses the keys of volumes: EC2, with the rights of whoever launches. */
const EC2_FOR_CALLERS = 'aws:ec2-infrastructure';

const STALE_READ_MS = 4_000;
const LATE_LANDING_MS = 10_000;

const clientTokenOf = (input: Input): string | null =>
  typeof input['ClientToken'] === 'string' ? input['ClientToken'] : null;

const asCallError = (error: unknown): CallError => {
  if (error instanceof Ec2Error) {
    const { code, message, httpStatus, form } = error;
    return { code, message, httpStatus, ...(form && { form }) };
  }
  throw error;
};

const LOSING: ReadonlySet<string> = new Set([
  'timeout-before',
  'timeout-after-success',
  'late-landing',
  'foreign-answer',
  'foreign-instead',
]);
const WITHHOLDING: ReadonlySet<string> = new Set(['timeout-before', 'late-landing', 'foreign-instead']);

/**
 * EC2's semantics as a state machine. A request and a moment go in, an answer comes out. What
 * happens by itself happens in {@link advanceTo}. It has no clock, no timers and no I/O: the same
 * seed and the same calls give the same run.
 */
export class CloudSimCore {
  readonly region: Region;
  readonly defaultResources: DefaultResources;

  constructor(options: RegionOptions) {
    this.region = new Region(options);
    this.defaultResources = buildDefaultResources(this.region);
  }

  /** Sets who says what callers may do, and what EC2 may do with keys in their name. */
  setAuthorize(authorize: Authorize | null): void {
    const { region } = this;
    region.authorize = authorize;
    region.kmsKeys.mayUse = (keyArn) =>
      authorize === null || keyRequests(region, EC2_FOR_CALLERS, keyArn).every((request) => authorize(request));
  }

  /** When the next transition is due. Null when nothing is scheduled. */
  nextDueAtMs(): number | null {
    return this.region.schedule.nextDueAtMs();
  }

  /**
   * Performs what is due by `nowMs`, each transition at its own due time, and returns the events of
   * it.
   */
  advanceTo(nowMs: number, wallMs: number = this.region.wallMs(nowMs)): readonly SimEvent[] {
    const { region } = this;
    const before = region.log.lastSeq;
    region.wallOffsetMs = wallMs - nowMs;
    this.#runDue(nowMs);
    region.nowMs = Math.max(region.nowMs, nowMs);
    return region.log.events(before);
  }

  #runDue(nowMs: number): void {
    for (;;) {
      const due = this.region.schedule.take(nowMs);
      if (!due) return;
      this.region.nowMs = Math.max(this.region.nowMs, due.dueAtMs);
      due.run(this.region.nowMs);
    }
  }

  /**
   * One request, executed at `moment.nowMs`. Never throws for anything EC2 would answer with an
   * error.
   */
  handle(action: string, input: Input, moment: CallMoment): CallResult {
    this.advanceTo(moment.nowMs, moment.wallMs);
    const faults = this.region.faults.strike(action, input);
    const losing = faults.find((fault) => LOSING.has(fault.kind));
    if (losing && WITHHOLDING.has(losing.kind)) return this.#withhold(action, input, moment, faults, losing);
    const result = this.#execute(action, input, moment, faults, losing !== undefined);
    if (!losing) return result;
    if (losing.kind === 'foreign-answer') return { foreign: { executed: !('error' in result) } };
    return { lost: { executed: !('error' in result), hangMs: this.#hangMs(losing) } };
  }

  /**
   * Seeds as {@link handle} does, but at once, visible to everybody, without buckets, faults and
   * log.
   * @throws Ec2Error
   */
  seed(action: string, input: Input, moment: CallMoment): Record<string, unknown> {
    this.advanceTo(moment.nowMs, moment.wallMs);
    const call = this.#call(action, moment, [], true);
    const output = perform(this.region, call, action, input);
    this.#runDue(this.region.nowMs);
    return output;
  }

  #hangMs(fault: Fault): number {
    return fault.kind === 'late-landing'
      ? this.region.latency.hangMs()
      : (fault.delayMs ?? this.region.latency.hangMs());
  }

  #call(action: string, moment: CallMoment, faults: readonly Fault[], instant: boolean): Call {
    const stale = faults.find((fault) => fault.kind === 'stale-read');
    return {
      nowMs: this.region.nowMs,
      wallMs: moment.wallMs,
      reader: moment.reader ?? '',
      action,
      staleMs: stale ? (stale.delayMs ?? STALE_READ_MS / this.region.latency.speed) : 0,
      faults,
      instant,
    };
  }

  #withhold(action: string, input: Input, moment: CallMoment, faults: readonly Fault[], fault: Fault): CallResult {
    if (fault.kind === 'late-landing') {
      const later = faults.filter((other) => other !== fault);
      this.region.laterIn(fault.delayMs ?? LATE_LANDING_MS / this.region.latency.speed, (atMs) => {
        this.#execute(action, input, { ...moment, nowMs: atMs, wallMs: this.region.wallMs(atMs) }, later, true);
      });
    }
    this.#log(action, input, moment, faults, { outcome: 'lost', executed: false, message: fault.kind });
    if (fault.kind === 'foreign-instead') return { foreign: { executed: false } };
    return { lost: { executed: false, hangMs: this.#hangMs(fault) } };
  }

  #execute(action: string, input: Input, moment: CallMoment, faults: readonly Fault[], lost: boolean): CallResult {
    try {
      const output = this.#attempt(action, input, moment, faults);
      this.#log(action, input, moment, faults, { outcome: lost ? 'lost' : 'ok', executed: true, message: null });
      return { output };
    } catch (error) {
      const refused = asCallError(error);
      this.#log(action, input, moment, faults, { outcome: refused.code, executed: false, message: refused.message });
      return { error: refused };
    }
  }

  #attempt(action: string, input: Input, moment: CallMoment, faults: readonly Fault[]): Record<string, unknown> {
    const { region } = this;
    if (isAction(action)) region.throttle.admit(action, input, region.nowMs);
    for (const fault of faults) {
      if (fault.kind === 'throttle') throw new Ec2Error('RequestLimitExceeded', 'Request limit exceeded.');
      if (fault.kind === 'error') {
        const code = fault.code ?? 'InternalError';
        throw new Ec2Error(code, fault.message ?? 'An internal error has occurred', fault.httpStatus);
      }
    }
    if (region.deniedActions.has(action)) {
      throw new Ec2Error('UnauthorizedOperation', 'You are not authorized to perform this operation.');
    }
    requireTags(region.requiredTags, action, input);
    requireRights(region, moment.reader ?? '', action, input);
    if (input['DryRun'] === true && isAction(action) && action !== 'RunInstances') {
      throw new Ec2Error('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
    }
    return perform(region, this.#call(action, moment, faults, false), action, input);
  }

  #log(
    action: string,
    input: Input,
    moment: CallMoment,
    faults: readonly Fault[],
    end: { readonly outcome: string; readonly executed: boolean; readonly message: string | null },
  ): void {
    this.region.log.call({
      kind: 'call',
      atMs: this.region.nowMs,
      wallMs: this.region.wallMs(),
      action,
      clientToken: clientTokenOf(input),
      durationMs: this.region.nowMs - (moment.sentAtMs ?? moment.nowMs),
      faults: faults.map((fault) => fault.id),
      reader: moment.reader ?? '',
      ...(moment.caller && { caller: moment.caller }),
      input,
      ...end,
    });
  }

  /**
   * The guest dies. The state stays `running`; the instance status check becomes impaired about a
   * minute later.
   */
  crashInstance(instanceId: string): boolean {
    const { region } = this;
    const instance = region.instances.get(instanceId);
    if (instance?.state !== 'running' || instance.crashedAtMs !== null) return false;
    const impairedFromMs = region.nowMs + region.latency.sampleMs('instance.checks-impaired');
    region.instances.update(instanceId, { crashedAtMs: region.nowMs, impairedFromMs }, region.nowMs);
    region.transition('instance', instanceId, 'running', 'running', null, { az: instance.az, crash: true });
    return true;
  }

  /** Sets which status checks fail. None: the instance is healthy again. */
  setImpairedChecks(instanceId: string, impairedChecks: readonly StatusCheck[]): boolean {
    return this.region.instances.update(instanceId, { impairedChecks }, this.region.nowMs) !== undefined;
  }

  /** Sets the scheduled events EC2 announces for the instance. */
  setScheduledEvents(instanceId: string, events: readonly SimInstanceEvent[]): boolean {
    const { region } = this;
    const known = new Set(region.instances.get(instanceId)?.events.map((one) => one.eventId));
    if (region.instances.update(instanceId, { events }, region.nowMs) === undefined) return false;
    const place = { region: region.name, account: ACCOUNT_ID };
    for (const one of events) if (!known.has(one.eventId)) region.events.put(scheduledChange(place, instanceId, one));
    return true;
  }

  /**
   * The guest shuts itself down (`Client.InstanceInitiatedShutdown`). Its shutdown behaviour
   * decides between stop and terminate.
   */
  shutDownFromInside(instanceId: string): boolean {
    const instance = this.region.instances.get(instanceId);
    if (instance?.state !== 'running') return false;
    const code = 'Client.InstanceInitiatedShutdown';
    return this.#goDown(
      instanceId,
      { code, message: `${code}: Instance initiated shutdown` },
      instance.shutdownBehavior,
    );
  }

  /**
   * AWS takes the instance down, e.g. `Server.ScheduledStop`, `Server.SpotInstanceTermination`,
   * `Server.InternalError`.
   */
  takeDown(instanceId: string, code: string, how: 'stop' | 'terminate'): boolean {
    return this.#goDown(instanceId, { code, message: `${code}: taken down by the service` }, how);
  }

  #goDown(instanceId: string, stateReason: { code: string; message: string }, how: 'stop' | 'terminate'): boolean {
    const { region } = this;
    const instance = region.instances.get(instanceId);
    if (instance?.state !== 'running' && instance?.state !== 'pending') return false;
    const generation = instance.generation + 1;
    const patch = { generation, stateReason, transitionReason: '', runningSinceMs: null };
    const passing = how === 'stop' ? 'stopping' : 'shutting-down';
    enter(region, instance, passing, patch, null, { reason: stateReason.code, skipOsShutdown: false });
    region.later({ instant: false }, 'instance.stop-skip-os', (_at, tookMs) => {
      const now = region.instances.get(instanceId);
      if (now?.generation !== generation || now.state !== passing) return;
      if (how === 'terminate') finishTermination(region, now, tookMs);
      else enter(region, now, 'stopped', { generation: generation + 1, autoPublicIp: null, crashedAtMs: null }, tookMs);
    });
    return true;
  }
}
