import { isAction, perform } from './actions/index.ts';
import { finishTermination, enter } from './actions/lifecycle.ts';
import { buildDefaultWorld, type DefaultWorld } from './default-world.ts';
import { Ec2Error } from './ec2-error.ts';
import type { SimEvent } from './event-log.ts';
import type { Fault } from './faults.ts';
import type { SimInstanceEvent, StatusCheck } from './model.ts';
import { requireTags } from './required-tags.ts';
import { type Call, World, type WorldOptions } from './world.ts';

export interface CallMoment {
  /** Monotonic; never decreasing. */
  readonly nowMs: number;
  readonly wallMs: number;
  /** Who looks: two readers may see different worlds within the consistency lag. */
  readonly reader?: string;
  /** When the caller sent it; for the event log. */
  readonly sentAtMs?: number;
}

export interface CallError {
  readonly code: string;
  readonly message: string;
  readonly httpStatus: number;
}

export type CallResult =
  | { readonly output: Record<string, unknown> }
  | { readonly error: CallError }
  /** No reply will come (a timeout fault). Whether the request took effect, the caller cannot know. */
  | { readonly lost: { readonly executed: boolean; readonly hangMs: number } }
  /** A reply comes, and it is not EC2's. */
  | { readonly foreign: { readonly executed: boolean } };

type Input = Readonly<Record<string, unknown>>;

const STALE_READ_MS = 4_000;
const LATE_LANDING_MS = 10_000;

const clientTokenOf = (input: Input): string | null =>
  typeof input['ClientToken'] === 'string' ? input['ClientToken'] : null;

