import type { HoldReason, Term } from '@understudy/shared';
import { type HoldPlace, type HoldText, writeHold } from './hold.ts';
import type { Journal } from './journal.ts';
import type { OpenIntent } from './runner.ts';

/** A hold beside the work: it says that something does not get on, while the run goes on trying. */
export interface StandingReason {
  /** Another key is another hold; the same one is written once. */
  readonly key: string;
  readonly reason: HoldReason;
  readonly text: string;
  readonly sinceWallMs: number;
  /** When the trying ends; null: it does not. */
  readonly untilWallMs: number | null;
}

/**
 * Under this name stands what keeps all launch attempts from getting on, whichever of them is open.
 */
export const PLACEMENT = 'placement';

export interface StandingHoldOptions {
  readonly place: HoldPlace;
  readonly intent: OpenIntent;
  readonly term: Term;
  readonly journal: Journal;
}

/**
 * The hold record that a run keeps while steps of it fail; there is one per member, so the step
 * that failed first has it. It stays when another step gets on, and goes with the next write of the
 * journal once nothing fails any more.
 */
export class StandingHold {
  readonly #options: StandingHoldOptions;
  /** By step, in the order they began to fail. */
  readonly #wanted = new Map<string, StandingReason>();
  #shownKey: string | null = null;
  #work: Promise<void> = Promise.resolve();

  constructor(options: StandingHoldOptions) {
    this.#options = options;
  }

  /** @throws as the term's commit does. */
  async want(step: string, hold: StandingReason): Promise<void> {
    this.#wanted.set(step, hold);
    await this.#inTurn(() => this.#show());
  }

  /** `true`: it was shown for this step, and the next write of the journal removes it. */
  drop(step: string): boolean {
    if (!this.#wanted.delete(step) || this.#wanted.size > 0) return false;
    this.#options.journal.holdRule = 'release';
    this.#shownKey = null;
    return this.#options.journal.hold !== null;
  }

  /** The same matter goes on in another step. */
  handOver(from: string, to: string): void {
    const wanted = this.#wanted.get(from);
    if (!wanted) return;
    this.#wanted.delete(from);
    this.#wanted.set(to, wanted);
  }

  /** A person has removed it: whoever still fails says so again when its time comes. */
  forget(): void {
    this.#wanted.clear();
    this.#shownKey = null;
    this.#options.journal.holdRule = 'until-progress';
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.catch(() => undefined).then(work);
    await this.#work;
  }

  async #show(): Promise<void> {
    const [wanted] = this.#wanted.values();
    if (!wanted || wanted.key === this.#shownKey) return;
    const { place, intent, term, journal } = this.#options;
    // A preparation holds nobody: its member is well, perhaps.
    if (intent.preparation !== undefined) return;
    journal.holdRule = 'keep';
    const hold: HoldText = wanted;
    // As in the engine: once the replacement serves, another's hold says more.
    const yields = journal.states().get('activate') === 'done';
    const modRevision = await writeHold(place, intent, term, hold, yields);
    if (modRevision === null) return;
    journal.hold = { key: place.keys.hold(place.member), modRevision };
    this.#shownKey = wanted.key;
  }
}
