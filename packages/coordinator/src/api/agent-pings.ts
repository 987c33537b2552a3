import { type Clock, durationText, errorText, type ExplainView, type RemoteCommands } from '@understudy/shared';

type Evidence = ExplainView['evidence'][number];

/** What is told is minutes old anyhow. */
const FRESH_MS = 60_000;
/** Nobody's explanation waits longer for it. */
const WAIT_MS = 2_000;
/** Calls of everybody who looks, together. */
const EVERY_MS = 500;
/** The instance asked about longest ago is forgotten first. */
const INSTANCES_MAX = 500;

interface Asked {
  readonly atMs: number;
  readonly evidence: Promise<Evidence>;
}

const told = (text: string, ageMs: number | null = null): Evidence => ({
  ...{ source: 'systems manager', text, ageMs, freshForMs: null, weight: 'neutral' },
});

/** What is known of its lag; AWS gives no figure for the second. */
const LAG = 'an agent tells every 5 min, and one that is gone is Online for 10 min and more';

/**
 * When Systems Manager has last heard of an instance's agent, for people (S35). Asked only while
 * somebody looks, whatever coordinator is looked at, and **nothing is decided by it**: it is
 * minutes late both ways.
 */
export class AgentPings {
  readonly #commands: Pick<RemoteCommands, 'managed'>;
  readonly #clock: Clock;
  readonly #asked = new Map<string, Asked>();
  #lastAskedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly commands: Pick<RemoteCommands, 'managed'>; readonly clock: Clock }) {
    this.#commands = options.commands;
    this.#clock = options.clock;
  }

  /** Null: it was not asked, because others are asked about. It never rejects. */
  async of(instanceId: string): Promise<Evidence | null> {
    const asked = this.#ask(instanceId);
    return asked === null ? null : this.#within(asked);
  }

  #ask(instanceId: string): Promise<Evidence> | null {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#asked.get(instanceId);
    if (known && nowMs - known.atMs < FRESH_MS) return known.evidence;
    if (nowMs - this.#lastAskedAtMs < EVERY_MS) return known?.evidence ?? null;
    this.#lastAskedAtMs = nowMs;
    const evidence = this.#told(instanceId);
    this.#asked.delete(instanceId);
    this.#asked.set(instanceId, { atMs: nowMs, evidence });
    for (const oldest of this.#asked.keys()) {
      if (this.#asked.size <= INSTANCES_MAX) break;
      this.#asked.delete(oldest);
    }
    return evidence;
  }

  async #told(instanceId: string): Promise<Evidence> {
    try {
      const node = await this.#commands.managed(instanceId);
      if (!node) return told(`it shows no agent of ${instanceId}: none is there, or the instance is stopped`);
      const { ping, lastPingAtWallMs: at } = node;
      const agoMs = at === null ? null : Math.max(0, this.#clock.wallMs() - at);
      const heard = agoMs === null ? '' : `, heard ${durationText(agoMs)} ago`;
      return told(`it has the agent of ${instanceId} as ${ping}${heard}; no proof of anything: ${LAG}`, agoMs);
    } catch (error) {
      return told(`it could not be asked: ${errorText(error)}`);
    }
  }

  async #within(evidence: Promise<Evidence>): Promise<Evidence> {
    const late = Promise.withResolvers<Evidence>();
    const timer = this.#clock.setTimer(WAIT_MS, () => late.resolve(told('it has not answered yet')));
    try {
      return await Promise.race([evidence, late.promise]);
    } finally {
      timer.cancel();
    }
  }
}
