import type { Chore, CloudInstance, OwedChore } from '@understudy/shared';
import { choreKey, choreMove } from '../core/chores.ts';
import { sendChore } from './chore-calls.ts';
import type { Attempt, Call } from '../effect.ts';

type Problem = Omit<OwedChore['obstacle'], 'sinceWallMs'>;

/**
 * Answers that time may change: the chore is tried again while the recovery is still open. The
 * others are left to the collector.
 */
const PASSING: ReadonlySet<string> = new Set([
  'CLOUD_THROTTLED',
  'CLOUD_UNAVAILABLE',
  'CLOUD_OUTCOME_UNKNOWN',
  'CLOUD_NOT_FOUND',
  'CLOUD_CONFLICT',
  'LEASE_LOST',
]);

/**
 * How the chores of one run of `done` stand. A chore is settled by EC2's word that it was done, or
 * that there is nothing to do; never by a refusal or an absence.
 */
export class ChoreBook {
  readonly #chores: ReadonlyMap<string, Chore>;
  readonly #settled = new Set<string>();
  /** Refused for now: not tried again in this run. */
  readonly #refused = new Set<string>();
  readonly #problems = new Map<string, Problem>();

  constructor(chores: readonly Chore[]) {
    this.#chores = new Map(chores.map((chore) => [choreKey(chore), chore]));
  }

  note(last: Attempt | null): void {
    for (const { name, error } of last?.outcomes ?? []) {
      if (error === null) this.#settled.add(name);
      else this.#trouble(name, { code: error.upstreamCode ?? error.code, text: error.message });
      if (error !== null && !PASSING.has(error.code)) this.#refused.add(name);
    }
  }

  /** Chores that may still be done in this run. */
  get hasWork(): boolean {
    return this.#open().some(([key]) => !this.#refused.has(key));
  }

  /** The calls that bring them on, from what is seen of the replacement. */
  calls(replacement: CloudInstance | null): Call[] {
    return this.#open().flatMap(([key, chore]) => {
      if (this.#refused.has(key)) return [];
      const move = choreMove(chore, { instance: replacement });
      if (move.kind === 'call')
        return [{ name: key, optional: true, run: (cloud, options) => sendChore(cloud, move.call, options) }];
      if (move.kind === 'stuck') this.#trouble(key, move);
      else this.#settled.add(key);
      return [];
    });
  }

  owed(nowWallMs: number): readonly OwedChore[] {
    const untold: Problem = { code: 'NotDone', text: 'it was not done before the recovery was closed' };
    return this.#open().map(([key, chore]) => {
      const { code, text } = this.#problems.get(key) ?? untold;
      return { chore, obstacle: { code, text, sinceWallMs: nowWallMs } };
    });
  }

  #open(): [string, Chore][] {
    return [...this.#chores].filter(([key]) => !this.#settled.has(key));
  }

  #trouble(key: string, { code, text }: Problem): void {
    this.#problems.set(key, { code, text });
  }
}
