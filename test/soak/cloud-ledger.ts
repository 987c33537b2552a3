import { TAG } from '@understudy/shared';
import type { CloudReading, Launch, Transition } from './cloud-reading.ts';

/** A stretch in which an instance had power. `toWallMs: null`: it still has. */
export interface Stretch {
  readonly fromWallMs: number;
  readonly toWallMs: number | null;
}

/** `stopping` still has power. `shutting-down` may come from `stopped`, and then has none. */
const POWERED: ReadonlySet<string | null> = new Set(['pending', 'running']);
const DOWN: ReadonlySet<string | null> = new Set(['stopped', 'terminated', null]);

export const memberOf = (launch: Launch): string => `${launch.tags[TAG.group]}/${launch.tags[TAG.member]}`;

/**
 * What really happened in the cloud, read while it happens, because cloud-sim remembers its newest
 * events only. It is small: a few numbers per instance that ever was.
 */
export class CloudLedger {
  readonly #reading: CloudReading;
  readonly #stretches = new Map<string, Stretch[]>();
  readonly #launches = new Map<string, Launch>();
  readonly #gone = new Map<string, number>();
  #lastSeq = 0;
  #missedCount = 0;

  constructor(reading: CloudReading) {
    this.#reading = reading;
  }

  /**
   * Events that were forgotten before they were read. It must stay 0, or the audit proves nothing.
   */
  get missedCount(): number {
    return this.#missedCount;
  }

  /** Every instance that was ever launched, in order. */
  launches(): readonly Launch[] {
    return [...this.#launches.values()].toSorted((a, b) => a.wallMs - b.wallMs);
  }

  stretches(instanceId: string): readonly Stretch[] {
    return this.#stretches.get(instanceId) ?? [];
  }

  /** How many resources of a kind were deleted so far. An instance counts when it is terminated. */
  goneCount(resourceKind: string): number {
    return this.#gone.get(resourceKind) ?? 0;
  }

  async read(): Promise<void> {
    const { events, lastSeq } = await this.#reading.events(this.#lastSeq);
    const firstSeq = events[0]?.seq ?? lastSeq + 1;
    this.#missedCount += Math.max(0, firstSeq - this.#lastSeq - 1);
    this.#lastSeq = lastSeq;
    for (const event of events) if (event.kind === 'transition') this.#note(event);
    for (const launch of (await this.#reading.state()).launches)
      if (!this.#launches.has(launch.instanceId)) this.#launches.set(launch.instanceId, launch);
  }

  #note({ resourceKind, resourceId, from, to, wallMs }: Transition): void {
    const ended = resourceKind === 'instance' ? to === 'terminated' : to === null;
    if (ended) this.#gone.set(resourceKind, this.goneCount(resourceKind) + 1);
    if (resourceKind !== 'instance' || from === to) return;
    const known = this.#stretches.get(resourceId) ?? [];
    const last = known.at(-1);
    const hasPower = last?.toWallMs === null;
    if (DOWN.has(to) && hasPower) known[known.length - 1] = { ...last, toWallMs: wallMs };
    else if (POWERED.has(to) && !hasPower) known.push({ fromWallMs: wallMs, toWallMs: null });
    this.#stretches.set(resourceId, known);
  }
}