const asCallError = (error: unknown): CallError => {
  if (error instanceof Ec2Error) return { code: error.code, message: error.message, httpStatus: error.httpStatus };
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
 * EC2's semantics as a state machine: a request and a moment go in, an answer comes out; what happens by itself happens in
 * {@link advanceTo}. No clock, no timers, no I/O; the same seed and the same calls give the same run.
 */
export class CloudSimCore {
  readonly world: World;
  readonly defaultWorld: DefaultWorld;

  constructor(options: WorldOptions) {
    this.world = new World(options);
    this.defaultWorld = buildDefaultWorld(this.world);
  }

  /** When the next transition is due; null when nothing is scheduled. */
  nextDueAtMs(): number | null {
    return this.world.schedule.nextDueAtMs();
  }

  /** Performs what is due by `nowMs`, each at its own due time, and returns the events of it. */
  advanceTo(nowMs: number, wallMs: number = this.world.wallMs(nowMs)): readonly SimEvent[] {
    const { world } = this;
    const before = world.log.lastSeq;
    world.wallOffsetMs = wallMs - nowMs;
    this.#runDue(nowMs);
    world.nowMs = Math.max(world.nowMs, nowMs);
    return world.log.events(before);
  }

  #runDue(nowMs: number): void {
    for (;;) {
      const due = this.world.schedule.take(nowMs);
      if (!due) return;
      this.world.nowMs = Math.max(this.world.nowMs, due.dueAtMs);
      due.run(this.world.nowMs);
    }
  }

  /** One request, executed at `moment.nowMs`. Never throws for anything EC2 would answer with an error. */
  handle(action: string, input: Input, moment: CallMoment): CallResult {
    this.advanceTo(moment.nowMs, moment.wallMs);
    const faults = this.world.faults.strike(action, input);
    const losing = faults.find((fault) => LOSING.has(fault.kind));
    if (losing && WITHHOLDING.has(losing.kind)) return this.#withhold(action, input, moment, faults, losing);
    const result = this.#execute(action, input, moment, faults, losing !== undefined);
    if (!losing) return result;
    if (losing.kind === 'foreign-answer') return { foreign: { executed: !('error' in result) } };
    return { lost: { executed: !('error' in result), hangMs: this.#hangMs(losing) } };
  }

  /** World building: as {@link handle}, but at once, visible to everybody, without buckets, faults and log. @throws Ec2Error */
  seed(action: string, input: Input, moment: CallMoment): Record<string, unknown> {
    this.advanceTo(moment.nowMs, moment.wallMs);
    const call = this.#call(action, moment, [], true);
    const output = perform(this.world, call, action, input);
    this.#runDue(this.world.nowMs);
    return output;
  }

  #hangMs(fault: Fault): number {
    return fault.kind === 'late-landing' ? this.world.latency.hangMs() : (fault.delayMs ?? this.world.latency.hangMs());
  }

  #call(action: string, moment: CallMoment, faults: readonly Fault[], instant: boolean): Call {
    const stale = faults.find((fault) => fault.kind === 'stale-read');
    return {
      nowMs: this.world.nowMs,
      wallMs: moment.wallMs,
      reader: moment.reader ?? '',
      action,
      staleMs: stale ? (stale.delayMs ?? STALE_READ_MS / this.world.latency.speed) : 0,
      faults,
      instant,
    };
  }

  #withhold(action: string, input: Input, moment: CallMoment, faults: readonly Fault[], fault: Fault): CallResult {
    if (fault.kind === 'late-landing') {
      const later = faults.filter((other) => other !== fault);
      this.world.laterIn(fault.delayMs ?? LATE_LANDING_MS / this.world.latency.speed, (atMs) => {
        this.#execute(action, input, { ...moment, nowMs: atMs, wallMs: this.world.wallMs(atMs) }, later, true);
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
    const { world } = this;
    if (isAction(action)) world.throttle.admit(action, input, world.nowMs);
    for (const fault of faults) {
      if (fault.kind === 'throttle') throw new Ec2Error('RequestLimitExceeded', 'Request limit exceeded.');
      if (fault.kind === 'error') {
        const code = fault.code ?? 'InternalError';
        throw new Ec2Error(code, fault.message ?? 'An internal error has occurred', fault.httpStatus);
      }
    }
    if (world.deniedActions.has(action)) {
      throw new Ec2Error('UnauthorizedOperation', 'You are not authorized to perform this operation.');
    }
    requireTags(world.requiredTags, action, input);
    if (input['DryRun'] === true && isAction(action) && action !== 'RunInstances') {
      throw new Ec2Error('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.');
    }
    return perform(world, this.#call(action, moment, faults, false), action, input);
  }

  #log(
    action: string,
    input: Input,
    moment: CallMoment,
    faults: readonly Fault[],
    end: { readonly outcome: string; readonly executed: boolean; readonly message: string | null },
  ): void {
    this.world.log.call({
      kind: 'call',
      atMs: this.world.nowMs,
      wallMs: this.world.wallMs(),
      action,
      clientToken: clientTokenOf(input),
      durationMs: this.world.nowMs - (moment.sentAtMs ?? moment.nowMs),
      faults: faults.map((fault) => fault.id),
      reader: moment.reader ?? '',
      input,
      ...end,
    });
  }

  /** The guest dies: the state stays `running`, the instance status check becomes impaired about a minute later. */
  crashInstance(instanceId: string): boolean {
    const { world } = this;
    const instance = world.instances.get(instanceId);
    if (instance?.state !== 'running' || instance.crashedAtMs !== null) return false;
    const impairedFromMs = world.nowMs + world.latency.sampleMs('instance.checks-impaired');
    world.instances.update(instanceId, { crashedAtMs: world.nowMs, impairedFromMs }, world.nowMs);
    world.transition('instance', instanceId, 'running', 'running', null, { az: instance.az, crash: true });
    return true;
  }

  /** Sets which status checks fail; none: healthy again. */
  setImpairedChecks(instanceId: string, impairedChecks: readonly StatusCheck[]): boolean {
    return this.world.instances.update(instanceId, { impairedChecks }, this.world.nowMs) !== undefined;
  }

  /** Sets the scheduled events EC2 announces for the instance. */
  setScheduledEvents(instanceId: string, events: readonly SimInstanceEvent[]): boolean {
    return this.world.instances.update(instanceId, { events }, this.world.nowMs) !== undefined;
  }

  /** The guest shuts itself down (`Client.InstanceInitiatedShutdown`); its shutdown behaviour decides between stop and terminate. */
  shutDownFromInside(instanceId: string): boolean {
    const instance = this.world.instances.get(instanceId);
    if (instance?.state !== 'running') return false;
    const code = 'Client.InstanceInitiatedShutdown';
    return this.#goDown(
      instanceId,
      { code, message: `${code}: Instance initiated shutdown` },
      instance.shutdownBehavior,
    );
  }

  /** AWS takes it down, e.g. `Server.ScheduledStop`, `Server.SpotInstanceTermination`, `Server.InternalError`. */
  takeDown(instanceId: string, code: string, how: 'stop' | 'terminate'): boolean {
    return this.#goDown(instanceId, { code, message: `${code}: taken down by the service` }, how);
  }

  #goDown(instanceId: string, stateReason: { code: string; message: string }, how: 'stop' | 'terminate'): boolean {
    const { world } = this;
    const instance = world.instances.get(instanceId);
    if (instance?.state !== 'running' && instance?.state !== 'pending') return false;
    const generation = instance.generation + 1;
    const patch = { generation, stateReason, transitionReason: '', runningSinceMs: null };
    const passing = how === 'stop' ? 'stopping' : 'shutting-down';
    enter(world, instance, passing, patch, null, { reason: stateReason.code, skipOsShutdown: false });
    world.later({ instant: false }, 'instance.stop-skip-os', (_at, tookMs) => {
      const now = world.instances.get(instanceId);
      if (now?.generation !== generation || now.state !== passing) return;
      if (how === 'terminate') finishTermination(world, now, tookMs);
      else enter(world, now, 'stopped', { generation: generation + 1, autoPublicIp: null, crashedAtMs: null }, tookMs);
    });
    return true;
  }
}
