import { Agent, type AgentParts } from '@understudy/agent';
import { ActivationApplier, FetchedKeys, type FetchedKeyCache, keyAtStart } from '@understudy/agent/testing';
import type { FetchKeyHere } from './enrolment-wire.ts';

type Parts = Omit<AgentParts, 'configuredKey' | 'applier'>;

/**
 * The production agent of a machine that came without a key: it waits for one, as `main.ts` of the
 * agent has it do, and is the agent from then on.
 */
export class EnrollingAgent {
  readonly #parts: Parts;
  readonly #keys: FetchedKeys;
  readonly #onKey: () => void;
  #agent: Agent | null = null;
  #stopped = false;

  constructor(parts: Parts, fetch: FetchKeyHere, cache: FetchedKeyCache, onKey: () => void) {
    this.#parts = parts;
    this.#onKey = onKey;
    const { clock, random, log, config } = parts;
    this.#keys = new FetchedKeys({
      ...{ clock, random, log, fetch, cache, configuredId: 1, refetchEveryMs: config.key.refetchEveryMs },
      remote: { source: 'enrolAt', reference: 'https://coordinators' },
    });
  }

  /** Without one it is silent. */
  get hasKey(): boolean {
    return this.#agent !== null;
  }

  async run(): Promise<void> {
    const { clock, random, log, outputs, config } = this.#parts;
    const powerOffWhenStuck = config.activation.onStuck === 'poweroff';
    const applier = new ActivationApplier({ powerOffWhenStuck, outputs, clock, random, log });
    const configuredKey = await keyAtStart(this.#keys, applier);
    if (this.#stopped) return;
    this.#agent = new Agent({ ...this.#parts, configuredKey, applier });
    this.#onKey();
    this.#keys.start();
    await this.#agent.run();
    this.#keys.stop();
  }

  stop(): void {
    this.#stopped = true;
    this.#keys.stop();
    this.#agent?.stop();
  }
}
