import type { ActivationOutputs, WantedActivation } from '@understudy/agent';
import type { Random } from '@understudy/shared';
import type { ProcessClock } from '../kernel/process-clock.ts';

/** How long a workload takes to start or stop. */
const START_MS = [50, 2_000] as const;
const STOP_MS = [50, 1_000] as const;
const HUNG_LOOK_MS = 500;

/**
 * What the instance is there for. Serves from the beginning of its start hook to the end of its
 * stop hook, whatever becomes of the agent meanwhile; a machine that boots begins without it.
 */
export class Workload implements ActivationOutputs {
  readonly #clock: ProcessClock;
  readonly #random: Random;
  readonly #onChange: () => void;
  #serving = false;
  #lives = 1;
  #hung = false;

  constructor(clock: ProcessClock, random: Random, onChange: () => void) {
    this.#clock = clock;
    this.#random = random;
    this.#onChange = onChange;
  }

  get serving(): boolean {
    return this.#serving;
  }

  async writeFile(): Promise<void> {}
  async removeFile(): Promise<void> {}
  async tellTarget(): Promise<void> {}
  async powerOff(): Promise<void> {}

  async runHook(wanted: WantedActivation): Promise<void> {
    const starts = wanted.state === 'active';
    if (starts) this.#set(true);
    const life = this.#lives;
    const [minMs, maxMs] = starts ? START_MS : STOP_MS;
    await this.#clock.sleep(minMs + this.#random.next() * (maxMs - minMs));
    while (!starts && this.#hung && this.#lives === life) await this.#clock.sleep(HUNG_LOOK_MS);
    if (!starts && this.#lives === life) this.#set(false);
  }

  /** Its stop hook does not end for as long as this is so. */
  set hung(hung: boolean) {
    this.#hung = hung;
  }

  /** With everything else on its machine, hooks that are under way included. */
  die(): void {
    this.#lives += 1;
    this.#set(false);
  }

  #set(serving: boolean): void {
    if (this.#serving === serving) return;
    this.#serving = serving;
    this.#onChange();
  }
}
