import type { Log, Timer } from '@understudy/shared';
import type { CloudSim } from '../cloud-sim.ts';
import type { SimEvent } from '../core/event-log.ts';
import type { DeedWorld } from '../deeds/deed.ts';
import { DEEDS } from '../deeds/index.ts';
import { type Script, ScriptSchema, type ScriptStep, type WrittenScript } from './script-schema.ts';

export interface StepState {
  readonly step: ScriptStep;
  /** `waiting`; `done`; `missed`: there was nothing that it could be done to. */
  readonly state: 'waiting' | 'done' | 'missed';
  /** A moment of the Region's clock. Null while it waits. */
  readonly atMs: number | null;
}

interface Entry {
  readonly step: ScriptStep;
  state: StepState['state'];
  atMs: number | null;
  /** Calls seen of those that it waits for. */
  seen: number;
  timer: Timer | null;
}

function isAwaited({ step }: Entry, event: SimEvent): boolean {
  const { after } = step;
  if (after === undefined || event.kind !== 'call' || event.action !== after.action) return false;
  if (after.outcome !== undefined && event.outcome !== after.outcome) return false;
  return after.resourceId === undefined || JSON.stringify(event.input).includes(`"${after.resourceId}"`);
}

/**
 * Runs scripts on a Region, one at a time: each step once, at its moment or after its call. It
 * remembers what became of each, so that a test can assert that its trap was sprung.
 */
export class ScriptRun {
  readonly #sim: CloudSim;
  readonly #log: Log;
  readonly #world: DeedWorld;
  #entries: readonly Entry[] = [];
  #name: string | null = null;
  #unsubscribe: (() => void) | null = null;

  /** `around`: what serves the machines of the Region, where something does. */
  constructor(sim: CloudSim, log: Log, around: Partial<Pick<DeedWorld, 'imds' | 'dns'>> = {}) {
    this.#sim = sim;
    this.#log = log;
    const durationMs = (saidMs: number): number => saidMs / sim.core.region.latency.speed;
    this.#world = { sim, imds: null, dns: null, ...around, durationMs };
  }

  /**
   * Begins a script. One that ran before ends; what it did stays.
   * @throws ZodError
   */
  start(written: WrittenScript): void {
    const script: Script = ScriptSchema.parse(written);
    this.stop();
    this.#name = script.name;
    this.#entries = script.steps.map((step) => ({ step, state: 'waiting', atMs: null, seen: 0, timer: null }));
    this.#log.info('cloud-sim.script.started', { script: script.name, steps: script.steps.length });
    this.#unsubscribe = this.#sim.onEvent((event) => this.#onEvent(event));
    for (const entry of this.#entries) if (entry.step.at !== undefined) this.#dueIn(entry, entry.step.at);
  }

  get name(): string | null {
    return this.#name;
  }

  states(): readonly StepState[] {
    return this.#entries.map(({ step, state, atMs }) => ({ step, state, atMs }));
  }

  /** Steps that still wait are given up. Idempotent. */
  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    for (const { timer } of this.#entries) timer?.cancel();
  }

  #onEvent(event: SimEvent): void {
    for (const entry of this.#entries) {
      if (entry.state !== 'waiting' || entry.timer || !isAwaited(entry, event)) continue;
      entry.seen++;
      if (entry.seen === entry.step.after?.nth) this.#dueIn(entry, 0);
    }
  }

  /** Never inside the call that it waits for: that comes to its end first. */
  #dueIn(entry: Entry, afterMs: number): void {
    const dueInMs = (afterMs + entry.step.delay) / this.#sim.core.region.latency.speed;
    entry.timer = this.#sim.clock.setTimer(dueInMs, () => this.#perform(entry));
  }

  #perform(entry: Entry): void {
    entry.state = this.#isDone(entry.step.do) ? 'done' : 'missed';
    entry.atMs = this.#sim.clock.monotonicMs();
    this.#log.info('cloud-sim.script.step', { script: this.#name, state: entry.state, deed: entry.step.do });
  }

  #isDone(said: ScriptStep['do']): boolean {
    return DEEDS.find(({ name }) => name in said)?.perform(this.#world, said) !== false;
  }
}
